import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { dbOf } from '../../test/db.ts'
import { openSqlite } from './sqlite/open.ts'
import { databaseTrouble } from './trouble.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openseat-trouble-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('tells what is wrong with a database that another program holds', async () => {
  const [mine, other] = [openSqlite(join(folder, 'a.db')), openSqlite(join(folder, 'a.db'))]
  dbOf(other).$client.exec('begin immediate')
  dbOf(mine).$client.pragma('busy_timeout = 0')
  expect(troubleIn(() => dbOf(mine).$client.exec('begin immediate'))).toMatch(
    /^another program holds it locked; look for .*close it or wait \(SQLITE_BUSY\)$/,
  )
  await other.close()
  await mine.close()
})

test('says why a database cannot be opened, and how to fix it', async () => {
  const file = join(folder, 'b.db')
  writeFileSync(file, 'this is no database, but it is long enough to be looked at as one'.repeat(20))
  expect(() => openSqlite(file)).toThrow(
    `the database ${file} cannot be used: its file is damaged, or not a database (SQLITE_NOTADB)`,
  )
  await openSqlite(join(folder, 'c.db')).close()
  chmodSync(join(folder, 'c.db'), 0o444)
  if (process.getuid?.() !== 0)
    expect(() => openSqlite(join(folder, 'c.db'))).toThrow('this user may not write')
})

test('takes nothing else for trouble with the database', async () => {
  expect(databaseTrouble(new Error('SQLITE_FULL'))).toBeNull()
  expect(databaseTrouble(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }))).toBeNull()
  expect(databaseTrouble(Object.assign(new Error('no'), { code: 'SQLITE_CONSTRAINT_UNIQUE' }))).toBeNull()
  expect(databaseTrouble(null)).toBeNull()
})

test('finds it in what an error was caused by', async () => {
  const full = Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
  expect(databaseTrouble(new Error('failed query', { cause: full }))).toBe('the disk is full (SQLITE_FULL)')
})

function troubleIn(work: () => unknown): string | null {
  try {
    work()
    return 'none'
  } catch (error) {
    return databaseTrouble(error)
  }
}
