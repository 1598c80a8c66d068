import type { Installation } from '../../app.ts'
import { suggestion } from '../../core/intake/fields.ts'
import type { Session } from '../../core/sessions/offers.ts'
import { isBookable, nextOccurrence, type Occurrence } from '../../core/time/occurrences.ts'
import { allSessions, type LeftOut, leftOutSessions } from '../../db/sessions/sessions.ts'
import { type StatusChange, setSessionStatus } from '../../db/sessions/status.ts'
import { settleSeats } from './seats.ts'

/** `wasOffered`: readers could book it before. */
type Changed = { kind: 'changed'; session: Session; next: Occurrence | null; wasOffered: boolean }

/**
 * The outcome of changing a session's status; `already`: it was so. `hint`: the external id like the
 * unknown one, if any, as `suggestion` says it.
 * `several`: it is the external id of one session and the number of another. `no-seats`: it cannot open with none left.
 */
export type StatusOutcome =
  | Changed
  | (Omit<Changed, 'kind'> & { kind: 'already' })
  | { kind: 'not-found'; hint: string }
  | { kind: 'several'; byName: number; byNumber: string }
  | { kind: 'left-out'; problem: LeftOut }
  | { kind: 'no-seats' }
  | { kind: 'too-many-seats'; seatsTotal: number }

/** Makes a session full, cancelled, or open. `name` is its external id, or its number as `sessions list` shows it. */
export async function changeStatus(
  { store, now }: Pick<Installation, 'store' | 'now'>,
  name: string,
  change: StatusChange,
): Promise<StatusOutcome> {
  await settleSeats({ store, now })
  const sessions = await allSessions(store)
  const byName = sessions.find(({ externalId }) => externalId === name)
  const byNumber = sessions.find(({ id }) => String(id) === name)
  if (byName && byNumber && byName !== byNumber)
    return { kind: 'several', byName: byName.id, byNumber: byNumber.externalId }
  const session = byName ?? byNumber
  if (!session) return unknown(await leftOutSessions(store), sessions, name)

  const { seatsLeft = session.seatsLeft, status } = change
  if (status === 'open' && seatsLeft === 0) return { kind: 'no-seats' }
  if (session.seatsTotal !== null && change.seatsLeft !== undefined && change.seatsLeft > session.seatsTotal)
    return { kind: 'too-many-seats', seatsTotal: session.seatsTotal }
  const at = now()
  const changed = await setSessionStatus(store, session.id, change, at)
  return {
    kind: changed ? 'changed' : 'already',
    session: { ...session, status, seatsLeft },
    next: nextOccurrence(session, at),
    wasOffered: isBookable(session, at),
  }
}

function unknown(leftOut: readonly LeftOut[], sessions: readonly Session[], name: string): StatusOutcome {
  const problem = leftOut.find(({ externalId, id }) => externalId === name || String(id) === name)
  if (problem) return { kind: 'left-out', problem }
  const known = sessions.map(({ externalId }) => externalId)
  return { kind: 'not-found', hint: suggestion(name, known) }
}
