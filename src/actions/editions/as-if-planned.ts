import { setImmediate } from 'node:timers/promises'
import type { App } from '../../app.ts'
import type { Exclusion } from '../../core/audience/exclusion.ts'
import { type Judge, openJudge } from '../../core/audience/judge.ts'
import { type Offer, offersAt, type Selection } from '../../core/sessions/offers.ts'
import type { Slot } from '../../core/time/calendar.ts'
import { candidatesAfter } from '../../db/ledger/candidates.ts'
import type { Edition } from '../../db/ledger/editions.ts'
import { openSessions, type Program } from '../../db/sessions/sessions.ts'
import { settleSeats } from '../sessions/seats.ts'

/** An edition that is not in the ledger: everyone is its audience. */
export type PreviewedEdition = Pick<Edition, 'id' | 'throughSeq' | 'audienceThrough'>

/** An edition as it would be if it were planned now. `at`: its slot, or now if that is later. */
export type AsIfPlanned = {
  edition: PreviewedEdition
  program: Program
  offers: Offer[]
  at: Date
  judge: Judge
}

type Needs = Pick<App, 'store' | 'config' | 'now'>

const CHUNK = 2_000

/** What the edition of a slot would offer, and the judge of who would get it. Writes nothing. */
export async function asIfPlanned(app: Needs, slot: Slot): Promise<AsIfPlanned> {
  await settleSeats(app)
  const at = new Date(Math.max(slot.at.getTime(), app.now().getTime()))
  const program = await openSessions(app.store, at)
  const offers = offersAt(program.sessions, at)
  const { throughSeq } = program
  const edition = { id: slot.editionId, throughSeq, audienceThrough: Number.MAX_SAFE_INTEGER }
  const judge = openJudge({ ...edition, offers, at, max: app.config.DIGEST_MAX_SESSIONS, resend: null })
  return { edition, program, offers, at, judge }
}

/** Counts whom the edition would reach, and finds what most of them would be shown. Reads every subscriber. */
export async function judgeEveryone(app: Pick<App, 'store'>, edition: PreviewedEdition, judge: Judge) {
  // The judge returns the same object for readers who see the same.
  const kinds = new Map<Selection, number>()
  const counts = await countEveryone(app, edition, (candidate) => {
    const judgment = judge.select(candidate, candidate.id)
    if (judgment.exclusion === null) kinds.set(judgment.selection, (kinds.get(judgment.selection) ?? 0) + 1)
    return judgment.exclusion
  })
  const [commonest = null] = [...kinds].sort(([, a], [, b]) => b - a).map(([selection]) => selection)
  return { ...counts, commonest }
}

/** Counts whom the edition would reach. Reads every subscriber, a chunk at a time. */
export async function countEveryone(
  { store }: Pick<App, 'store'>,
  edition: PreviewedEdition,
  exclude: Judge['exclude'],
) {
  const excluded: Partial<Record<Exclusion, number>> = {}
  let [candidates, recipients] = [0, 0]
  for (let after = 0; ; ) {
    const chunk = await candidatesAfter(store, edition, after, CHUNK)
    for (const candidate of chunk) {
      const exclusion = exclude(candidate)
      if (exclusion === null) recipients += 1
      else excluded[exclusion] = (excluded[exclusion] ?? 0) + 1
    }
    candidates += chunk.length
    const last = chunk.at(-1)
    if (!last) break
    after = last.id
    await setImmediate()
  }
  return { candidates, recipients, excluded }
}
