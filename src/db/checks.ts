import { damageFoundBy } from './copies.ts'
import type { Db } from './open.ts'

/** What SQLite's own check finds wrong with the file; empty when it is sound. Reads all of it. */
export async function damageIn(db: Db): Promise<string[]> {
  return damageFoundBy('quick_check', db.$client)
}

/** Rows of a table that refer to rows of another which are not there. Reads all of the database. */
export type Dangling = { table: string; parent: string; count: number }

/** What refers to nothing, by table: SQLite's shell and most drivers do not enforce foreign keys. */
export async function danglingIn(db: Db): Promise<Dangling[]> {
  return db.$client
    .prepare<[], Dangling>(
      `select "table", parent, count(*) as count from pragma_foreign_key_check group by "table", parent`,
    )
    .all()
}

/** The number of migrations that were applied. */
export async function appliedMigrations(db: Db): Promise<number> {
  return db.$client.prepare('select count(*) from __drizzle_migrations').pluck().get() as number
}
