import { BREAKER } from '../../core/provider/breaker.ts'
import type { Offer } from '../../core/sessions/offers.ts'
import { failpoint } from '../../failpoint.ts'
import { audit } from '../audit.ts'
import { and, eq, isNotNull, isNull, lt, max, ne, notInArray, type SQL, sql } from '../drizzle.ts'
import type { Db } from '../open.ts'
import { batches, editionSessions, editions, editionTally, UNFINISHED } from '../schema/ledger.ts'
import { subscribers } from '../schema/people.ts'
import { cancelPlanned, retryAtOnce } from './batch-states.ts'
import { dropUnused } from './frozen-contents.ts'
import { insertVerdicts, type Verdict } from './verdicts.ts'

// Every transition of an edition; README.md has them in one table. Nothing else writes `editions.state`.

/**
 * Creates the edition unless it exists, with what it offers and how far the audience reaches.
 * True when this call created it. The primary key is the guard: of two planners one wins.
 */
export async function beginEdition(
  db: Db,
  edition: { id: string; scheduledFor: Date; throughSeq: number; offers: readonly Offer[] },
  now: Date,
): Promise<boolean> {
  return db.transaction(
    (tx) => {
      const audienceThrough =
        tx
          .select({ id: max(subscribers.id) })
          .from(subscribers)
          .get()?.id ?? 0
      const row = {
        id: edition.id,
        scheduledFor: edition.scheduledFor.getTime(),
        state: 'planning' as const,
        throughSeq: edition.throughSeq,
        audienceThrough,
        createdAt: now.getTime(),
      }
      if (tx.insert(editions).values(row).onConflictDoNothing().run().changes === 0) return false
      for (const offer of edition.offers)
        tx.insert(editionSessions)
          .values({
            editionId: edition.id,
            sessionId: offer.id,
            seq: offer.seq,
            snapshot: JSON.stringify(offer),
          })
          .run()
      failpoint('before-begin')
      return true
    },
    { behavior: 'immediate' },
  )
}

/** Ends planning: the edition may be submitted. False when another planner ended it. */
export async function finishPlanning(db: Db, editionId: string, now: Date): Promise<boolean> {
  const planning = and(eq(editions.id, editionId), eq(editions.state, 'planning'))
  return (
    db.update(editions).set({ state: 'submitting', plannedAt: now.getTime() }).where(planning).run()
      .changes === 1
  )
}

/**
 * Adds a generation to an edition that was submitted and opens it again, all in one transaction.
 * Returns its number; null when the edition is not `submitted` (any more).
 */
export async function addGeneration(
  db: Db,
  editionId: string,
  resend: { verdicts: readonly Verdict[]; again: boolean; note: string },
  now: Date,
): Promise<number | null> {
  return db.transaction(
    (tx) => {
      const open = and(eq(editions.id, editionId), eq(editions.state, 'submitted'), isNull(editions.prunedAt))
      const reopened = { state: 'submitting' as const, finishedAt: null }
      if (tx.update(editions).set(reopened).where(open).run().changes === 0) return null
      const latest = tx
        .select({ generation: max(editionTally.generation) })
        .from(editionTally)
        .where(eq(editionTally.editionId, editionId))
        .get()
      const generation = (latest?.generation ?? 0) + 1
      insertVerdicts(db, editionId, generation, resend.verdicts, resend.again)
      audit(tx, now, { action: 'edition resent', subject: editionId, detail: resend.note })
      failpoint('before-resend')
      return generation
    },
    { behavior: 'immediate' },
  )
}

/** Stops the edition before its next batch, with the reason. False when it was already paused or has ended. */
export async function pauseEdition(db: Db, id: string, reason: string, now: Date): Promise<boolean> {
  return db.transaction(
    (tx) => {
      const pausable = and(
        eq(editions.id, id),
        isNull(editions.pausedAt),
        notInArray(editions.state, ['submitted', 'cancelled']),
      )
      const change = tx
        .update(editions)
        .set({ pausedAt: now.getTime(), pauseReason: reason })
        .where(pausable)
        .run()
      if (change.changes === 1) audit(tx, now, { action: 'edition paused', subject: id, detail: reason })
      return change.changes === 1
    },
    { behavior: 'immediate' },
  )
}

