import { marksAfter, type TopicRow } from '../../core/audience/seen.ts'
import { eq, type SQL, sql } from '../drizzle.ts'
import { idsIn, larger } from '../fragments.ts'
import { editions } from '../schema/ledger.ts'
import { subscribers } from '../schema/people.ts'
import { topics } from '../schema/sessions.ts'
import { prepared, type Queries } from '../store.ts'
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
  const throughSeq = (await throughSeqOf(tx).get({ editionId }))?.throughSeq ?? 0
  await moveTopicMarks(tx, covered, throughSeq)
  await moving(tx).run({ ids: JSON.stringify([...covered.keys()]), throughSeq, editionId })
}

const throughSeqOf = prepared((tx) =>
  tx
    .select({ throughSeq: editions.throughSeq })
    .from(editions)
    .where(eq(editions.id, sql.placeholder('editionId')))
    .prepare(),
)

const moving = prepared((tx) =>
  tx
    .update(subscribers)
    .set({
      seenThrough: larger(subscribers.seenThrough, sql.placeholder('throughSeq')),
      lastEditionId: larger(sql`coalesce(${subscribers.lastEditionId}, '')`, sql.placeholder('editionId')),
    })
    .where(among('ids')(tx))
    .prepare(),
)

/** The subscribers with these ids, given as JSON. */
const among =
  (name: string) =>
  (queries: Queries): SQL =>
    sql`${subscribers.id} in ${idsIn(queries, sql.placeholder(name))}`

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
  const general = await generalMarks(tx).all({ ids: JSON.stringify(withOwn) })
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

const generalMarks = prepared((tx) =>
  tx
    .select({ id: subscribers.id, seenThrough: subscribers.seenThrough })
    .from(subscribers)
    .where(among('ids')(tx))
    .prepare(),
)

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
 * topic with a mark of its own may have been chosen since: rather shown twice than never.
 */
export async function surelyCovered(tx: Queries, subscriberId: number): Promise<number[] | null> {
  const rows = (await topicRowsOf(tx, [subscriberId])).get(subscriberId)
  if (rows === undefined) return null
  const ofOwnMark = new Set(rows.filter((row) => row.seenThrough !== null).map((row) => row.topicId))
  const chosen = rows.filter((row) => row.chosen).map((row) => row.topicId)
  return (chosen.length > 0 ? chosen : await allTopicIds(tx)).filter((id) => !ofOwnMark.has(id))
}

async function allTopicIds(tx: Queries): Promise<number[]> {
  return (await topicIdsIn(tx).all()).map(({ id }) => id)
}

const topicIdsIn = prepared((tx) => tx.select({ id: topics.id }).from(topics).prepare())
