import { eq, sql } from '../drizzle.ts'
import { installation } from '../schema/installation.ts'
import type { Queries, Store } from '../store.ts'

/**
 * Facts about this installation that outlive a restart, each a row of `installation`. `epoch`, `held`, `home` and `copied` say
 * whether it is a copy, `wipe` that erased data is in the write-ahead log, `time_zones` which list of zones was loaded,
 * `audit_head` and `audit_pruned` where the chain of the audit log ends and begins.
 */
export type Fact =
  | 'hash_key'
  | 'schedule'
  | 'forgot_pending'
  | 'pruned'
  | 'epoch'
  | 'held'
  | 'home'
  | 'copied'
  | 'wipe'
  | 'time_zones'
  | 'audit_head'
  | 'audit_pruned'

/** Nothing is claimed while the installation is held: part of each claim, so that no one who forgot to ask gets past it. */
export const NOT_HELD = sql`not exists (select 1 from installation where name = 'held')`

/** The fact as text, or null when it was never set; inside a transaction too. */
export async function factIn(queries: Queries, name: Fact): Promise<string | null> {
  const row = await queries.select().from(installation).where(eq(installation.name, name)).get()
  return row?.value ?? null
}

/** Inside a transaction: sets or replaces the fact. */
export async function putFact(tx: Queries, name: Fact, value: string): Promise<void> {
  const put = tx.insert(installation).values({ name, value })
  await put.onConflictDoUpdate({ target: installation.name, set: { value } }).run()
}

/** Inside a transaction: forgets the fact. */
export async function dropFact(tx: Queries, name: Fact): Promise<void> {
  await tx.delete(installation).where(eq(installation.name, name)).run()
}

/** `factIn` for those who do not look inside the database. */
export async function installationFact(store: Store, name: Fact): Promise<string | null> {
  return factIn(store.read, name)
}

/** Sets the fact if it is not set, and returns its value. If two processes start at once, both get the same value. */
export async function establishFact(store: Store, name: Fact, value: string): Promise<string> {
  // Asked first: an insert that does nothing waits for another program's lock too, and all that opens the database comes here.
  const stands = await factIn(store.read, name)
  if (stands !== null) return stands
  return store.write(async (tx) => {
    await tx.insert(installation).values({ name, value }).onConflictDoNothing().run()
    return (await factIn(tx, name)) ?? value
  })
}

/** Replaces the fact; one that was never set stays so. */
export async function changeFact(store: Store, name: Fact, value: string): Promise<void> {
  await store.write((tx) => tx.update(installation).set({ value }).where(eq(installation.name, name)).run())
}
