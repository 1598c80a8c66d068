import { and, eq, sql } from '../drizzle.ts'
import { batches, UNFINISHED } from '../schema/ledger.ts'
import type { Store } from '../store.ts'

/** Batches that were tried and will be again. `nextAttemptAt` in ms UTC, null = as soon as a worker is free. */
export type Retries = { batches: number; nextAttemptAt: number | null; reason: string | null }

/**
 * Batches that are not submitted before an email of another edition to some of the same readers is settled: it may have
 * been accepted, and no certain answer has come since its first attempt, `since` (ms UTC).
 */
export type Wait = {
  edition: string
  generation: number
  since: number
  batches: number
  recipients: number
}

/** What of an edition is being tried again, or null. */
export async function retriesOf(store: Store, editionId: string): Promise<Retries | null> {
  const row = await store.read
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

/** What the batches of an edition, or the one of `batchId`, wait for; the longest wait first. */
export async function waitsOf(store: Store, editionId: string, batchId?: number): Promise<Wait[]> {
  const thatBatch = batchId === undefined ? sql`` : sql`and b.id = ${batchId}`
  // Joined in this order: few emails are in doubt at a time, and an edition may have ten thousand batches.
  return store.read.all<Wait>(sql`
    select edition, generation, min(since) as since, count(*) as batches, sum(size) as recipients
    from (
      select o.edition_id as edition, o.generation, min(o.first_attempt_at) as since, b.id, b.size
      from batches o
      cross join deliveries theirs
      cross join deliveries mine
      cross join batches b
      where theirs.batch_id = o.id and theirs.state = 'waiting'
        and mine.subscriber_id = theirs.subscriber_id and mine.edition_id = ${editionId} and mine.state = 'waiting'
        and b.id = mine.batch_id and b.state = 'planned' and b.first_attempt_at is null ${thatBatch}
        and o.state in ${sql.raw(UNFINISHED)} and o.edition_id <> ${editionId} and o.first_attempt_at is not null
      group by o.id, b.id
    ) as waits
    group by edition, generation order by since`)
}
