import type Database from 'better-sqlite3'

type Setting = 'busy_timeout' | 'cache_size' | 'foreign_keys' | 'synchronous'

/** Gives a PRAGMA of this connection another value until the end of the block: `using _ = pragma(…)`. */
export function pragma(
  sqlite: Database.Database,
  name: Setting,
  value: number | 'NORMAL' | 'OFF',
): Disposable {
  const usual = sqlite.pragma(name, { simple: true }) as number
  sqlite.pragma(`${name} = ${value}`)
  return {
    [Symbol.dispose]: () => void sqlite.pragma(`${name} = ${usual}`),
  }
}
