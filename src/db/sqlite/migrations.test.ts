import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { dbOf } from '../../../test/db.ts'
import { EARLIER, MIGRATIONS, makeAt } from '../../../test/earlier-database.ts'
import { openSqlite } from './open.ts'

const NEWEST = MIGRATIONS.length

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openseat-migrations-'))
  path = join(folder, 'openseat.db')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

// Schema 1 has no triggers and no topics; it was never without them in a release, but a kill may leave it.
test.each(EARLIER)(
  'from migration %i with data: brought to the newest, with a copy as it was, and the same schema as a new one',
  async (version) => {
    makeAt(path, version)
    const store = openSqlite(path)
    expect(schemaOf(dbOf(store).$client)).toEqual(await newSchema())
    expect(dbOf(store).$client.prepare('select count(*) from deliveries').pluck().get()).toBe(20)
    expect(dbOf(store).$client.pragma('foreign_key_check')).toEqual([])
    expect(dbOf(store).$client.pragma('foreign_keys', { simple: true })).toBe(1)
    await store.close()

    const copy = new Database(`${path}.migration-${version}`, { readonly: true })
    expect(copy.prepare('select count(*) from __drizzle_migrations').pluck().get()).toBe(version)
    expect(copy.prepare('select count(*) from deliveries').pluck().get()).toBe(20)
    expect(copy.prepare("select 1 from installation where name = 'copied'").get()).toBeDefined()
    copy.close()
    expect(statSync(`${path}.migration-${version}`).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).filter((name) => name.endsWith('.new'))).toEqual([])
  },
)

test('a new database and one at the newest schema get no copy', async () => {
  await openSqlite(path).close()
  await openSqlite(path).close()
  expect(readdirSync(folder)).toEqual(['openseat.db'])
})

test('only the three newest copies are kept', async () => {
  for (let version = 1; version < NEWEST; version += 1) {
    rmSync(path, { force: true })
    makeAt(path, version)
    await openSqlite(path).close()
  }
  const kept = [NEWEST - 3, NEWEST - 2, NEWEST - 1].map((version) => `openseat.db.migration-${version}`)
  expect(
    readdirSync(folder)
      .filter((name) => name.includes('.migration-'))
      .sort(),
  ).toEqual(kept.sort())
})

test('a database of a newer release is refused with what to do, and left as it is', async () => {
  await openSqlite(path).close()
  const sqlite = new Database(path)
  const later = (MIGRATIONS.at(-1)?.folderMillis ?? 0) + 1
  sqlite.prepare("insert into __drizzle_migrations (hash, created_at) values ('later', ?)").run(later)
  sqlite.close()
  expect(() => openSqlite(path)).toThrow(
    `made by a newer release: it is at migration ${NEWEST + 1}, and this one knows ${NEWEST}`,
  )
})

test('a migration that would leave damage is taken back, and says so', async () => {
  makeAt(path, NEWEST - 1)
  const sqlite = new Database(path)
  sqlite.exec(`create trigger damaging after insert on __drizzle_migrations
    begin delete from batches; end`)
  sqlite.close()
  expect(() => openSqlite(path)).toThrow('20 rows refer to what is not there, first in deliveries')
  const after = new Database(path)
  expect(after.prepare('select count(*) from __drizzle_migrations').pluck().get()).toBe(NEWEST - 1)
  after.close()
})

test('rows that referred to nothing before a migration do not stop it', async () => {
  makeAt(path, 6) // the next one refuses such rows
  const sqlite = new Database(path)
  sqlite.pragma('foreign_keys = OFF')
  sqlite.exec(`
    insert into sessions (external_id, group_id, therapist, starts_at_local, time_zone, duration_minutes, booking_url)
      values ('x-1', 999, 'Dr. X', '2027-01-15 19:00', 'Eastern', '90 min', x'00'), ('x-2', 999, '', 'soon', '', -5, '');`)
  sqlite.close()
  const store = openSqlite(path)
  expect(dbOf(store).$client.prepare('select external_id from sessions').pluck().all()).toEqual([
    'x-1',
    'x-2',
  ])
  await store.close()
})

test('without a copy nothing is migrated', async () => {
  makeAt(path, NEWEST - 1)
  const sqlite = new Database(path)
  sqlite.exec('drop table installation') // the copy cannot be marked as one
  sqlite.close()
  expect(() => openSqlite(path)).toThrow('was not migrated, as no copy of it could be made first')
  expect(readdirSync(folder)).toEqual(['openseat.db']) // nor a draft of the copy, with people in it
})

async function newSchema() {
  const store = openSqlite(join(folder, 'new.db'))
  const schema = schemaOf(dbOf(store).$client)
  await store.close()
  return schema
}

const schemaOf = (sqlite: Database.Database) =>
  sqlite.prepare('select type, name, tbl_name, sql from sqlite_master order by type, name').all()
