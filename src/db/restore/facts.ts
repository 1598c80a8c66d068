import { eq } from '../drizzle.ts'
import type { Db } from '../open.ts'
import { installation } from '../schema.ts'

/** Facts about this installation that outlive a restart. Those of its epoch are kept by `epoch.ts`. */
export type Fact = 'hash_key' | 'schedule' | 'forgot_pending' | 'pruned'

/** The fact, or null when it was never set. */
export async function installationFact(db: Db, name: Fact): Promise<string | null> {
  return db.select().from(installation).where(eq(installation.name, name)).get()?.value ?? null
}

/** Sets the fact unless it is set, and returns what stands: of two processes that start at once, one value wins. */
export async function establishFact(db: Db, name: Fact, value: string): Promise<string> {
  // Asked first: an insert that does nothing waits for another program's lock too, and all that opens the database comes here.
  const stands = await installationFact(db, name)
  if (stands !== null) return stands
  db.insert(installation).values({ name, value }).onConflictDoNothing().run()
  return (await installationFact(db, name)) ?? value
}

/** Replaces the fact. */
export async function changeFact(db: Db, name: Fact, value: string): Promise<void> {
  db.update(installation).set({ value }).where(eq(installation.name, name)).run()
}
