import type { TopicRow } from '../../core/audience/seen.ts'
import { readableZone } from '../../core/time/time-zones.ts'
import { and, eq, isNull, sql } from '../drizzle.ts'
import type { Db } from '../open.ts'
import { subscribers, subscriberTopics, suppressions } from '../schema/people.ts'

/** The subscriber behind a private calendar, as far as the calendar needs to know. */
export type CalendarOwner = {
  status: 'pending' | 'active' | 'unsubscribed'
  suppressed: boolean
  discreet: boolean
  timeZone: string
  locale: string
  topicRows: TopicRow[]
}

/** Gives the active subscriber's calendar this key, unless it has one; returns the one it has. Null: no such subscriber. */
export async function keepCalendarKey(db: Db, publicId: string, key: string): Promise<string | null> {
  return db.transaction(
    (tx) => {
      const own = and(eq(subscribers.publicId, publicId), eq(subscribers.status, 'active'))
      tx.update(subscribers)
        .set({ calendarKey: key })
        .where(and(own, isNull(subscribers.calendarKey)))
        .run()
      return tx.select({ key: subscribers.calendarKey }).from(subscribers).where(own).get()?.key ?? null
    },
    { behavior: 'immediate' },
  )
}

/** Ends the calendar's address. False when there was none. */
export async function dropCalendarKey(db: Db, publicId: string): Promise<boolean> {
  const own = and(eq(subscribers.publicId, publicId), sql`${subscribers.calendarKey} is not null`)
  return db.update(subscribers).set({ calendarKey: null }).where(own).run().changes === 1
}

/** Whose calendar has this key, or null. */
export async function calendarOwner(db: Db, key: string): Promise<CalendarOwner | null> {
  return db.transaction((tx) => {
    const row = tx
      .select({
        id: subscribers.id,
        status: subscribers.status,
        discreet: subscribers.discreet,
        timeZone: subscribers.timeZone,
        locale: subscribers.locale,
        suppressed: sql<number>`${suppressions.emailHash} is not null`,
      })
      .from(subscribers)
      .leftJoin(suppressions, eq(suppressions.emailHash, subscribers.emailHash))
      .where(eq(subscribers.calendarKey, key))
      .get()
    if (!row) return null
    const { id, suppressed, ...owner } = row
    const topicRows = tx.select().from(subscriberTopics).where(eq(subscriberTopics.subscriberId, id)).all()
    return { ...owner, timeZone: readableZone(owner.timeZone), suppressed: suppressed === 1, topicRows }
  })
}
