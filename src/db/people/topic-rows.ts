import { chooseTopics, type TopicChoice, type TopicRow } from '../../core/audience/seen.ts'
import { and, eq, gt, lte, sql } from '../drizzle.ts'
import { idsIn, insertFrom, rowsIn, whole } from '../fragments.ts'
import { subscribers, subscriberTopics } from '../schema/people.ts'
import { topics } from '../schema/sessions.ts'
import { prepared, type Queries, type Store } from '../store.ts'

/** The topic rows of these subscribers, by subscriber. Those without rows are not in the map. */
export async function topicRowsOf(
  queries: Queries,
  subscriberIds: readonly number[],
): Promise<Map<number, TopicRow[]>> {
  return bySubscriber(await rowsOf(queries).all({ ids: JSON.stringify(subscriberIds) }))
}

const rowsOf = prepared((queries) =>
  queries
    .select()
    .from(subscriberTopics)
    .where(sql`${subscriberTopics.subscriberId} in ${idsIn(queries, sql.placeholder('ids'))}`)
    .prepare(),
)

/** The topic rows of the subscribers with ids after `afterId`, up to `throughId`. */
export async function topicRowsBetween(
  queries: Queries,
  afterId: number,
  throughId: number,
): Promise<Map<number, TopicRow[]>> {
  const { subscriberId } = subscriberTopics
  const between = and(gt(subscriberId, afterId), lte(subscriberId, throughId))
  return bySubscriber(await queries.select().from(subscriberTopics).where(between).all())
}

/** Stores the topics that the subscriber wants; nothing is shown twice or missed because of it (`chooseTopics`). */
export async function setTopics(store: Store, subscriberId: number, choice: TopicChoice): Promise<void> {
  await store.write((tx) => setTopicsIn(tx, subscriberId, choice))
}

/** `setTopics` within a transaction that is open already; for the files of `db/` only. */
export async function setTopicsIn(tx: Queries, id: number, choice: TopicChoice): Promise<void> {
  const { seenThrough } = subscribers
  const general = await tx.select({ seenThrough }).from(subscribers).where(eq(subscribers.id, id)).get()
  const current = (await topicRowsOf(tx, [id])).get(id) ?? []
  const all = await tx.select({ id: topics.id }).from(topics).all()
  const topicIds = all.map((topic) => topic.id)
  await replaceTopicRows(tx, [
    { id, after: chooseTopics(current, general?.seenThrough ?? 0, topicIds, choice) },
  ])
}

/** Inside a transaction: these are the topic rows of these subscribers from now on. */
export async function replaceTopicRows(
  tx: Queries,
  changed: readonly { id: number; after: readonly TopicRow[] }[],
): Promise<void> {
  if (changed.length === 0) return
  const theirs = idsIn(
    tx,
    changed.map(({ id }) => id),
  )
  await tx.delete(subscriberTopics).where(sql`${subscriberTopics.subscriberId} in ${theirs}`).run()
  const rows = changed.flatMap(({ id, after }) =>
    after.map(({ topicId, chosen, seenThrough }) => ({ id, topicId, chosen: chosen ? 1 : 0, seenThrough })),
  )
  const values = {
    ...{ subscriberId: whole('id'), topicId: whole('topicId') },
    ...{ chosen: whole('chosen'), seenThrough: whole('seenThrough') },
  }
  if (rows.length > 0) await tx.run(insertFrom(subscriberTopics, values, rowsIn(tx, rows)))
}

function bySubscriber(rows: readonly (TopicRow & { subscriberId: number })[]): Map<number, TopicRow[]> {
  const found = new Map<number, TopicRow[]>()
  for (const row of rows) {
    const list = found.get(row.subscriberId)
    if (list) list.push(row)
    else found.set(row.subscriberId, [row])
  }
  return found
}
