import type Database from 'better-sqlite3'
import type { Fact } from '../restore/facts.ts'

/** The fact as text, or null when it was never set; on a bare connection, while a database is opened or copied. */
export function factIn(sqlite: Database.Database, name: Fact): string | null {
  const value = sqlite.prepare('select value from installation where name = ?').pluck().get(name)
  return (value as string | undefined) ?? null
}

/** Sets or replaces the fact, likewise. */
export function putFact(sqlite: Database.Database, name: Fact, value: string): void {
  const put =
    'insert into installation (name, value) values (?, ?) on conflict (name) do update set value = excluded.value'
  sqlite.prepare(put).run(name, value)
}
