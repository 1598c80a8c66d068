import { marksAfter, type TopicRow } from '../../core/audience/seen.ts'
import { eq } from '../drizzle.ts'
import { type Db, statement } from '../open.ts'
import { editions } from '../schema/ledger.ts'
import { subscriberTopics } from '../schema/people.ts'
import { topics } from '../schema/sessions.ts'
import { topicRowsOf } from './topic-rows.ts'

/**
 * Inside a transaction: these subscribers were shown everything of the edition in the topics that their email covered
 * (null = every topic), so their marks move up to it.
 */
export function markSeen(db: Db, editionId: string, covered: ReadonlyMap<number, number[] | null>): void {
  const edition = db
    .select({ throughSeq: editions.throughSeq })
    .from(editions)
    .where(eq(editions.id, editionId))
    .get()
  const throughSeq = edition?.throughSeq ?? 0
  const ids = [...covered.keys()]
  const rows = topicRowsOf(db, ids)
  const topicIds = allTopicIds(db)
  for (const id of ids) {
    const own = rows.get(id) ?? []
    const topicsOfEmail = covered.get(id) ?? null
    if (own.length > 0 || topicsOfEmail !== null) {
      const before = seenThroughOf(db, id)
      moveTopicMarks(db, id, own, marksAfter(before, own, topicsOfEmail, throughSeq, topicIds).rows)
    }
  }
  statement(
    db,
    `update subscribers set seen_through = max(seen_through, ?), last_edition_id = max(coalesce(last_edition_id, ''), ?)
     where id in (select value from json_each(?))`,
  ).run(throughSeq, editionId, JSON.stringify(ids))
}

/**
 * The topics that an email surely covered whose outcome was unknown for a while, as what it covered was forgotten then. A
 * topic with a mark of its own may have been chosen since: rather shown once more than never.
 */
export function surelyCovered(db: Db, subscriberId: number): number[] | null {
  const rows = topicRowsOf(db, [subscriberId]).get(subscriberId)
  if (rows === undefined) return null
  const ofOwnMark = new Set(rows.filter((row) => row.seenThrough !== null).map((row) => row.topicId))
  const chosen = rows.filter((row) => row.chosen).map((row) => row.topicId)
  return (chosen.length > 0 ? chosen : allTopicIds(db)).filter((id) => !ofOwnMark.has(id))
}

function allTopicIds(db: Db): number[] {
  return db
    .select({ id: topics.id })
    .from(topics)
    .all()
    .map(({ id }) => id)
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
