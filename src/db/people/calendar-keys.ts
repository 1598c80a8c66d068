import type { TopicRow } from '../../core/audience/seen.ts'
import { readableZone } from '../../core/time/time-zones.ts'
import { and, eq, isNull, sql } from '../drizzle.ts'
import { subscribers, subscriberTopics, suppressions } from '../schema/people.ts'
import type { Store } from '../store.ts'

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
export async function keepCalendarKey(store: Store, publicId: string, key: string): Promise<string | null> {
  return store.write(async (tx) => {
    const own = and(eq(subscribers.publicId, publicId), eq(subscribers.status, 'active'))
    await tx
      .update(subscribers)
      .set({ calendarKey: key })
      .where(and(own, isNull(subscribers.calendarKey)))
      .run()
    return (await tx.select({ key: subscribers.calendarKey }).from(subscribers).where(own).get())?.key ?? null
  })
}

/** Ends the calendar's address. False when there was none. */
export async function dropCalendarKey(store: Store, publicId: string): Promise<boolean> {
  const own = and(eq(subscribers.publicId, publicId), sql`${subscribers.calendarKey} is not null`)
  return (
    (await store.write((tx) => tx.update(subscribers).set({ calendarKey: null }).where(own).run()))
      .changes === 1
  )
}

/** Whose calendar has this key, or null. */
export async function calendarOwner(store: Store, key: string): Promise<CalendarOwner | null> {
  return store.snapshot(async (tx) => {
    const row = await tx
      .select({
        id: subscribers.id,
        status: subscribers.status,
        discreet: subscribers.discreet,
        timeZone: subscribers.timeZone,
        locale: subscribers.locale,
        suppressed: sql<boolean>`${suppressions.emailHash} is not null`.mapWith(Boolean),
      })
      .from(subscribers)
      .leftJoin(suppressions, eq(suppressions.emailHash, subscribers.emailHash))
      .where(eq(subscribers.calendarKey, key))
      .get()
    if (!row) return null
    const { id, suppressed, ...owner } = row
    const topicRows = await tx
      .select()
      .from(subscriberTopics)
      .where(eq(subscriberTopics.subscriberId, id))
      .all()
    return { ...owner, timeZone: readableZone(owner.timeZone), suppressed, topicRows }
  })
}
