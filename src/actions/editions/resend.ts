import type { App, SweepWaker } from '../../app.ts'
import type { Exclusion } from '../../core/audience/exclusion.ts'
import { openJudge } from '../../core/audience/judge.ts'
import { REASONS } from '../../core/audience/reasons.ts'
import { heldBecause } from '../../core/hold.ts'
import { normalizeEmail } from '../../core/intake/email-address.ts'
import { hashEmail, installationId } from '../../core/tokens.ts'
import {
  isUnrecorded,
  type ResendCandidate,
  type ResendScope,
  resendCandidates,
} from '../../db/ledger/candidates.ts'
import { addGeneration } from '../../db/ledger/edition-states.ts'
import { allEditions, type Edition, findEdition, offersOfEdition } from '../../db/ledger/editions.ts'
import type { Verdict } from '../../db/ledger/verdicts.ts'
import { findByEmailHash } from '../../db/people/subscribers.ts'
import { currentHold } from '../../db/restore/epoch.ts'
import { findDatedSession } from '../../db/sessions/sessions.ts'
import { failpoint } from '../../failpoint.ts'
import { demand } from '../operators/acting.ts'
import { correctionFor } from './correction.ts'
import { offersLeft } from './offers-left.ts'

/** Whom an operator wants to email again. */
export type ResendRequest =
  | { kind: 'failed' }
  | { kind: 'unknown' }
  | { kind: 'all' }
  | { kind: 'to'; email: string }
  | { kind: 'correct'; sessionId: number }

export type ResendOutcome =
  | { kind: 'planned'; generation: number; recipients: number; excluded: Partial<Record<Exclusion, number>> }
  | { kind: 'refused'; reason: string }
  | { kind: 'not-found' }

/** `ready`: it can be planned, for so many recipients. */
export type JudgedResend =
  | { kind: 'ready'; verdicts: Verdict[]; recipients: number; again: boolean; corrects: number | null }
  | Exclude<ResendOutcome, { kind: 'planned' }>

/**
 * Plans a new generation of an edition, under idempotency keys of its own. `failed` and `unknown` show what those readers
 * have not seen since, and leave out readers to whom a later edition shows it or may have shown it. `to` and `all` repeat
 * what the edition showed; `correct` tells those who were shown one session what of it was wrong. No one who unsubscribed or
 * is suppressed gets it. Refuses what makes no sense, with the reason.
 * `after`: how many resends there were when someone decided on this one, so that a second press plans nothing.
 * Wakes the sweep, which enqueues the batches.
 */
export async function resendEdition(
  app: Pick<App, 'config' | 'store' | 'hashKey' | 'now' | 'actor'> & { queue: SweepWaker },
  id: string,
  request: ResendRequest,
  after: number | null = null,
): Promise<ResendOutcome> {
  demand(app, request.kind === 'all' ? 'editions.resend-all' : 'editions.control')
  const judged = await judgeResend(app, id, request)
  if (judged.kind !== 'ready') return judged
  const { verdicts, recipients, again, corrects } = judged
  const generation = await addGeneration(
    app.store,
    id,
    { verdicts, again, corrects, after, installation: installationId(app.hashKey), note: noteOf(request) },
    app.now(),
  )
  failpoint('after-resend')
  if (generation === null)
    return {
      kind: 'refused',
      reason: `edition ${id} is being submitted, or was sent again meanwhile; look again`,
    }
  await app.queue.wakeSweep()
  return { kind: 'planned', generation, recipients, excluded: counted(verdicts) }
}

/** Why a resend is refused, before anyone looks at whom it would reach; null if it is not. */
export async function refusalOf(
  app: Pick<App, 'store' | 'now'>,
  id: string,
  request: ResendRequest,
): Promise<string | null> {
  const edition = await findEdition(app.store, id)
  return edition && whyNot(app, edition, request)
}

