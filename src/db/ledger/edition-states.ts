import { BREAKER } from '../../core/provider/breaker.ts'
import type { Offer } from '../../core/sessions/offers.ts'
import { failpoint } from '../../failpoint.ts'
import { audit } from '../audit.ts'
import { and, eq, isNotNull, isNull, lt, max, ne, notInArray, type SQL, sql } from '../drizzle.ts'
import { batches, editionSessions, editions, editionTally, UNFINISHED } from '../schema/ledger.ts'
import { subscribers } from '../schema/people.ts'
import { prepared, type Queries, type Store } from '../store.ts'
import { cancelPlanned, retryAtOnce } from './batch-states.ts'
import { firstWaveOf, passedByHand } from './first-wave.ts'
import { dropUnused } from './frozen-contents.ts'
import { closeReviewIn } from './reviews.ts'
import { insertVerdicts, type Verdict } from './verdicts.ts'

// Every transition of an edition; README.md has them in one table. Nothing else writes `editions.state`.

/** `stamp`: begin only if nothing was said or found of its review since it had this one. `byHand`: someone sends it, whatever that says. */
export type Said = { stamp?: number; byHand?: true }

/**
 * Creates the edition unless it exists, with what it offers and how far the audience reaches.
 * True when this call created it. The primary key is the guard: of two planners one wins.
 */
export async function beginEdition(
  store: Store,
  edition: { id: string; scheduledFor: Date; throughSeq: number; offers: readonly Offer[] },
  now: Date,
  { stamp, byHand }: Said = {},
): Promise<boolean> {
  return store.write(async (tx) => {
    if (!(await closeReviewIn(tx, edition.id, stamp ?? null, now))) return false
    const audienceThrough =
      (
        await tx
          .select({ id: max(subscribers.id) })
          .from(subscribers)
          .get()
      )?.id ?? 0
    const row = {
      id: edition.id,
      scheduledFor: edition.scheduledFor.getTime(),
      state: 'planning' as const,
      throughSeq: edition.throughSeq,
      audienceThrough,
      createdAt: now.getTime(),
    }
    if ((await tx.insert(editions).values(row).onConflictDoNothing().run()).changes === 0) return false
    const offers = edition.offers.map((offer) => ({
      editionId: edition.id,
      sessionId: offer.id,
      seq: offer.seq,
      snapshot: JSON.stringify(offer),
    }))
    if (offers.length > 0) await tx.insert(editionSessions).values(offers).run()
    if (byHand) await audit(tx, now, { action: 'edition sent', subject: edition.id })
    failpoint('before-begin')
    return true
  })
}

/**
 * Ends planning: the edition may be submitted, with `wave` its first batches first. False when another planner ended it.
 */
export async function finishPlanning(
  store: Store,
  editionId: string,
  { wave }: { wave: boolean },
  now: Date,
): Promise<boolean> {
  const planning = and(eq(editions.id, editionId), eq(editions.state, 'planning'))
  return store.write(async (tx) => {
    const waveBatches = wave ? await firstWaveOf(tx, editionId) : null
    const change = { state: 'submitting' as const, plannedAt: now.getTime(), waveBatches }
    return (await tx.update(editions).set(change).where(planning).run()).changes === 1
  })
}

/**
 * Adds a generation to an edition that was submitted and opens it again, all in one transaction.
 * Returns its number; null when the edition is not `submitted` (any more), or its last generation is not `after`.
 */
export async function addGeneration(
  store: Store,
  editionId: string,
  resend: {
    verdicts: readonly Verdict[]
    again: boolean
    corrects: number | null
    after?: number | null
    installation: string
    note: string
  },
  now: Date,
): Promise<number | null> {
  return store.write(async (tx) => {
    const last = await tx
      .select({ generation: max(editionTally.generation) })
      .from(editionTally)
      .where(eq(editionTally.editionId, editionId))
      .get()
    const latest = last?.generation ?? 0
    if ((resend.after ?? latest) !== latest) return null
    const open = and(eq(editions.id, editionId), eq(editions.state, 'submitted'), isNull(editions.prunedAt))
    const reopened = { state: 'submitting' as const, finishedAt: null }
    if ((await tx.update(editions).set(reopened).where(open).run()).changes === 0) return null
    const generation = latest + 1
    await insertVerdicts(tx, { editionId, generation, ...resend }, resend.verdicts)
    await audit(tx, now, { action: 'edition resent', subject: editionId, detail: resend.note })
    failpoint('before-resend')
    return generation
  })
}

/** Stops the edition before its next batch, with the reason. False when it was already paused or has ended. */
export async function pauseEdition(store: Store, id: string, reason: string, now: Date): Promise<boolean> {
  return store.write(async (tx) => {
    const pausable = and(
      eq(editions.id, id),
      isNull(editions.pausedAt),
      notInArray(editions.state, ['submitted', 'cancelled']),
    )
    const change = await tx
      .update(editions)
      .set({ pausedAt: now.getTime(), pauseReason: reason })
      .where(pausable)
      .run()
    if (change.changes === 1) await audit(tx, now, { action: 'edition paused', subject: id, detail: reason })
    return change.changes === 1
  })
}

