import { and, count, eq, gt } from '../drizzle.ts'
import { signInTries } from '../schema/operators.ts'
import type { Store } from '../store.ts'

/** At most `most` tries in `perMs` count against `bucket`. */
export type TryLimit = { bucket: string; most: number; perMs: number }

/**
 * Counts a try against all of these, unless one of them is used up: then false, and nothing is counted. In the database, so
 * that a restart forgives nobody.
 */
export async function countTry(store: Store, limits: readonly TryLimit[], now: Date): Promise<boolean> {
  const at = now.getTime()
  return store.write(async (tx) => {
    for (const { bucket, most, perMs } of limits) {
      const recent = and(eq(signInTries.bucket, bucket), gt(signInTries.at, at - perMs))
      const row = await tx.select({ tries: count() }).from(signInTries).where(recent).get()
      if ((row?.tries ?? 0) >= most) return false
    }
    await tx
      .insert(signInTries)
      .values([...new Set(limits.map(({ bucket }) => bucket))].map((bucket) => ({ bucket, at })))
      .run()
    return true
  })
}

/** Forgets the tries of a bucket, after the right answer. */
export async function forgetTries(store: Store, bucket: string): Promise<void> {
  await store.write((tx) => tx.delete(signInTries).where(eq(signInTries.bucket, bucket)).run(), {
    durable: false,
  })
}
