import type { TopicRow } from '../../core/audience/seen.ts'
import { type Db, statement } from '../open.ts'

type Row = TopicRow & { subscriberId: number }

const COLUMNS = 'subscriber_id as subscriberId, topic_id as topicId, chosen, seen_through as seenThrough'

/** The topic rows of these subscribers, gathered by subscriber; whoever has none is not in the map. */
export function topicRowsOf(db: Db, subscriberIds: readonly number[]): Map<number, TopicRow[]> {
  const of = `select ${COLUMNS} from subscriber_topics where subscriber_id in (select value from json_each(?))`
  return bySubscriber(statement<[string], Row>(db, of).all(JSON.stringify(subscriberIds)))
}

/** The topic rows of the subscribers with ids after `afterId`, up to `throughId`. */
export function topicRowsBetween(db: Db, afterId: number, throughId: number): Map<number, TopicRow[]> {
  const between = `select ${COLUMNS} from subscriber_topics where subscriber_id > ? and subscriber_id <= ?`
  return bySubscriber(statement<[number, number], Row>(db, between).all(afterId, throughId))
}

function bySubscriber(rows: readonly Row[]): Map<number, TopicRow[]> {
  const gathered = new Map<number, TopicRow[]>()
  for (const row of rows) {
    const topicRow = { ...row, chosen: Boolean(row.chosen) }
    const list = gathered.get(row.subscriberId)
    if (list) list.push(topicRow)
    else gathered.set(row.subscriberId, [topicRow])
  }
  return gathered
}