/**
 * Resumes a paused edition. If the circuit breaker paused it, the breaker is off from then on, and the rest does not wait for
 * the first wave any more. False when it was not paused.
 */
export async function resumeEdition(store: Store, id: string, now: Date): Promise<boolean> {
  return store.write(async (tx) => {
    const paused = and(eq(editions.id, id), isNotNull(editions.pausedAt), ne(editions.state, 'cancelled'))
    const breakerOff = sql`case when ${editions.breakerOff} = 1 or ${editions.pauseReason} like ${`${BREAKER}%`} then 1 else 0 end`
    const byBreaker = sql`${editions.pauseReason} like ${`${BREAKER}%`}`
    const wavePassedAt = sql`case when ${byBreaker} then ${passedByHand(now)} else ${editions.wavePassedAt} end`
    const change = { pausedAt: null, pauseReason: null, breakerOff, wavePassedAt }
    if ((await tx.update(editions).set(change).where(paused).run()).changes === 0) return false
    await retryAtOnce(tx, id) // the operator has just fixed the cause
    await audit(tx, now, { action: 'edition resumed', subject: id })
    return true
  })
}

/**
 * Ends the edition: what was never attempted is excluded as `cancelled`, what may have been accepted becomes
 * `unknown`, and a batch at the provider this moment is still recorded. False when it had ended already.
 */
export async function cancelEdition(store: Store, id: string, now: Date): Promise<boolean> {
  return store.write(async (tx) => {
    const open = and(eq(editions.id, id), notInArray(editions.state, ['submitted', 'cancelled']))
    if ((await cancel(tx, open, { pausedAt: null, finishedAt: now.getTime() })).length === 0) return false
    await cancelPlanned(tx, eq(batches.editionId, id), 'cancelled')
    await audit(tx, now, { action: 'edition cancelled', subject: id })
    return true
  })
}

/** Marks the edition `submitted` when nothing of it is left to do, and drops what only its batches needed. */
export async function finishEdition(store: Store, id: string, now: Date): Promise<boolean> {
  if ((await finishable(store.read).get({ id })) === undefined) return false // without a transaction, as each batch asks
  const finished = await store.write(async (tx) => {
    const done = and(eq(editions.id, id), IS_FINISHABLE)
    const change = {
      state: 'submitted' as const,
      finishedAt: now.getTime(),
      pausedAt: null,
      pauseReason: null,
    }
    if ((await tx.update(editions).set(change).where(done).run()).changes === 0) return false
    await dropUnused(tx, 'offers')
    failpoint('before-finish')
    return true
  })
  if (finished) failpoint('after-finish')
  return finished
}

const IS_FINISHABLE = and(
  eq(editions.state, 'submitting'),
  sql`not exists (select 1 from batches b where b.edition_id = ${editions.id} and b.state in ${sql.raw(UNFINISHED)})`,
)

const finishable = prepared((read) =>
  read
    .select({ id: editions.id })
    .from(editions)
    .where(and(eq(editions.id, sql.placeholder('id')), IS_FINISHABLE))
    .prepare(),
)

/**
 * Ends what was never attempted of every edition before `editionId`: its news goes out with the new one instead. What is
 * in doubt stays, to be settled under its key: the new edition waits for that, reader by reader.
 */
export async function supersedeBefore(store: Store, editionId: string): Promise<void> {
  await store.write(async (tx) => {
    await cancelPlanned(
      tx,
      and(lt(batches.editionId, editionId), isNull(batches.firstAttemptAt)),
      'superseded',
    )
    const halfPlanned = and(lt(editions.id, editionId), eq(editions.state, 'planning'))
    await cancel(tx, halfPlanned, { pauseReason: `superseded by ${editionId}` })
  })
}

/** Inside a transaction: ends the editions whose audience is not wholly planned, and returns their ids. */
export async function cancelHalfPlanned(tx: Queries, reason: string, now: Date): Promise<string[]> {
  const halfPlanned = eq(editions.state, 'planning')
  return await cancel(tx, halfPlanned, { pausedAt: null, pauseReason: reason, finishedAt: now.getTime() })
}

/** Inside a transaction: records a slot whose edition must not go out, unless it has an edition. */
export async function recordCancelled(
  tx: Queries,
  slot: { editionId: string; at: Date },
  reason: string,
  now: Date,
): Promise<void> {
  const row = {
    id: slot.editionId,
    scheduledFor: slot.at.getTime(),
    state: 'cancelled' as const,
    throughSeq: 0,
    audienceThrough: 0,
    pauseReason: reason,
    createdAt: now.getTime(),
    finishedAt: now.getTime(),
  }
  await tx.insert(editions).values(row).onConflictDoNothing().run()
}

type Cancellation = { pausedAt?: null; pauseReason?: string; finishedAt?: number }

async function cancel(tx: Queries, which: SQL | undefined, change: Cancellation): Promise<string[]> {
  const cancelled = tx
    .update(editions)
    .set({ pauseReason: null, ...change, state: 'cancelled' })
    .where(which)
    .returning({ id: editions.id })
  return (await cancelled.all()).map(({ id }) => id)
}
