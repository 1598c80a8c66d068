import type { Batch } from './batches.ts'
import { and, asc, eq, sql } from './drizzle.ts'
import type { Db } from './open.ts'
import { batches, deliveries } from './schema.ts'

/** One delivery to a subscriber with the batch it went into; null = none, as they were excluded. */
export type PastDelivery = {
  generation: number
  state: 'waiting' | 'submitted' | 'excluded' | 'failed' | 'unknown'
  reason: string | null
  providerId: string | null
  /** What the provider reported since, and when. */
  report: 'sent' | 'delayed' | 'delivered' | 'bounced' | 'complained' | 'suppressed' | 'failed' | null
  reportedAt: number | null
  batch: Pick<Batch, 'number' | 'state' | 'attempts' | 'nextAttemptAt' | 'reason' | 'submittedAt'> | null
}

/** Batches that were tried and will be again. `nextAttemptAt` in ms UTC, null = as soon as a worker is free. */
export type Retries = { batches: number; nextAttemptAt: number | null; reason: string | null }

/** What the ledger holds of a subscriber in an edition, the edition itself first and then its resends. */
export async function deliveriesTo(db: Db, subscriberId: number, editionId: string): Promise<PastDelivery[]> {
  const { number, state, attempts, nextAttemptAt, reason, submittedAt } = batches
  return db
    .select({
      generation: deliveries.generation,
      state: deliveries.state,
      reason: deliveries.reason,
      providerId: deliveries.providerId,
      report: deliveries.report,
      reportedAt: deliveries.reportedAt,
      batch: { number, state, attempts, nextAttemptAt, reason, submittedAt },
    })
    .from(deliveries)
    .leftJoin(batches, eq(batches.id, deliveries.batchId))
    .where(and(eq(deliveries.subscriberId, subscriberId), eq(deliveries.editionId, editionId)))
    .orderBy(asc(deliveries.generation))
    .all()
}

/** What of an edition is being tried again, or null. */
export async function retriesOf(db: Db, editionId: string): Promise<Retries | null> {
  const row = db
    .select({
      batches: sql<number>`count(*)`,
      nextAttemptAt: sql<number | null>`min(${batches.nextAttemptAt})`,
      reason: sql<string | null>`max(${batches.reason})`,
    })
    .from(batches)
    .where(
      and(eq(batches.editionId, editionId), eq(batches.state, 'planned'), sql`${batches.reason} is not null`),
    )
    .get()
  return row && row.batches > 0 ? row : null
}
