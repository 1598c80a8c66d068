import type { Preferences } from '../../core/intake/preferences.ts'
import { and, eq } from '../drizzle.ts'
import { subscribers } from '../schema/people.ts'
import type { Store } from '../store.ts'
import { setTopicsIn } from './topic-rows.ts'

/** Stores all of these preferences or none. False when they are not subscribed: then nothing was written. */
export async function storePreferences(
  store: Store,
  publicId: string,
  preferences: Partial<Omit<Preferences, 'language'> & { locale: string }>,
): Promise<boolean> {
  const { topics, ...own } = preferences
  return store.write(async (tx) => {
    const row = await tx
      .update(subscribers)
      .set(own)
      .where(subscribed(publicId))
      .returning({ id: subscribers.id })
      .get()
    if (row && topics) await setTopicsIn(tx, row.id, topics)
    return row !== undefined
  })
}

/**
 * Pauses emails until an instant; null ends a pause. `seen_through` stays, so whatever can still be booked is shown
 * after it. False when they are not subscribed.
 */
export async function setPause(store: Store, publicId: string, until: Date | null): Promise<boolean> {
  const pausedUntil = until?.getTime() ?? null
  return (
    (await store.write((tx) => tx.update(subscribers).set({ pausedUntil }).where(subscribed(publicId)).run()))
      .changes === 1
  )
}

/** Sets how often emails come. False when they are not subscribed. */
export async function setCadence(
  store: Store,
  publicId: string,
  cadence: Preferences['cadence'],
): Promise<boolean> {
  return (
    (await store.write((tx) => tx.update(subscribers).set({ cadence }).where(subscribed(publicId)).run()))
      .changes === 1
  )
}

const subscribed = (publicId: string) =>
  and(eq(subscribers.publicId, publicId), eq(subscribers.status, 'active'))
