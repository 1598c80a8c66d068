import { sql } from './drizzle.ts'
import { damageFoundBy } from './sqlite/copies.ts'
import type { Store } from './store.ts'

/** What SQLite's own check finds wrong with the file; empty when it is sound. Reads all of it. Postgres checks as it reads. */
export async function damageIn(store: Store): Promise<string[]> {
  return (await store.sqlite?.alone((connection) => damageFoundBy('quick_check', connection))) ?? []
}

/** Rows of a table that refer to rows of another which are not there. Reads all of the database. */
export type Dangling = { table: string; parent: string; count: number }

/** What refers to nothing, by table: SQLite's shell and most drivers do not enforce foreign keys, as Postgres does. */
export async function danglingIn(store: Store): Promise<Dangling[]> {
  if (store.sqlite === null) return []
  return store.read.all<Dangling>(
    sql`select "table", parent, count(*) as count from pragma_foreign_key_check group by "table", parent`,
  )
}

/** The number of migrations that were applied. */
export async function appliedMigrations(store: Store): Promise<number> {
  return (await store.read.get<{ n: number }>(sql`select count(*) as n from __drizzle_migrations`)).n
}

/** How large a database on Postgres is, bytes. */
export async function sizeOnServer(store: Store): Promise<number> {
  return (await store.read.get<{ size: number }>(sql`select pg_database_size(current_database()) as size`))
    .size
}
