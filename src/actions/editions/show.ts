import type { Installation } from '../../app.ts'
import { heldBecause } from '../../core/hold.ts'
import type { Flag } from '../../core/review/flags.ts'
import {
  allEditions,
  batchCounts,
  type Edition,
  findEdition,
  latestGeneration,
  someEditions,
  type Tally,
  tallyOf,
} from '../../db/ledger/editions.ts'
import { type FirstWave, firstWave } from '../../db/ledger/first-wave.ts'
import { findReview } from '../../db/ledger/reviews.ts'
import { type Retries, retriesOf, type Wait, waitsOf } from '../../db/ledger/waits.ts'
import { currentHold } from '../../db/restore/epoch.ts'
import type { Store } from '../../db/store.ts'
import { demand } from '../operators/acting.ts'

/**
 * The state of an edition. The counts at the top include its resends; `edition` has those of the edition itself, and `resends`
 * those of each resend. `generations` is the same in one list, if there was a resend. `held`: why nothing goes out, while the installation is held. `waitsFor`: emails of other editions that must be settled first. Instants are
 * ISO, UTC.
 */
export type Summary = {
  id: string
  state: Edition['state']
  scheduledFor: string
  pauseReason: string | null
  throughSeq: number
} & Tally & {
    batches: number
    batchStates: Record<string, number>
    retrying: (Omit<Retries, 'nextAttemptAt'> & { nextAttemptAt: string | null }) | null
    held?: string
    waitsFor?: (Omit<Wait, 'since'> & { since: string })[]
    /** When the record of who was emailed was removed (RETENTION_DAYS); batches are then no longer counted. */
    prunedAt?: string
    /** The recipients who went first; the rest waits for what is reported of them. Instants are ISO, UTC. */
    firstWave?: Omit<FirstWave, 'passedAt' | 'until'> & { passedAt: string | null; until: string | null }
    /** What its review found, and what operators said of it. */
    review?: ReviewSummary
    generations?: Generation[]
    edition: Tally
    resends: Generation[]
  }

/** Instants are ISO, UTC. `reviewedAt` null: it was not reviewed, but someone held or approved it. */
export type ReviewSummary = { reviewedAt: string | null; flags: readonly Flag[]; approvedAt: string | null }

type Generation = Tally & { generation: number }

/** The state of the edition, or null if there is none. Costs the same for any number of readers. */
export async function summaryOf(app: Pick<Installation, 'store'>, id: string): Promise<Summary | null> {
  const edition = await findEdition(app.store, id)
  return edition && summarise(app, edition)
}

/** The state of some editions, newest first, and whether there are more after them. */
export async function recentSummaries(
  app: Pick<Installation, 'store' | 'actor' | 'now'>,
  { skip, most }: { skip: number; most: number },
): Promise<{ editions: Summary[]; more: boolean }> {
  demand(app, 'editions.see')
  const found = await someEditions(app.store, { skip, most: most + 1 })
  const editions = await Promise.all(found.slice(0, most).map((edition) => summarise(app, edition)))
  return { editions, more: found.length > most }
}

/** The state of every edition, newest first. */
export async function summaries(app: Pick<Installation, 'store'>): Promise<Summary[]> {
  return Promise.all((await allEditions(app.store)).map((edition) => summarise(app, edition)))
}

/** Why nothing goes out of this installation, for the end of a sentence; null if it is not held. */
export async function whyHeld({ store }: Pick<Installation, 'store'>): Promise<string | null> {
  const hold = await currentHold(store)
  return hold && heldBecause(hold)
}

async function reviewIn(store: Store, id: string): Promise<{ review?: ReviewSummary }> {
  const review = await findReview(store, id)
  if (review === null) return {}
  const { reviewedAt, flags, approvedAt } = review
  return { review: { reviewedAt: iso(reviewedAt), flags, approvedAt: iso(approvedAt) } }
}

async function firstWaveIn(store: Store, id: string): Promise<Pick<Summary, 'firstWave'>> {
  const wave = await firstWave(store, id)
  return wave ? { firstWave: { ...wave, passedAt: iso(wave.passedAt), until: iso(wave.until) } } : {}
}

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())

async function summarise({ store }: Pick<Installation, 'store'>, edition: Edition): Promise<Summary> {
  const { id, state, scheduledFor, pauseReason, throughSeq } = edition
  const batchStates = await batchCounts(store, id)
  const newest = await latestGeneration(store, id)
  const numbers = Array.from({ length: newest + 1 }, (_, generation) => generation)
  const total = await tallyOf(store, id)
  const generations =
    newest === 0
      ? [{ generation: 0, ...total }]
      : await Promise.all(
          numbers.map(async (generation) => ({ generation, ...(await tallyOf(store, id, generation)) })),
        )
  const [{ generation: _, ...itself } = { generation: 0, ...total }, ...resends] = generations
  const retries = await retriesOf(store, id)
  const held = await whyHeld({ store })
  const waitsFor = (await waitsOf(store, id)).map((wait) => ({
    ...wait,
    since: new Date(wait.since).toISOString(),
  }))
  return {
    ...{ id, state, scheduledFor: new Date(scheduledFor).toISOString(), pauseReason, throughSeq },
    ...total,
    batches: Object.values(batchStates).reduce((sum, count) => sum + count, 0),
    batchStates,
    retrying: retries && {
      ...retries,
      nextAttemptAt: retries.nextAttemptAt === null ? null : new Date(retries.nextAttemptAt).toISOString(),
    },
    ...(held !== null && { held }),
    ...(waitsFor.length > 0 && { waitsFor }),
    ...(edition.prunedAt !== null && { prunedAt: new Date(edition.prunedAt).toISOString() }),
    ...(await firstWaveIn(store, id)),
    ...(await reviewIn(store, id)),
    ...(newest > 0 && { generations }),
    ...{ edition: itself, resends },
  }
}
