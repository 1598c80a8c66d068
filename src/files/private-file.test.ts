import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { aFolder } from '../../test/folder.ts'
import { openSqlite } from '../db/sqlite/open.ts'
import { writeWitness } from '../db/sqlite/witness-file.ts'
import { writePrivately } from './private-file.ts'

const modeOf = (file: string): number => statSync(file).mode & 0o777

test('a planted link is replaced and what it names stays; a file that others may read is replaced too', async () => {
  const folder = aFolder()
  const [victim, link, wide] = ['victim', 'link.html', 'wide.html'].map((name) => join(folder, name))
  writeFileSync(String(victim), 'of someone else')
  symlinkSync(String(victim), String(link))
  writeFileSync(String(wide), 'old')
  chmodSync(String(wide), 0o666)
  for (const file of [link, wide]) {
    await writePrivately(String(file), 'private')
    expect([readFileSync(String(file), 'utf8'), modeOf(String(file))]).toEqual(['private', 0o600])
  }
  expect(readFileSync(String(victim), 'utf8')).toBe('of someone else')
  expect(readdirSync(folder).sort()).toEqual(['link.html', 'victim', 'wide.html'])
})

test('what cannot be put in place leaves nothing behind', async () => {
  const folder = aFolder()
  const taken = join(folder, 'folder')
  mkdirSync(taken)
  await expect(writePrivately(taken, 'private')).rejects.toThrow()
  expect(readdirSync(folder)).toEqual(['folder'])
})

test('what root writes beside the database belongs to the owner of the database', async () => {
  if (process.getuid?.() !== 0) return expect(process.getuid?.()).not.toBe(0) // no one else may give files away
  const path = join(aFolder(), 'openseat.db')
  await openSqlite(path).close()
  chownSync(path, 1234, 1235)
  writeWitness(path, 3)
  expect(statSync(`${path}.epoch`)).toMatchObject({ uid: 1234, gid: 1235 })
})

test('the witness beside the database does not follow a planted link', async () => {
  const folder = aFolder()
  const path = join(folder, 'openseat.db')
  await openSqlite(path).close()
  const victim = join(folder, 'victim')
  writeFileSync(victim, 'of someone else')
  symlinkSync(victim, `${path}.epoch.new`)
  writeWitness(path, 3)
  expect(readFileSync(victim, 'utf8')).toBe('of someone else')
  expect(modeOf(`${path}.epoch`)).toBe(0o600)
})
