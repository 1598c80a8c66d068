import type { Exclusion } from '../../core/audience/exclusion.ts'
import { BREAKER } from '../../core/provider/breaker.ts'
import type { Offer } from '../../core/sessions/offers.ts'
import { failpoint } from '../../failpoint.ts'
import { and, desc, eq, isNull, max, ne, notInArray, sql } from '../drizzle.ts'
import type { Db } from '../open.ts'
import {
  auditLog,
  batches,
  editionSessions,
  editions,
  editionTally,
  subscribers,
  templates,
} from '../schema.ts'
import { cancelBatches } from './batch-states.ts'

/** One weekly issue as it stands in the ledger; `paused` covers planning and submitting alike. Instants are ms UTC. */
export type Edition = Omit<typeof editions.$inferSelect, 'state'> & {
  state: 'planning' | 'submitting' | 'submitted' | 'paused' | 'cancelled'
}

/** Where the deliveries of an edition stand. `candidates` is the sum of all the others, always. */
export type Tally = {
  candidates: number
  submitted: number
  excluded: Partial<Record<Exclusion, number>>
  failed: number
  unknown: number
  waiting: number
}

/**
 * Creates the edition unless it exists, with what it will tell of and how far the audience reaches.
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

/** The edition, or null. */
export async function findEdition(db: Db, id: string): Promise<Edition | null> {
  const row = db.select().from(editions).where(eq(editions.id, id)).get()
  return row ? asSeen(row) : null
}

/** All editions, newest first. */
export async function allEditions(db: Db): Promise<Edition[]> {
  return db.select().from(editions).orderBy(desc(editions.id)).all().map(asSeen)
}

/** Editions that were begun and whose audience is not wholly planned, oldest first; a paused one is left alone. */
export async function halfPlannedEditions(db: Db): Promise<Edition[]> {
  const rows = db
    .select()
    .from(editions)
    .where(and(eq(editions.state, 'planning'), isNull(editions.pausedAt)))
    .orderBy(editions.id)
  return rows.all().map(asSeen)
}

/** Editions that are being submitted, paused ones too. */
export async function unfinishedEditions(db: Db): Promise<Edition[]> {
  return db
    .select()
    .from(editions)
    .where(eq(editions.state, 'submitting'))
    .orderBy(editions.id)
    .all()
    .map(asSeen)
}

/** What the edition was planned to tell of. */
export async function offersOfEdition(db: Db, id: string): Promise<Offer[]> {
  const rows = db
    .select({ snapshot: editionSessions.snapshot })
    .from(editionSessions)
    .where(eq(editionSessions.editionId, id))
    .all()
  return rows.map((row) => JSON.parse(row.snapshot) as Offer)
}

/** The sum of an edition over all generations, or of one; kept by triggers, so it costs the same at any size. */
export async function tallyOf(db: Db, id: string, generation?: number): Promise<Tally> {
  const rows = db
    .select({
      state: editionTally.state,
      reason: editionTally.reason,
      count: sql<number>`sum(${editionTally.count})`,
    })
    .from(editionTally)
    .where(
      and(
        eq(editionTally.editionId, id),
        generation === undefined ? undefined : eq(editionTally.generation, generation),
      ),
    )
    .groupBy(editionTally.state, editionTally.reason)
    .all()
  const tally: Tally = { candidates: 0, submitted: 0, excluded: {}, failed: 0, unknown: 0, waiting: 0 }
  for (const { state, reason, count } of rows) {
    if (count === 0) continue
    tally.candidates += count
    if (state === 'excluded') tally.excluded[reason as Exclusion] = count
    else tally[state] += count
  }
  return tally
}

/** How many batches an edition has in each state. */
export async function batchCounts(db: Db, id: string): Promise<Record<string, number>> {
  const rows = db
    .select({ state: batches.state, count: sql<number>`count(*)` })
    .from(batches)
    .where(eq(batches.editionId, id))
    .groupBy(batches.state)
    .all()
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]))
}

/** The newest generation of an edition; 0 when there was no resend. */
export async function latestGeneration(db: Db, id: string): Promise<number> {
  const row = db
    .select({ value: max(editionTally.generation) })
    .from(editionTally)
    .where(eq(editionTally.editionId, id))
    .get()
  return row?.value ?? 0
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
      if (change.changes === 1) audit(tx, now, 'edition paused', id, reason)
      return change.changes === 1
    },
    { behavior: 'immediate' },
  )
}

/** Lets a paused edition go on; after a pause by the circuit breaker, without it from then on. False when it was not paused. */
export async function resumeEdition(db: Db, id: string, now: Date): Promise<boolean> {
  return db.transaction(
    (tx) => {
      const paused = and(
        eq(editions.id, id),
        sql`${editions.pausedAt} is not null`,
        ne(editions.state, 'cancelled'),
      )
      const breakerOff = sql`${editions.breakerOff} or ${editions.pauseReason} like ${`${BREAKER}%`}`
      const change = { pausedAt: null, pauseReason: null, breakerOff }
      if (tx.update(editions).set(change).where(paused).run().changes === 0) return false
      // What waited for its next attempt may go at once: the operator has just mended the cause.
      tx.update(batches)
        .set({ nextAttemptAt: null })
        .where(and(eq(batches.editionId, id), eq(batches.state, 'planned')))
        .run()
      audit(tx, now, 'edition resumed', id)
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
      const ended = {
        state: 'cancelled' as const,
        pausedAt: null,
        pauseReason: null,
        finishedAt: now.getTime(),
      }
      if (tx.update(editions).set(ended).where(open).run().changes === 0) return false
      cancelBatches(db, eq(batches.editionId, id), 'cancelled')
      audit(tx, now, 'edition cancelled', id)
      return true
    },
    { behavior: 'immediate' },
  )
}

/** Marks the edition `submitted` when nothing of it is left to do, and drops what only its batches needed. */
export async function finishEdition(db: Db, id: string, now: Date): Promise<boolean> {
  const finished = db.transaction(
    (tx) => {
      const left = sql`exists (select 1 from batches where edition_id = ${id} and state in ('planned','submitting'))`
      const done = and(eq(editions.id, id), eq(editions.state, 'submitting'), sql`not ${left}`)
      const change = {
        state: 'submitted' as const,
        finishedAt: now.getTime(),
        pausedAt: null,
        pauseReason: null,
      }
      if (tx.update(editions).set(change).where(done).run().changes === 0) return false
      const inUse = sql`${templates.hash} in (select offers_hash from batches where state in ('planned','submitting') and offers_hash is not null)`
      tx.delete(templates)
        .where(and(eq(templates.kind, 'offers'), sql`not (${inUse})`))
        .run()
      failpoint('before-finish')
      return true
    },
    { behavior: 'immediate' },
  )
  if (finished) failpoint('after-finish')
  return finished
}

/** Notes what an operator did. `subject` is an edition id or a subscriber's public id, never an address. */
export function audit(
  db: Pick<Db, 'insert'>,
  at: Date,
  action: string,
  subject: string,
  detail?: string,
): void {
  db.insert(auditLog)
    .values({ at: at.getTime(), action, subject, detail: detail ?? null })
    .run()
}

function asSeen(row: typeof editions.$inferSelect): Edition {
  const ended = row.state === 'submitted' || row.state === 'cancelled'
  return { ...row, state: row.pausedAt !== null && !ended ? 'paused' : row.state }
}
