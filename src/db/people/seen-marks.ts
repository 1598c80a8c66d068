import { marksAfter, type TopicRow } from '../../core/audience/seen.ts'
import { eq, sql } from '../drizzle.ts'
import { idsIn, larger } from '../fragments.ts'
import { editions } from '../schema/ledger.ts'
import { subscribers } from '../schema/people.ts'
import { topics } from '../schema/sessions.ts'
import type { Queries } from '../store.ts'
import { replaceTopicRows, topicRowsOf } from './topic-rows.ts'

/**
 * Inside a transaction: these subscribers were shown everything of the edition in the topics that their email covered
 * (null = every topic), so their marks move up to it.
 */
export async function markSeen(
  tx: Queries,
  editionId: string,
  covered: ReadonlyMap<number, number[] | null>,
): Promise<void> {
  const edition = await tx
    .select({ throughSeq: editions.throughSeq })
    .from(editions)
    .where(eq(editions.id, editionId))
    .get()
  const throughSeq = edition?.throughSeq ?? 0
  const these = sql`${subscribers.id} in ${idsIn(tx, [...covered.keys()])}`
  await moveTopicMarks(tx, covered, throughSeq)
  await tx
    .update(subscribers)
    .set({
      seenThrough: larger(subscribers.seenThrough, throughSeq),
      lastEditionId: larger(sql`coalesce(${subscribers.lastEditionId}, '')`, editionId),
    })
    .where(these)
    .run()
}

// Most readers' rows stay as they are: a chosen topic without a mark of its own follows the general one.
async function moveTopicMarks(
  tx: Queries,
  covered: ReadonlyMap<number, number[] | null>,
  throughSeq: number,
): Promise<void> {
  const ids = [...covered.keys()]
  const rows = await topicRowsOf(tx, ids)
  const withOwn = ids.filter((id) => rows.has(id) || covered.get(id) !== null)
  if (withOwn.length === 0) return
  const topicIds = await allTopicIds(tx)
  const { id, seenThrough } = subscribers
  const general = await tx
    .select({ id, seenThrough })
    .from(subscribers)
    .where(sql`${id} in ${idsIn(tx, withOwn)}`)
    .all()
  const changed = general.flatMap((reader) => {
    const own = rows.get(reader.id) ?? []
    const after = marksAfter(
      reader.seenThrough,
      own,
      covered.get(reader.id) ?? null,
      throughSeq,
      topicIds,
    ).rows
    return sameRows(own, after) ? [] : [{ id: reader.id, after }]
  })
  await replaceTopicRows(tx, changed)
}

function sameRows(before: readonly TopicRow[], after: readonly TopicRow[]): boolean {
  const isThere = (row: TopicRow) =>
    before.some(
      (old) =>
        old.topicId === row.topicId && old.chosen === row.chosen && old.seenThrough === row.seenThrough,
    )
  return before.length === after.length && after.every(isThere)
}

/**
 * The topics that an email surely covered whose outcome was unknown for a while, as what it covered was forgotten then. A
 * topic with a mark of its own may have been chosen since: rather shown once more than never.
 */
export async function surelyCovered(tx: Queries, subscriberId: number): Promise<number[] | null> {
  const rows = (await topicRowsOf(tx, [subscriberId])).get(subscriberId)
  if (rows === undefined) return null
  const ofOwnMark = new Set(rows.filter((row) => row.seenThrough !== null).map((row) => row.topicId))
  const chosen = rows.filter((row) => row.chosen).map((row) => row.topicId)
  return (chosen.length > 0 ? chosen : await allTopicIds(tx)).filter((id) => !ofOwnMark.has(id))
}

async function allTopicIds(tx: Queries): Promise<number[]> {
  return (await tx.select({ id: topics.id }).from(topics).all()).map(({ id }) => id)
}
