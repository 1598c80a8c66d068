import type { Preferences } from '../../core/intake/preferences.ts'
import { and, eq } from '../drizzle.ts'
import type { Db } from '../open.ts'
import { subscribers } from '../schema/people.ts'
import { setTopicsIn } from './topic-rows.ts'

/** Stores all preferences or none. False when they are not subscribed: then nothing was written. */
export async function storePreferences(
  db: Db,
  publicId: string,
  preferences: Omit<Preferences, 'language'> & { locale: string },
): Promise<boolean> {
  const { topics, ...own } = preferences
  return db.transaction(
    (tx) => {
      const row = tx
        .update(subscribers)
        .set(own)
        .where(subscribed(publicId))
        .returning({ id: subscribers.id })
        .get()
      if (row) setTopicsIn(tx, row.id, topics)
      return row !== undefined
    },
    { behavior: 'immediate' },
  )
}

/**
 * Pauses emails until an instant; null ends a pause. `seen_through` stays, so whatever can still be booked is shown
 * after it. False when they are not subscribed.
 */
export async function setPause(db: Db, publicId: string, until: Date | null): Promise<boolean> {
  const pausedUntil = until?.getTime() ?? null
  return db.update(subscribers).set({ pausedUntil }).where(subscribed(publicId)).run().changes === 1
}

/** Sets how often emails come. False when they are not subscribed. */
export async function setCadence(
  db: Db,
  publicId: string,
  cadence: Preferences['cadence'],
): Promise<boolean> {
  return db.update(subscribers).set({ cadence }).where(subscribed(publicId)).run().changes === 1
}

const subscribed = (publicId: string) =>
  and(eq(subscribers.publicId, publicId), eq(subscribers.status, 'active'))
