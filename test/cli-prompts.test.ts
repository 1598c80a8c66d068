import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { auditLog } from '../src/db/schema/installation.ts'
import { openInstallation } from '../src/open-installation.ts'
import { aSession, manySubscribers, testConfig } from './app.ts'
import { type Program, realProgram } from './cli.ts'
import { withDb } from './db.ts'

const [ENTER, CTRL_C, CTRL_D] = ['\r', '\u0003', '\u0004']

let program: Program

beforeEach(async () => {
  program = await realProgram()
})

afterEach(() => program.close())

test('sessions add asks, says why an answer is not right, asks again, and adds what was agreed', async () => {
  const added = await program.converse(
    ['sessions', 'add', '--kind', 'therapy', '--time-zone', 'Eastern'],
    [
      ['Group: ', `Steady Ground${ENTER}`],
      ['trauma-and-ptsd', ''],
      ['Topic: ', `anxity${ENTER}`],
      ['did you mean "anxiety"?', ''],
      ['Topic: ', `Grief and loss${ENTER}`],
      ['Therapist: ', ENTER],
      ['Therapist is missing; write who leads the group.', ''],
      ['Therapist: ', `Dr. Mira Lee${ENTER}`],
      ['First start (like 12/1/2026 7:00 PM): ', `13/1/2027${ENTER}`],
      ['there is no month 13', ''],
      ['First start (like 12/1/2026 7:00 PM): ', `12/1/2099 7:00 PM${ENTER}`],
      ['more than two years ahead', ''],
      ['First start (like 12/1/2026 7:00 PM): ', `12/1/2026 7:00 PM${ENTER}`],
      ['Repeats (weekly or once) [weekly]: ', ENTER],
      ['Minutes [90]: ', `75${ENTER}`],
      ['Spots left (Enter to leave out): ', ENTER],
      ['Booking link: ', `https://book.harbor.test/steady${ENTER}`],
      ['weekly, 75 minutes', ''],
      ['Add it? [Y/n] ', ENTER],
    ],
  )
  expect(added).toMatchObject({ code: 0, unasked: [] })
  expect(added.out).toMatch(/Added steady-ground-tue-1900 \(number 1\)/)

  const declined = await program.converse(
    ['sessions', 'add', '--group', 'steady ground', '--starts-at', '12/3/2026 6 PM'],
    [
      ['Topic [grief-and-loss]: ', ENTER],
      ['Kind (therapy or skills) [therapy]: ', ENTER],
      ['Therapist [Dr. Mira Lee]: ', ENTER],
      ['Time zone [America/New_York]: ', ENTER],
      ['Repeats (weekly or once) [weekly]: ', ENTER],
      ['Minutes [75]: ', ENTER],
      ['Spots left (Enter to leave out): ', `2${ENTER}`],
      ['Booking link [https://book.harbor.test/steady]: ', ENTER],
      ['Add it? [Y/n] ', `n${ENTER}`],
    ],
  )
  expect(declined).toMatchObject({ code: 1, unasked: [], out: expect.stringContaining('nothing was added') })
  expect(await sessions()).toEqual([
    {
      ...{ externalId: 'steady-ground-tue-1900', group: 'Steady Ground', topicSlug: 'grief-and-loss' },
      ...{ startsAtLocal: '2026-12-01T19:00', timeZone: 'America/New_York', durationMinutes: 75 },
    },
  ])
  const list = await program.run(['sessions', 'list'])
  expect(list.out).toMatch(/^1 +steady-ground-tue-1900 +Tue \d{4}-\d\d-\d\d 19:00 /m)
  expect(await audited()).toEqual([['session added', '1']])
}, 90_000)

test('Ctrl-C and Ctrl-D in the middle of the questions add nothing', async () => {
  for (const key of [CTRL_C, CTRL_D]) {
    const stopped = await program.converse(
      ['sessions', 'add'],
      [
        ['Group: ', `Steady Ground${ENTER}`],
        ['Topic: ', key],
      ],
    )
    expect(stopped).toMatchObject({
      code: 130,
      unasked: [],
      out: expect.stringContaining('Stopped. Nothing was added.'),
    })
  }
  expect(await sessions()).toEqual([])
}, 60_000)

