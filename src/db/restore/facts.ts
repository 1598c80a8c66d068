import type Database from 'better-sqlite3'
import { sql } from '../drizzle.ts'

/**
 * Facts about this installation that outlive a restart, each a row of `installation`. `epoch`, `held` and `copied` say
 * whether it is a copy, `wipe` that erased data is in the write-ahead log, `time_zones` which list of zones was loaded.
 */
export type Fact =
  | 'hash_key'
  | 'schedule'
  | 'forgot_pending'
  | 'pruned'
  | 'epoch'
  | 'held'
  | 'copied'
  | 'wipe'
  | 'time_zones'

type Opened = { $client: Database.Database }

/** Nothing is claimed while the installation is held: part of each claim, so that no one who forgot to ask gets past it. */
export const NOT_HELD = sql`not exists (select 1 from installation where name = 'held')`

/** The fact as text, or null when it was never set. */
export function factIn(sqlite: Database.Database, name: Fact): string | null {
  const value = sqlite.prepare('select value from installation where name = ?').pluck().get(name)
  return (value as string | undefined) ?? null
}

/** Sets or replaces the fact. */
export function putFact(sqlite: Database.Database, name: Fact, value: string): void {
  const put =
    'insert into installation (name, value) values (?, ?) on conflict (name) do update set value = excluded.value'
  sqlite.prepare(put).run(name, value)
}

/** Forgets the fact. */
export function dropFact(sqlite: Database.Database, name: Fact): void {
  sqlite.prepare('delete from installation where name = ?').run(name)
}

/** `factIn` for those who do not look inside the database. */
export async function installationFact(db: Opened, name: Fact): Promise<string | null> {
  return factIn(db.$client, name)
}

/** Sets the fact unless it is set, and returns what stands: of two processes that start at once, one value wins. */
export async function establishFact(db: Opened, name: Fact, value: string): Promise<string> {
  // Asked first: an insert that does nothing waits for another program's lock too, and all that opens the database comes here.
  const stands = factIn(db.$client, name)
  if (stands !== null) return stands
  const add = 'insert into installation (name, value) values (?, ?) on conflict do nothing'
  db.$client.prepare(add).run(name, value)
  return factIn(db.$client, name) ?? value
}

/** Replaces the fact; one that was never set stays so. */
export async function changeFact(db: Opened, name: Fact, value: string): Promise<void> {
  db.$client.prepare('update installation set value = ? where name = ?').run(value, name)
}
