import { readableZone } from '../../core/time/time-zones.ts'
import { and, count, desc, eq, exists, isNotNull, like, lte, ne, not, type SQL } from '../drizzle.ts'
import { subscribers, subscriberTopics } from '../schema/people.ts'
import type { Store } from '../store.ts'

/** Kinds of readers whose emails differ in a way that is worth a look before an edition goes out. */
export const PERSONAS = [
  'most-topics',
  'no-topics',
  'other-zone',
  'discreet',
  'spanish',
  'after-pause',
] as const

export type Persona = (typeof PERSONAS)[number]

/** One active subscriber of each kind by id, or null; `homeZone` is the practice's. It looks at the whole list. */
export async function personaIds(
  store: Store,
  { homeZone, at }: { homeZone: string; at: Date },
): Promise<Record<Persona, number | null>> {
  const chosen = and(eq(subscriberTopics.subscriberId, subscribers.id), eq(subscriberTopics.chosen, true))
  const choosing = store.read.select().from(subscriberTopics).where(chosen)
  const first = async (where: SQL | undefined): Promise<number | null> =>
    (
      await store.read
        .select({ id: subscribers.id })
        .from(subscribers)
        .where(and(eq(subscribers.status, 'active'), where))
        .limit(1)
        .get()
    )?.id ?? null
  const mostTopics = await store.read
    .select({ id: subscribers.id })
    .from(subscriberTopics)
    .innerJoin(subscribers, chosen)
    .where(eq(subscribers.status, 'active'))
    .groupBy(subscribers.id)
    .orderBy(desc(count()))
    .limit(1)
    .get()
  return {
    'most-topics': mostTopics?.id ?? null,
    'no-topics': await first(not(exists(choosing))),
    'other-zone': await first(ne(subscribers.timeZone, homeZone)),
    discreet: await first(eq(subscribers.discreet, true)),
    spanish: await first(like(subscribers.locale, 'es%')),
    'after-pause': await first(
      and(isNotNull(subscribers.pausedUntil), lte(subscribers.pausedUntil, at.getTime())),
    ),
  }
}

/** What shapes the emails of a subscriber, besides what they have seen. It does not say who it is. */
export async function personaTraits(store: Store, id: number) {
  const { timeZone, locale, discreet } = subscribers
  const own = await store.read
    .select({ timeZone, locale, discreet })
    .from(subscribers)
    .where(eq(subscribers.id, id))
    .get()
  return own ? { ...own, timeZone: readableZone(own.timeZone) } : null
}
