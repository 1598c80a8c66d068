import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openInstallation } from '../src/open-installation.ts'
import { aSession, eventually, manySubscribers, testConfig } from './app.ts'
import { type Program, realProgram } from './cli.ts'
import { withDb } from './db.ts'

let program: Program
beforeAll(async () => {
  program = await realProgram()
})
afterAll(() => program.close())

const CTRL_C = '\u0003'

test('on a terminal, start says in words what happens, and Ctrl-C ends it', async () => {
  const { code, out } = await program.converse(['start'], [['Next edition: ', CTRL_C]])
  expect(code).toBe(0)
  expect(out).toMatch(/Openseat is running\. Pages: http:\S+ Next edition: Mon, /)
  expect(out).toContain('Press Ctrl-C again to stop now.')
  expect(out).not.toMatch(/[{}@]|"level"|serving/)
  const lines = out.replace('^C', '').trim().split('\n')
  for (const line of lines) expect(line).toMatch(/^\d{1,2}:\d\d:\d\d [AP]M {2}[A-Z]/)
}, 60_000)

test('anywhere else, start logs JSON lines', async () => {
  const { child, output, ended } = program.start(['start'])
  await eventually(() => output.err.includes('openseat is running'), 30_000)
  child.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 0, out: '' })
  const lines = output.err
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string })
  expect(lines.map(({ msg }) => msg)).toContain('stopped')
}, 60_000)

test('LOG_LEVEL says how much a terminal shows', async () => {
  const inDetail = await program.converse(['doctor'], [], { LOG_LEVEL: 'debug' })
  expect(inDetail.out).toMatch(/ [AP]M {2}REDIS_URL is not set: using a private Redis/)
  const usual = await program.converse(['doctor'], [], { LOG_LEVEL: 'info' })
  expect(usual.out).not.toMatch(/ [AP]M {2}|[{}]/)
  expect(usual.out).toMatch(/^(ok|warn) +settings/)
}, 60_000)

test('a send shows no JSON between its answers on a terminal, and says in words what went wrong', async () => {
  const installation = withDb(await openInstallation(testConfig(program.database)))
  aSession(installation, { startsAtLocal: '2099-12-01T19:00', repeats: 'once' })
  manySubscribers(installation, 2)
  await installation.close()
  const settings = { LOG_LEVEL: 'info', RESEND_API_KEY: 're_wrong' }
  const { code, out } = await program.converse(['edition', 'send', '--yes'], [], settings)
  expect(code).toBe(1)
  expect(out).toMatch(/ [AP]M {2}Edition \d{4}-\d\d-\d\d: planning, with 1 group time\./)
  expect(out).toMatch(
    / [AP]M {2}Error: Edition \S+ is paused: Resend refuses everything \(401 .*openseat edition resume/,
  )
  expect(out).not.toMatch(/[{}@]/)
}, 60_000)
