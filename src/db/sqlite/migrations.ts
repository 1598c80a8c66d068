import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type Database from 'better-sqlite3'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { Unavailable } from '../../core/errors.ts'
import { failpoint, guardOn } from '../../failpoint.ts'
import { damageFoundBy, finishCopy } from './copies.ts'
import { pragma } from './pragma.ts'

type Migration = ReturnType<typeof readMigrationFiles>[number]

const COPIES_KEPT = 3

/**
 * Brings the schema to the newest: all missing migrations in one transaction, checked before it is committed, after a copy
 * beside the database, `openseat.db.migration-5` for one that was at the fifth. Killed at any time, the next start does it
 * again or finds it done. Throws `Unavailable` when the database is newer than this program, when there is no room for the
 * copy, or when a check finds damage; the database is then as it was.
 */
export function bringToNewest(sqlite: Database.Database): void {
  const known = readMigrationFiles({ migrationsFolder: join(import.meta.dirname, '../../../drizzle') })
  const before = applied(sqlite)
  if (guardOn('newer-database')) refuseNewer(before, known)
  if (missing(before, known).length === 0) return failpoint('before-migrate')
  if (before.length > 0 && !sqlite.memory && guardOn('migration-copy')) keepCopy(sqlite, before.length)

  // Off, as dropping a table that is rebuilt would else delete what refers to it; it cannot change in a transaction.
  using _ = pragma(sqlite, 'foreign_keys', 'OFF')
  if (guardOn('migration-transaction')) sqlite.transaction(() => migrate(sqlite, known)).immediate()
  else migrate(sqlite, known)
}

function migrate(sqlite: Database.Database, known: readonly Migration[]): void {
  sqlite.exec(
    'create table if not exists __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)',
  )
  const before = applied(sqlite) // another process may have done it while this one waited for the lock
  const orphansBefore = new Set(orphansIn(sqlite).map(nameOf))
  const note = sqlite.prepare('insert into __drizzle_migrations (hash, created_at) values (?, ?)')
  for (const migration of missing(before, known)) {
    for (const statements of migration.sql) sqlite.exec(statements)
    note.run(migration.hash, migration.folderMillis)
    failpoint('between-migrations')
  }
  if (before.length > 0) refuseDamage(sqlite, orphansBefore)
  failpoint('before-migrate')
}

/** When each migration in the database was made, oldest first; that is what names one. */
function applied(sqlite: Database.Database): number[] {
  const table = sqlite.prepare("select 1 from sqlite_master where name = '__drizzle_migrations'").get()
  if (table === undefined) return []
  return sqlite
    .prepare<[], number>('select created_at from __drizzle_migrations order by created_at')
    .pluck()
    .all()
    .map(Number)
}

const missing = (before: readonly number[], known: readonly Migration[]) =>
  known.filter(({ folderMillis }) => folderMillis > (before.at(-1) ?? 0))

function refuseNewer(before: readonly number[], known: readonly Migration[]): void {
  const newest = known.at(-1)?.folderMillis ?? 0
  if ((before.at(-1) ?? 0) <= newest && before.length <= known.length) return
  throw new Unavailable(
    `This database was made by a newer release: it is at migration ${before.length}, and this one knows ${known.length}. Start the newer release, or go back to the copy beside it that is named after migration ${known.length}.`,
  )
}

type Orphan = { table: string; rowid: number | null; parent: string; fkid: number }

const orphansIn = (sqlite: Database.Database) => sqlite.pragma('foreign_key_check') as Orphan[]
const nameOf = ({ table, rowid, parent }: Orphan): string => `${table} ${rowid} ${parent}`

// Rows that referred to nothing before were written by another program, and are for `doctor` to name.
function refuseDamage(sqlite: Database.Database, before: ReadonlySet<string>): void {
  const orphans = orphansIn(sqlite).filter((orphan) => !before.has(nameOf(orphan)))
  const [orphan] = orphans
  const damage = [
    ...damageFoundBy('integrity_check', sqlite),
    ...(orphan ? [`${orphans.length} rows refer to what is not there, first in ${orphan.table}`] : []),
  ]
  if (damage.length > 0)
    throw new Unavailable(
      `The database is damaged after the migration, and was left as it was: ${damage[0]}. Put the last backup in its place.`,
    )
}

// Written under another name first: what bears the name of a copy is whole.
function keepCopy(sqlite: Database.Database, version: number): void {
  const copy = `${sqlite.name}.migration-${version}`
  const draft = `${copy}.${process.pid}.new`
  rmSync(draft, { force: true })
  try {
    closeSync(openSync(draft, 'wx', 0o600)) // for its owner alone from the first byte; SQLite fills an empty file
    sqlite.prepare('vacuum into ?').run(draft)
    const problems = finishCopy(draft, Number(sqlite.prepare('select unixepoch() * 1000').pluck().get()))
    if (problems.length > 0) throw new Error(problems[0])
    const fd = openSync(draft, 'r+')
    fsyncSync(fd)
    closeSync(fd)
    failpoint('before-copy')
    renameSync(draft, copy)
  } catch (error) {
    rmSync(draft, { force: true })
    throw new Unavailable(
      `The database was not migrated, as no copy of it could be made first (${(error as Error).message}). Make room beside ${sqlite.name}, or see that it is sound.`,
    )
  }
  pruneCopies(sqlite.name)
}

function pruneCopies(database: string): void {
  for (const old of copiesOf(database).slice(COPIES_KEPT)) rmSync(old, { force: true })
}

/** The copies that migrations left beside a database, the newest first; `drafts`: with those that were never finished. */
export function copiesOf(database: string, { drafts = false } = {}): string[] {
  const [folder, name] = [dirname(database), basename(database)]
  const version = (file: string) => {
    const [, number, draft] = /^\.migration-(\d+)(\.\d+\.new)?$/.exec(file.slice(name.length)) ?? []
    return draft === undefined || drafts ? Number(number ?? Number.NaN) : Number.NaN
  }
  const copies = readdirSync(folder).filter((file) => file.startsWith(name) && version(file) >= 0)
  return copies.sort((a, b) => version(b) - version(a)).map((file) => join(folder, file))
}