test('edition send and resend --all show how many people they would email, and do nothing without a yes', async () => {
  await withReaders(3)
  for (const [key, code] of [
    [ENTER, 1],
    [CTRL_C, 130],
  ] as const) {
    const refused = await program.converse(['edition', 'send', '--wait'], [['to 3 people now? [y/N] ', key]])
    expect(refused).toMatchObject({ code, unasked: [], out: expect.stringContaining('othing was sent.') })
  }
  expect(JSON.parse((await program.run(['edition', 'list', '--json'])).out)).toEqual([])

  const sent = await program.converse(
    ['edition', 'send', '--wait'],
    [['to 3 people now? [y/N] ', `y${ENTER}`]],
  )
  expect(sent).toMatchObject({ code: 0, unasked: [] })
  expect(program.resend.accepted).toHaveLength(3)
  const [{ id }] = JSON.parse((await program.run(['edition', 'list', '--json'])).out)

  const resend = ['edition', 'resend', id, '--all']
  const question = `Send edition ${id} again to 3 people who already got it? [y/N] `
  expect(await program.converse(resend, [[question, ENTER]])).toMatchObject({ code: 1, unasked: [] })
  expect(await program.run(resend)).toMatchObject({ code: 2, err: expect.stringContaining('add --yes') })
  const again = await program.converse(resend, [[question, `yes${ENTER}`]])
  expect(again).toMatchObject({ code: 0, unasked: [] })
  expect(again.out).toContain(`Resend #1 of edition ${id} planned for 3 recipients.`)
}, 120_000)

test('edition send does not ask what --yes answers, nor where there is no terminal', async () => {
  await withReaders(1)
  const yes = await program.converse(['edition', 'send', '--wait', '--yes'], [['[y/N]', ENTER]])
  expect(yes).toMatchObject({ code: 0, unasked: ['[y/N]'] })
  expect(await program.run(['edition', 'send', '--wait'])).toMatchObject({ code: 0 })
  expect(program.resend.accepted).toHaveLength(1)
}, 60_000)

test('subscribers erase names who would be deleted, and does it only after a yes', async () => {
  await withReaders(1)
  const erase = ['subscribers', 'erase', 'reader-1@sample.test']
  const question =
    'Permanently delete 1 person, reader-1@sample.test (active), and everything stored about them?'
  const refused = await program.converse(erase, [
    [question, ''],
    ['[y/N] ', `nope${ENTER}`],
  ])
  expect(refused).toMatchObject({
    code: 1,
    unasked: [],
    out: expect.stringContaining('Not done: nothing was erased.'),
  })
  expect(await program.run(['subscribers', 'show', 'reader-1@sample.test'])).toMatchObject({ code: 0 })
  const erased = await program.converse(erase, [['[y/N] ', `y${ENTER}`]])
  expect(erased).toMatchObject({ code: 0, unasked: [], out: expect.stringContaining('Erased') })
}, 60_000)

async function sessions(): Promise<object[]> {
  const listed = JSON.parse((await program.run(['sessions', 'list', '--json'])).out) as Record<
    string,
    unknown
  >[]
  return listed.map(({ externalId, group, topicSlug, startsAtLocal, timeZone, durationMinutes }) => ({
    ...{ externalId, group, topicSlug, startsAtLocal, timeZone, durationMinutes },
  }))
}

async function audited(): Promise<[string, string][]> {
  const installation = withDb(await openInstallation(testConfig(program.database)))
  const rows = installation.db.select().from(auditLog).all()
  await installation.close()
  return rows.map(({ action, subject }) => [action, subject])
}

/** Readers put in without the command line, which takes a second a call. */
async function withReaders(count: number): Promise<void> {
  const installation = withDb(await openInstallation(testConfig(program.database)))
  aSession(installation, { startsAtLocal: '2099-12-01T19:00', repeats: 'once' })
  manySubscribers(installation, count)
  await installation.close()
}