/** What a resend would come to now. Writes nothing. */
export async function judgeResend(
  app: Pick<App, 'config' | 'store' | 'hashKey' | 'now'>,
  id: string,
  request: ResendRequest,
): Promise<JudgedResend> {
  const edition = await findEdition(app.store, id)
  if (edition === null) return { kind: 'not-found' }
  const refusal = await whyNot(app, edition, request)
  if (refusal) return { kind: 'refused', reason: refusal }
  const scope = await scopeOf(app, request)
  if (scope === null) return { kind: 'refused', reason: 'no subscriber has this address' }

  const again = request.kind === 'to' || request.kind === 'all'
  const corrects = request.kind === 'correct' ? request.sessionId : null
  const candidates = await resendCandidates(app.store, id, scope)
  const offers = corrects === null ? await offersLeft(app.store, edition, app.now()) : []
  const max = app.config.DIGEST_MAX_SESSIONS
  const judge = openJudge({ ...edition, offers, at: app.now(), max, resend: { again, corrects } })
  const verdicts = candidates.map((candidate) => ({
    subscriberId: candidate.id,
    seenThrough: again ? candidate.firstSeenThrough : candidate.seenThrough,
    exclusion: judge.exclude(candidate),
  }))
  const recipients = verdicts.filter(({ exclusion }) => exclusion === null).length
  if (recipients === 0) return { kind: 'refused', reason: nobodyLeft(request, verdicts, candidates) }
  return { kind: 'ready', verdicts, recipients, again, corrects }
}

async function whyNot(
  app: Pick<App, 'store' | 'now'>,
  edition: Edition,
  request: ResendRequest,
): Promise<string | null> {
  const hold = await currentHold(app.store)
  if (hold) return heldBecause(hold)
  if (edition.state === 'cancelled')
    return `edition ${edition.id} was cancelled; the next edition includes its sessions`
  if (edition.state !== 'submitted')
    return `edition ${edition.id} is ${edition.state}; wait until it is submitted, or cancel it`
  if (edition.prunedAt !== null)
    return `who was emailed edition ${edition.id} has been removed, as RETENTION_DAYS says, so nobody knows who would get it twice`
  const [newest] = await allEditions(app.store)
  if (request.kind === 'correct') return whyNotCorrect(app, edition, request.sessionId)
  if (request.kind === 'all' && newest && newest.id > edition.id)
    return `edition ${newest.id} was planned since; sending ${edition.id} to everyone again would repeat old news`
  return null
}

/** Why a session of an edition cannot be corrected, or null. */
async function whyNotCorrect(
  app: Pick<App, 'store' | 'now'>,
  edition: Edition,
  sessionId: number,
): Promise<string | null> {
  const shown = (await offersOfEdition(app.store, edition.id)).some(({ id }) => id === sessionId)
  if (!shown) return `edition ${edition.id} did not show session ${sessionId}`
  if (await isUnrecorded(app.store, edition.id))
    return `edition ${edition.id} was sent by an earlier release, which did not keep who was shown what`
  if ((await findDatedSession(app.store, sessionId)) === null)
    return `session ${sessionId} was deleted, so nothing can be said of it`
  if (
    (await correctionFor(app.store, { editionId: edition.id, sessionId, before: null }, app.now())) === null
  )
    return `session ${sessionId} is still as these readers were last told; change the session first`
  return null
}

const noteOf = (request: ResendRequest): string =>
  request.kind === 'correct' ? `correct session ${request.sessionId}` : request.kind

async function scopeOf(
  app: Pick<App, 'store' | 'hashKey'>,
  request: ResendRequest,
): Promise<ResendScope | null> {
  if (request.kind !== 'to') return request
  const address = normalizeEmail(request.email)
  const subscriber =
    'email' in address ? await findByEmailHash(app.store, hashEmail(app.hashKey, address.email)) : null
  return subscriber && { kind: 'to', subscriberId: subscriber.id }
}

function nobodyLeft(
  request: ResendRequest,
  verdicts: readonly Verdict[],
  candidates: readonly ResendCandidate[],
): string {
  const [only] = verdicts
  if (request.kind === 'to' && only?.exclusion)
    return `this reader gets no email, because ${REASONS[only.exclusion].present}`
  if (request.kind === 'correct') return 'nobody who was shown this session may be emailed now'
  if (verdicts.length === 0 && request.kind !== 'all') return `no email of this edition is ${request.kind}`
  const left = candidates.filter((_, index) => verdicts[index]?.exclusion === 'in-doubt')
  const [doubt = null] = left.map(({ inDoubtIn }) => inDoubtIn).sort()
  if (doubt !== null)
    return `edition ${doubt} may already have shown them the same news, but no certain answer has come; "openseat edition show ${doubt}" says where it stands`
  const waits = candidates.find((_, index) => verdicts[index]?.exclusion === 'superseded')?.waitsIn
  if (waits) return `edition ${waits} is planned and shows them the same news`
  return 'no one is left to email: they unsubscribed, got the news since, or none of it can still be booked'
}

function counted(verdicts: readonly Verdict[]): Partial<Record<Exclusion, number>> {
  const counts: Partial<Record<Exclusion, number>> = {}
  for (const { exclusion } of verdicts) if (exclusion) counts[exclusion] = (counts[exclusion] ?? 0) + 1
  return counts
}
