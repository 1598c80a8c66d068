import Database from 'better-sqlite3'
import type { Db } from './open.ts'

/** What SQLite's own check finds wrong with the file; empty when it is sound. Reads all of it. */
export async function damageIn(db: Db): Promise<string[]> {
  return damage(db.$client)
}

/** The number of migrations that were applied. */
export async function appliedMigrations(db: Db): Promise<number> {
  return db.$client.prepare('select count(*) from __drizzle_migrations').pluck().get() as number
}

/** Makes a copy that `backupDb` wrote one file, without a write-ahead log beside it, and returns what is wrong with it. */
export async function finishCopy(file: string): Promise<string[]> {
  const copy = new Database(file, { fileMustExist: true })
  try {
    copy.pragma('journal_mode = DELETE')
    return damage(copy)
  } finally {
    copy.close()
  }
}

function damage(sqlite: Database.Database): string[] {
  const found = sqlite.pragma('quick_check') as { quick_check: string }[]
  return found.map((row) => row.quick_check).filter((line) => line !== 'ok')
}
