import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { type Program, realProgram } from './cli.ts'

let program: Program

beforeEach(async () => {
  program = await realProgram()
})

afterEach(() => program.close())

test('a command that meets a lock says what to look for; no crash prints an address, and no path moves the cursor', async () => {
  await program.run(['migrate'])
  const other = new Database(join(program.folder, 'data/openseat.db'))
  other.exec('begin immediate')
  const crash = join(program.folder, 'crash.mjs')
  const failure = `Object.assign(new Error('no luck with miles.o\\'needle@sample.test'), { code: 'X' })`
  writeFileSync(crash, `setTimeout(() => { throw ${failure} })`)
  const settings = { NODE_OPTIONS: `--import=${crash}` }
  const [locked, crashed] = await Promise.all([
    program.run(['sessions', 'add-topic', 'sleep', 'Sleep']),
    program.run(['start'], { settings }),
  ])
  other.close()
  const escaped = await program.run(['sessions', 'import', 'no\u001b[2Jsuch.csv'])
  expect(locked).toMatchObject({ code: 1, out: '' })
  expect(locked.err).toMatch(
    /^the database cannot be used: another program holds it locked; look for .* \(SQLITE_BUSY\)\n$/,
  )
  expect(crashed.code).toBe(1)
  expect(crashed.err).toContain('no luck with [address]')
  expect(crashed.err).not.toContain('needle')
  expect(escaped.code).toBe(2)
  expect(escaped.err).toContain('no\\u001b[2Jsuch.csv')
}, 90_000)

test('doctor --json gives the advice of each check as "mend"', async () => {
  const { out } = await program.run(['doctor', '--json'], { settings: { REDIS_URL: 'redis://127.0.0.1:1' } })
  const { checks } = JSON.parse(out) as { checks: Record<string, string>[] }
  expect(checks.find(({ name }) => name === 'settings')).toEqual({
    name: 'settings',
    status: 'warn',
    detail: expect.any(String),
    mend: expect.any(String),
  })
}, 90_000)
