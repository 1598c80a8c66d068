import { marksAfter, type TopicRow } from '../../core/audience/seen.ts'
import { failpoint } from '../../failpoint.ts'
import { and, eq, inArray, isNotNull, type SQL, sql } from '../drizzle.ts'
import { type Db, statement, unsynced } from '../open.ts'
import { batches, deliveries, editions, subscriberTopics, topics } from '../schema.ts'
import type { Batch } from './batches.ts'
import { topicRowsOf } from './verdicts.ts'

/** What the provider said of one delivery, and the topics that its mail covered (null = every topic). */
export type Receipt = { deliveryId: number; covered: number[] | null } & (
  | { id: string }
  | { refused: string }
)

/**
 * Records what the provider answered for a whole batch: deliveries become `submitted` or `failed`, readers of the
 * submitted ones have now seen the edition. False when the batch had ended already (a second claimer was faster, with
 * the same answer): then nothing was written.
 */
export async function recordSubmission(
  db: Db,
  batch: Batch,
  receipts: readonly Receipt[],
  now: Date,
): Promise<boolean> {
  return unsynced(db, () =>
    db.transaction(
      (tx) => {
        const open = and(
          eq(batches.id, batch.id),
          inArray(batches.state, ['planned', 'submitting', 'unknown']),
        )
        const done = {
          state: 'submitted' as const,
          submittedAt: now.getTime(),
          reason: null,
          claimedBy: null,
        }
        if (tx.update(batches).set(done).where(open).run().changes === 0) return false
        const write = statement(
          db,
          // Of someone who was erased meanwhile nothing is kept that leads to them.
          `update deliveries set state = ?, reason = iif(subscriber_id is null, null, ?),
             provider_id = iif(subscriber_id is null, null, ?), frozen = null
           where id = ? returning subscriber_id`,
        )
        const told = new Map<number, number[] | null>()
        for (const receipt of receipts) {
          const accepted = 'id' in receipt
          const values = accepted ? ['submitted', null, receipt.id] : ['failed', receipt.refused, null]
          const row = write.get(...values, receipt.deliveryId) as { subscriber_id: number | null } | undefined
          if (accepted && row?.subscriber_id) told.set(row.subscriber_id, receipt.covered)
        }
        markSeen(db, batch.editionId, told)
        failpoint('before-record')
        return true
      },
      { behavior: 'immediate' },
    ),
  )
}

/**
 * Inside a transaction: of batches that end without an answer, the deliveries whose acceptance a report of the provider
 * has already proved are `submitted`. `batchIds` selects the ids of those batches.
 */
export function settleProven(db: Db, batchIds: SQL): void {
  const proven = and(
    sql`${deliveries.batchId} in (${batchIds})`,
    eq(deliveries.state, 'waiting'),
    isNotNull(deliveries.providerId),
  )
  const rows = db.select().from(deliveries).where(proven).all()
  for (const { id, editionId, subscriberId, frozen } of rows) {
    db.update(deliveries)
      .set({
        state: 'submitted',
        reason: null,
        frozen: null,
        ...(subscriberId === null && { providerId: null }),
      })
      .where(eq(deliveries.id, id))
      .run()
    const { covered = null } = JSON.parse(frozen ?? '{}') as { covered?: number[] | null }
    if (subscriberId !== null) markSeen(db, editionId, new Map([[subscriberId, covered]]))
  }
}

/** Inside a transaction: these subscribers were told everything of the edition in the topics their mail covered. */
export function markSeen(db: Db, editionId: string, told: ReadonlyMap<number, number[] | null>): void {
  const edition = db
    .select({ throughSeq: editions.throughSeq })
    .from(editions)
    .where(eq(editions.id, editionId))
    .get()
  const throughSeq = edition?.throughSeq ?? 0
  const ids = [...told.keys()]
  const rows = topicRowsOf(db, ids)
  const topicIds = db
    .select({ id: topics.id })
    .from(topics)
    .all()
    .map(({ id }) => id)
  for (const id of ids) {
    const own = rows.get(id) ?? []
    const covered = told.get(id) ?? null
    if (own.length > 0 || covered !== null) {
      const before = seenThroughOf(db, id)
      moveTopicMarks(db, id, own, marksAfter(before, own, covered, throughSeq, topicIds).rows)
    }
  }
  statement(
    db,
    `update subscribers set seen_through = max(seen_through, ?), last_edition_id = max(coalesce(last_edition_id, ''), ?)
     where id in (select value from json_each(?))`,
  ).run(throughSeq, editionId, JSON.stringify(ids))
}

function seenThroughOf(db: Db, id: number): number {
  return Number(statement(db, 'select seen_through from subscribers where id = ?').pluck().get(id))
}

// Most readers' rows stay as they are: a chosen topic without a mark of its own follows the general one.
function moveTopicMarks(
  db: Db,
  subscriberId: number,
  before: readonly TopicRow[],
  after: readonly TopicRow[],
): void {
  const same = (row: TopicRow) =>
    before.some(
      (old) =>
        old.topicId === row.topicId && old.chosen === row.chosen && old.seenThrough === row.seenThrough,
    )
  if (before.length === after.length && after.every(same)) return
  db.delete(subscriberTopics).where(eq(subscriberTopics.subscriberId, subscriberId)).run()
  for (const row of after)
    db.insert(subscriberTopics)
      .values({ ...row, subscriberId })
      .run()
}
