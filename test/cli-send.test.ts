import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { openInstallation } from '../src/open-installation.ts'
import { aSession, eventually, manySubscribers, testConfig } from './app.ts'
import { type Program, realProgram } from './cli.ts'
import { withDb } from './db.ts'

let program: Program

beforeEach(async () => {
  program = await realProgram()
})

afterEach(() => program.close())

/** Readers put in without the command line, which takes a second a call. */
async function withReaders(count: number): Promise<void> {
  const installation = withDb(await openInstallation(testConfig(program.database)))
  aSession(installation, { startsAtLocal: '2099-12-01T19:00', repeats: 'once' })
  manySubscribers(installation, count)
  await installation.close()
}

test('a send killed before the provider answers is finished by the next one, and no one is emailed twice', async () => {
  await withReaders(400)
  program.resend.inject({ kind: 'hang-after-accept', times: 2 })
  const killed = program.start(['edition', 'send', '--wait'])
  await eventually(() => program.resend.accepted.length >= 200, 30_000)
  killed.child.kill('SIGKILL')
  await killed.ended
  program.resend.clearFaults()

  const sent = await program.run(['edition', 'send', '--wait', '--json'])
  expect(sent).toMatchObject({ code: 0, err: expect.stringContaining('already exists and is unfinished') })
  expect(JSON.parse(sent.out)).toMatchObject({
    state: 'submitted',
    submitted: 400,
    failed: 0,
    unknown: 0,
    waiting: 0,
  })
  expect([...program.resend.countByAddress().values()]).toEqual(Array.from({ length: 400 }, () => 1))
}, 90_000)

test('an edition that the provider stops ends paused, with the reason and what to do', async () => {
  await withReaders(1)
  const sent = await program.run(['edition', 'send'], { settings: { RESEND_API_KEY: 're_wrong' } })
  expect(sent.code).toBe(1)
  expect(sent.out).toMatch(/paused {6}401 .*API key is invalid/)
  expect(sent.out).toMatch(/Once fixed: openseat edition resume \d{4}-\d\d-\d\d\n$/)
}, 60_000)

test('start runs until SIGTERM, and takes an edition that is handed over', async () => {
  await withReaders(4)
  const running = program.start(['start'])
  await eventually(() => running.output.err.includes('openseat is running'), 30_000)
  const sent = await program.run(['edition', 'send'])
  expect(sent).toMatchObject({ code: 0, out: expect.stringContaining('The running worker will submit it') })
  await eventually(() => program.resend.accepted.length === 4)
  running.child.kill('SIGTERM')
  const { code, out, err } = await running.ended
  expect({ code, out }).toEqual({ code: 0, out: '' })
  expect(err).not.toContain('@')
}, 60_000)
