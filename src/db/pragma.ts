import type Database from 'better-sqlite3'

type Setting = 'busy_timeout' | 'cache_size' | 'foreign_keys' | 'synchronous'

/** Runs `work` with another value of a PRAGMA of this connection, and puts the usual one back. */
export function withPragma<Result>(
  sqlite: Database.Database,
  name: Setting,
  value: number | 'NORMAL' | 'OFF',
  work: () => Result,
): Result {
  const usual = sqlite.pragma(name, { simple: true }) as number
  sqlite.pragma(`${name} = ${value}`)
  try {
    return work()
  } finally {
    sqlite.pragma(`${name} = ${usual}`)
  }
}
