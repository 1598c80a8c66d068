import Database from 'better-sqlite3'
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

/**
 * Makes a copy one file, without a write-ahead log beside it, notes in it that it is one, taken at `at` (ms UTC), so that
 * it is held when it is put in place, and returns what is wrong with it.
 */
export function finishCopy(file: string, at: number): string[] {
  const copy = new Database(file, { fileMustExist: true })
  try {
    copy.pragma('journal_mode = DELETE')
    copy.prepare("insert or replace into installation (name, value) values ('copied', ?)").run(String(at))
    return damageFoundBy('quick_check', copy)
  } finally {
    copy.close()
  }
}

/** What this check of SQLite's finds; `integrity_check` also compares every index with its table. */
export function damageFoundBy(check: 'quick_check' | 'integrity_check', sqlite: Database.Database): string[] {
  const found = sqlite.pragma(check) as Record<string, string>[]
  return found.map((row) => row[check] ?? '').filter((line) => line !== 'ok')
}
