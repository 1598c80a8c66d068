import { chooseTopics, type TopicChoice, type TopicRow } from '../../core/audience/seen.ts'
import { eq } from '../drizzle.ts'
import { type Db, statement } from '../open.ts'
import { subscribers, subscriberTopics } from '../schema/people.ts'
import { topics } from '../schema/sessions.ts'

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

/** Stores the topics that the subscriber wants; nothing is shown twice or missed because of it (`chooseTopics`). */
export async function setTopics(db: Db, subscriberId: number, choice: TopicChoice): Promise<void> {
  db.transaction((tx) => setTopicsIn(tx, subscriberId, choice), { behavior: 'immediate' })
}

/** `setTopics` within a transaction that is open already; for the files of `db/` only. */
export function setTopicsIn(
  db: Pick<Db, 'select' | 'insert' | 'delete'>,
  id: number,
  choice: TopicChoice,
): void {
  const general = db
    .select({ seen: subscribers.seenThrough })
    .from(subscribers)
    .where(eq(subscribers.id, id))
    .get()
  const own = eq(subscriberTopics.subscriberId, id)
  const current = db.select().from(subscriberTopics).where(own).all()
  const ids = db.select({ id: topics.id }).from(topics).all()
  const next = chooseTopics(
    current,
    general?.seen ?? 0,
    ids.map((topic) => topic.id),
    choice,
  )
  db.delete(subscriberTopics).where(own).run()
  for (const row of next)
    db.insert(subscriberTopics)
      .values({ subscriberId: id, ...row })
      .run()
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
