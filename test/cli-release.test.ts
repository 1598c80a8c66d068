import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { openInstallation } from '../src/open-installation.ts'
import { aSession, manySubscribers, testConfig } from './app.ts'
import { type Program, realProgram } from './cli.ts'
import { withDb } from './db.ts'

let program: Program
let file: string

beforeEach(async () => {
  program = await realProgram()
  file = join(program.folder, 'data/openseat.db')
})

afterEach(() => program.close())

test('every command and page says that a restored backup is on hold, and after its release no one is emailed twice', async () => {
  await withReaders(3)
  const copy = join(program.folder, 'copy.db')
  expect(await program.run(['backup', copy])).toMatchObject({ code: 0 })
  expect(await program.run(['edition', 'send', '--wait'])).toMatchObject({ code: 0 })
  for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
  copyFileSync(copy, file)

  const sent = await program.run(['edition', 'send', '--wait'])
  expect(sent).toMatchObject({ code: 1, err: expect.stringContaining('Not done: nothing goes out') })
  const list = await program.run(['edition', 'list'])
  expect(list.out).toContain('Held: nothing goes out, because the database was restored or copied: a backup')
  const shown = await program.run(['release'])
  expect(shown).toMatchObject({ code: 0, err: '' })
  expect(shown.out).toMatch(/due .*: not in this copy; up to 3 recipients\n/)
  expect(shown.out).toContain('openseat release --yes --go-on')

  const released = await program.run(['release', '--yes', '--json'])
  expect(released.code).toBe(0)
  expect(JSON.parse(released.out)).toMatchObject({
    held: false,
    released: true,
    reason: 'backup',
    marked: { unknown: 0, notices: 0, cancelled: [] },
  })
  const again = await program.run(['edition', 'send', '--wait'])
  expect(again).toMatchObject({ code: 0, out: expect.stringContaining('already exists and is cancelled') })
  expect([...program.resend.countByAddress().values()]).toEqual([1, 1, 1])
  expect(await program.run(['release', '--json'])).toMatchObject({
    code: 0,
    out: expect.stringContaining('"held": false'),
  })
}, 120_000)

/** Readers put in without the command line, which takes a second a call. */
async function withReaders(count: number): Promise<void> {
  const installation = withDb(await openInstallation(testConfig({ DATABASE_PATH: file })))
  aSession(installation, { startsAtLocal: '2099-12-01T19:00', repeats: 'once' })
  manySubscribers(installation, count)
  await installation.close()
}