/** Lets a paused edition go on; after a pause by the circuit breaker, without it from then on. False when it was not paused. */
export async function resumeEdition(db: Db, id: string, now: Date): Promise<boolean> {
  return db.transaction(
    (tx) => {
      const paused = and(eq(editions.id, id), isNotNull(editions.pausedAt), ne(editions.state, 'cancelled'))
      const breakerOff = sql`${editions.breakerOff} or ${editions.pauseReason} like ${`${BREAKER}%`}`
      const change = { pausedAt: null, pauseReason: null, breakerOff }
      if (tx.update(editions).set(change).where(paused).run().changes === 0) return false
      retryAtOnce(tx, id) // the operator has just fixed the cause
      audit(tx, now, { action: 'edition resumed', subject: id })
      return true
    },
    { behavior: 'immediate' },
  )
}

/**
 * Ends the edition: what was never attempted is excluded as `cancelled`, what may have been accepted becomes
 * `unknown`, and a batch at the provider this moment is still recorded. False when it had ended already.
 */
export async function cancelEdition(db: Db, id: string, now: Date): Promise<boolean> {
  return db.transaction(
    (tx) => {
      const open = and(eq(editions.id, id), notInArray(editions.state, ['submitted', 'cancelled']))
      if (cancel(tx, open, { pausedAt: null, finishedAt: now.getTime() }).length === 0) return false
      cancelPlanned(db, eq(batches.editionId, id), 'cancelled')
      audit(tx, now, { action: 'edition cancelled', subject: id })
      return true
    },
    { behavior: 'immediate' },
  )
}

/** Marks the edition `submitted` when nothing of it is left to do, and drops what only its batches needed. */
export async function finishEdition(db: Db, id: string, now: Date): Promise<boolean> {
  const finished = db.transaction(
    (tx) => {
      const left = sql`exists (select 1 from batches where edition_id = ${id} and state in ${sql.raw(UNFINISHED)})`
      const done = and(eq(editions.id, id), eq(editions.state, 'submitting'), sql`not ${left}`)
      const change = {
        state: 'submitted' as const,
        finishedAt: now.getTime(),
        pausedAt: null,
        pauseReason: null,
      }
      if (tx.update(editions).set(change).where(done).run().changes === 0) return false
      dropUnused(tx, 'offers')
      failpoint('before-finish')
      return true
    },
    { behavior: 'immediate' },
  )
  if (finished) failpoint('after-finish')
  return finished
}

/**
 * Ends what was never attempted of every edition before `editionId`: its news goes out with the new one instead. What is
 * in doubt stays, to be settled under its key: the new edition waits for that, reader by reader.
 */
export async function supersedeBefore(db: Db, editionId: string): Promise<void> {
  db.transaction(
    (tx) => {
      cancelPlanned(db, and(lt(batches.editionId, editionId), isNull(batches.firstAttemptAt)), 'superseded')
      const halfPlanned = and(lt(editions.id, editionId), eq(editions.state, 'planning'))
      cancel(tx, halfPlanned, { pauseReason: `superseded by ${editionId}` })
    },
    { behavior: 'immediate' },
  )
}

/** Inside a transaction: ends the editions whose audience is not wholly planned, and returns their ids. */
export function cancelHalfPlanned(tx: Writer, reason: string, now: Date): string[] {
  const halfPlanned = eq(editions.state, 'planning')
  return cancel(tx, halfPlanned, { pausedAt: null, pauseReason: reason, finishedAt: now.getTime() })
}

/** Inside a transaction: records a slot whose edition must not go out, unless it has an edition. */
export function recordCancelled(
  tx: Writer,
  slot: { editionId: string; at: Date },
  reason: string,
  now: Date,
): void {
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
  tx.insert(editions).values(row).onConflictDoNothing().run()
}

type Writer = Pick<Db, 'insert' | 'update'>
type Cancellation = { pausedAt?: null; pauseReason?: string; finishedAt?: number }

function cancel(tx: Writer, which: SQL | undefined, change: Cancellation): string[] {
  const cancelled = tx
    .update(editions)
    .set({ pauseReason: null, ...change, state: 'cancelled' })
    .where(which)
    .returning({ id: editions.id })
  return cancelled.all().map(({ id }) => id)
}
