import { sql } from '../drizzle.ts'
import type { Store } from '../store.ts'
import { damageFoundBy } from './copies.ts'

/** What SQLite's own check finds wrong with the file; empty when it is sound. Reads all of it. */
export async function damageIn(store: Store): Promise<string[]> {
  return (await store.sqlite?.alone((connection) => damageFoundBy('quick_check', connection))) ?? []
}

/** Rows of a table that refer to rows of another which are not there. Reads all of the database. */
export type Dangling = { table: string; parent: string; count: number }

/** What refers to nothing, by table: SQLite's shell and most drivers do not enforce foreign keys. */
export async function danglingIn(store: Store): Promise<Dangling[]> {
  return store.read.all<Dangling>(
    sql`select "table", parent, count(*) as count from pragma_foreign_key_check group by "table", parent`,
  )
}

/** The number of migrations that were applied. */
export async function appliedMigrations(store: Store): Promise<number> {
  return (await store.read.get<{ n: number }>(sql`select count(*) as n from __drizzle_migrations`)).n
}
