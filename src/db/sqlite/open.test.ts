import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { dbOf } from '../../../test/db.ts'
import { openSqlite } from './open.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openseat-open-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

const rights = (path: string) => (statSync(path).mode & 0o777).toString(8)

test('a new database and the files beside it are for their owner alone, whatever the umask and the folder', async () => {
  const open = join(folder, 'open to all')
  const umask = process.umask(0)
  try {
    mkdirSync(open, { mode: 0o777 })
    const store = openSqlite(join(open, 'openseat.db'))
    const files = readdirSync(open)
    expect(files.sort()).toEqual(['openseat.db', 'openseat.db-shm', 'openseat.db-wal'])
    expect(files.map((file) => rights(join(open, file)))).toEqual(['600', '600', '600'])
    await store.close()
    await openSqlite(join(folder, 'made/for/it.db')).close()
    expect(rights(join(folder, 'made'))).toBe('700')
  } finally {
    process.umask(umask)
  }
})

test.each([
  ['with tables of its own', 'create table customers (id); create table __drizzle_migrations (id)'],
  ['in WAL mode', 'pragma journal_mode = WAL; create table customers (id)'],
  ['with an application id', 'pragma application_id = 42; create table editions (id)'],
  ['with half of our tables', 'create table editions (id); create table topics (id)'],
])('the database of another program, %s, is refused, and not a byte of it is changed', (_, sql) => {
  const path = join(folder, 'other.db')
  const other = new Database(path)
  other.exec(sql)
  other.close()
  const before = readFileSync(path)
  expect(() => openSqlite(path)).toThrow(
    /belongs to another program, and nothing was written to it; set DATABASE_PATH/,
  )
  expect(readFileSync(path).equals(before)).toBe(true)
  expect(readdirSync(folder)).toEqual(['other.db'])
})

test('an empty file, an empty database and our own of any age are opened', async () => {
  const empty = new Database(join(folder, 'empty.db'))
  empty.exec('create table t (id); drop table t')
  empty.close()
  await openSqlite(join(folder, 'empty.db')).close()

  const path = join(folder, 'ours.db')
  const first = openSqlite(path)
  expect(dbOf(first).$client.pragma('application_id', { simple: true })).toBe(1332768371)
  dbOf(first).$client.pragma('application_id = 0') // as of a release before there was one
  await first.close()
  await openSqlite(path).close()
})

test('a folder that cannot be made is refused with the reason', () => {
  writeFileSync(join(folder, 'a-file'), '')
  const path = join(folder, 'a-file', 'openseat.db')
  expect(() => openSqlite(path)).toThrow(
    /cannot be used: its folder cannot be made \(E\w+\); see DATABASE_PATH/,
  )
})
