import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { aSubscriber, testApp } from '../../../test/app.ts'
import { openSqlite } from '../../db/sqlite/open.ts'
import { showSubscriber } from '../subscribers/records.ts'
import { backupTo } from './back-up.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openseat-backup-'))
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a backup is one whole file that only its owner can read, and never overwrites another', async () => {
  const app = await testApp({ file: true })
  aSubscriber(app, 'mara@sample.test')
  const file = join(folder, 'copy.db')
  await backupTo(app, file)
  expect(readdirSync(folder)).toEqual(['copy.db'])
  expect(statSync(file).mode & 0o777).toBe(0o600)

  const copy = openSqlite(file)
  expect(await showSubscriber({ ...app, store: copy }, 'mara@sample.test')).toMatchObject({ kind: 'found' })
  await copy.close()
  await expect(backupTo(app, file)).rejects.toThrow('exists already; name a new file')
  await expect(backupTo(app, join(folder, 'missing/copy.db'))).rejects.toThrow('(ENOENT)')
})
