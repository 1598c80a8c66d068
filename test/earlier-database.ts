import { join } from 'node:path'
import Database from 'better-sqlite3'
import { readMigrationFiles } from 'drizzle-orm/migrator'

export const MIGRATIONS = readMigrationFiles({
  migrationsFolder: join(import.meta.dirname, '../drizzle'),
})

/** Every number of migrations that a database may have had before the newest. */
export const EARLIER = Array.from({ length: MIGRATIONS.length - 1 }, (_, n) => n + 1)

/** A database as the release with this many migrations left it, with 20 deliveries of an edition half submitted. */
export function makeAt(path: string, version: number): void {
  const sqlite = new Database(path)
  sqlite.pragma('journal_mode = WAL')
  sqlite.exec(
    'create table __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)',
  )
  for (const { sql, hash, folderMillis } of MIGRATIONS.slice(0, version)) {
    for (const statements of sql) sqlite.exec(statements)
    sqlite
      .prepare('insert into __drizzle_migrations (hash, created_at) values (?, ?)')
      .run(hash, folderMillis)
  }
  const hasZones = sqlite.prepare("select 1 from sqlite_master where name = 'time_zones'").get()
  if (hasZones) sqlite.exec("insert into time_zones (name) values ('UTC')")
  sqlite.exec(`
    insert into installation (name, value) values ('hash_key', 'wrapped');
    insert into editions (id, scheduled_for, state, through_seq, audience_through, created_at)
      values ('2026-11-16', 1, 'submitting', 0, 20, 1);
    insert into batches (id, edition_id, generation, number, key, state, size)
      values (1, '2026-11-16', 0, 1, 'openseat/2026-11-16/g0/b1', 'planned', 20);
    with recursive n (i) as (select 1 union all select i + 1 from n where i < 20)
      insert into subscribers (public_id, email, email_hash, status, time_zone, created_at)
      select 'p' || i, 'reader-' || i || '@sample.test', 'h' || i, 'active', 'UTC', 1 from n;
    insert into deliveries (edition_id, subscriber_id, generation, batch_id, state)
      select '2026-11-16', id, 0, 1, 'waiting' from subscribers;`)
  sqlite.close()
}
