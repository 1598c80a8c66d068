import Database from 'better-sqlite3'
import { putFact } from './facts.ts'

/**
 * Makes a copy one file, without a write-ahead log beside it, notes in it that it is one, taken at `at` (ms UTC), so that
 * it is held when it is put in place, and returns what is wrong with it.
 */
export function finishCopy(file: string, at: number): string[] {
  const copy = new Database(file, { fileMustExist: true })
  try {
    copy.pragma('journal_mode = DELETE')
    putFact(copy, 'copied', String(at))
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
