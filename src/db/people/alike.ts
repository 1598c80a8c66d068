import type { Alike } from '../../core/audience/consequence.ts'
import { sql } from '../drizzle.ts'
import type { Store } from '../store.ts'

/** So many subscribers are looked at: that takes some 40 ms at most, however many there are. */
const LOOKED_AT = 15_000

/** Readers by what they chose and saw of some topics. `more`: there are others, who were not looked at. */
export type ReadersAlike = { readers: Alike[]; more: boolean }

/** All active readers, of the newest `limit` subscribers, by what they chose and saw of these topics. */
export async function readersAlike(
  { read }: Store,
  topicIds: readonly number[],
  limit = LOOKED_AT,
): Promise<ReadersAlike> {
  const names = topicIds.map((topicId, index) => ({ topicId, name: sql.identifier(`topic${index}`) }))
  const columns = names.map(
    ({ name }) => sql`coalesce(${name}.chosen, 0) || ' ' || coalesce(cast(${name}.seen_through as text), '')`,
  )
  const topics = columns.length === 0 ? sql`''` : sql.join(columns, sql` || ';' || `)
  const joins = names.map(
    ({ topicId, name }) => sql`left join subscriber_topics as ${name}
      on ${name}.subscriber_id = reader.id and ${name}.topic_id = ${topicId}`,
  )
  const rows = await read.all<{ general: number; chooses: number; topics: string; readers: number }>(
    sql`select seen_through as general, chooses, topics, count(*) as readers from (
      select reader.seen_through, ${topics} as topics, case when exists (select 1 from subscriber_topics as own
        where own.subscriber_id = reader.id and own.chosen = 1) then 1 else 0 end as chooses
      from (select id, status, seen_through from subscribers order by id desc limit ${limit}) as reader
      ${sql.join(joins, sql` `)} where reader.status = 'active') as readers
      group by seen_through, chooses, topics`,
  )
  const total = await read.get<{ id: number } | undefined>(
    sql`select id from subscribers order by id desc limit 1 offset ${limit}`,
  )
  return { readers: rows.map((row) => alike(row, topicIds)), more: total !== undefined }
}

function alike(
  {
    general,
    chooses,
    topics,
    readers,
  }: { general: number; chooses: number; topics: string; readers: number },
  topicIds: readonly number[],
): Alike {
  const chosen = new Set<number>()
  const byTopic = new Map<number, number>()
  for (const [index, text] of topics.split(';').entries()) {
    const [isChosen, seenThrough = ''] = text.split(' ')
    const topicId = topicIds[index]
    if (topicId === undefined) continue
    if (isChosen === '1') chosen.add(topicId)
    if (seenThrough !== '') byTopic.set(topicId, Number(seenThrough))
  }
  return { topics: chooses === 1 ? chosen : null, seen: { general, byTopic }, readers }
}
