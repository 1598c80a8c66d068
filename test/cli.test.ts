import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import { type Program, realProgram } from './cli.ts'

const SESSIONS = `external_id,group,topic,therapist,starts_at,time_zone,booking_url
steady,Steady Ground,anxiety,Dr. Mira Lee,2026-12-01T19:00,America/New_York,https://book.harbor.test/steady`

let program: Program

beforeEach(async () => {
  program = await realProgram()
})

afterEach(() => program.close())

test('an operator imports, previews, sends, looks and explains', async () => {
  expect(await program.run(['sessions', 'import', '-'], { input: SESSIONS })).toMatchObject({ code: 0 })
  const people = await program.run(['subscribers', 'import', '-', '--consent', 'on paper', '--json'], {
    input: [
      'email',
      ...Array.from({ length: 120 }, (_, n) => `reader-${n}@sample.test`),
      'mara@sample.test',
    ].join('\n'),
  })
  expect(JSON.parse(people.out)).toEqual({ added: 121, updated: 0, unchanged: 0, rejected: [] })
  const preview = await program.run(['edition', 'preview', '--json'])
  expect(JSON.parse(preview.out)).toMatchObject({
    candidates: 121,
    recipients: 121,
    files: { html: 'preview/digest.html' },
  })
  expect(readFileSync(join(program.folder, 'preview/digest.txt'), 'utf8')).toContain('Steady Ground')
  const kinds = ['most-topics', 'no-topics', 'other-zone', 'discreet', 'spanish', 'after-pause']
  const files = kinds.flatMap((kind) => ['html', 'txt', 'eml', 'page.html'].map((end) => `${kind}.${end}`))
  expect(readdirSync(join(program.folder, 'preview'))).toEqual(
    expect.arrayContaining([...files, 'preview.html']),
  )
  const side = parse(readFileSync(join(program.folder, 'preview/preview.html'), 'utf8'))
  expect(side.querySelectorAll('iframe')).toHaveLength(7 * 4)
  expect(program.resend.accepted).toHaveLength(0)

  const copy = await program.run(['edition', 'test', '--to', 'op@sample.test', '--json'])
  expect(copy).toMatchObject({ code: 0, err: '' })
  expect(program.resend.accepted.splice(0).map(({ to, subject }) => [to, subject])).toEqual([
    [['op@sample.test'], '[Test] 1 new group time this week'],
  ])

  const sent = await program.run(['edition', 'send', '--wait', '--json'])
  expect(sent.code).toBe(0)
  const document = JSON.parse(sent.out)
  expect(document).toMatchObject({
    state: 'submitted',
    candidates: 121,
    submitted: 121,
    excluded: {},
    waiting: 0,
    batches: 2,
  })
  expect(program.resend.accepted).toHaveLength(121)

  const shown = await program.run(['edition', 'show', document.id, '--json'])
  expect(JSON.parse(shown.out)).toEqual(document)
  const past = await program.run(['edition', 'preview', document.id, '--out', 'past'])
  expect(past).toMatchObject({ code: 0, err: '' })
  expect(past.out).toMatch(
    /^Edition \d{4}-\d\d-\d\d, as it was:\n[^]*Layout and words are those of that time\.\n$/,
  )
  expect(readFileSync(join(program.folder, 'past/digest.txt'), 'utf8')).toContain('Steady Ground')
  const own = await program.run(['edition', 'preview', document.id, '--for', 'mara@sample.test', '--json'])
  expect(JSON.parse(own.out)).toMatchObject({ layout: 'then', reader: { kind: 'mail' }, page: null })
  const explained = await program.run(['explain', 'mara@sample.test', document.id])
  expect(explained).toMatchObject({ code: 0, err: '' })
  expect(explained.out).toMatch(/^Emailed: the provider accepted the email on /)
}, 60_000)

test('help and version need no settings', async () => {
  const none = { settings: { LINK_SECRET: '', MAIL_FROM: '' } }
  expect(await program.run(['--version'], none)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    err: '',
  })
  const help = await program.run(['edition', 'resend', '--help'], none)
  expect(help).toMatchObject({ code: 0, out: expect.stringContaining('--unknown'), err: '' })
})

test('a wrong argument or setting is reported in one line, without an address, and exits with 2', async () => {
  const wrong: [string[], string][] = [
    [['edition', 'show', 'last'], 'ID is not the id of an edition; write its date, for example 2026-11-23'],
    [
      ['edition', 'show', '2026-11-16'],
      'there is no edition 2026-11-16; "openseat edition list" shows those there are',
    ],
    [
      ['edition', 'resend', '2026-11-16', '--all'],
      '--all sends it to everyone a second time; add --yes if you mean that',
    ],
    [
      ['sessions', 'add', '--group', 'Steady Ground'],
      'sessions add needs --topic, --therapist, --starts-at and --booking-url; on a terminal it asks for them',
    ],
    [
      [
        ...[
          'sessions',
          'add',
          '--group',
          'A',
          '--topic',
          'odc',
          '--therapist',
          'B',
          '--starts-at',
          '13/1/2027 7 PM',
        ],
        ...['--booking-url', 'https://book.harbor.test/a'],
      ],
      '--topic has the unknown topic "odc"; did you mean "ocd"?\n--starts-at is "13/1/2027 7 PM", but there is no month 13; write the month first, like 1/13/2027 7:00 PM, or 2026-12-01T19:00',
    ],
    [['sessions', 'full', 'steady'], 'there is no session "steady"; "openseat sessions list" shows all'],
    [['subscribers', 'show', 'nobody@sample.test'], 'EMAIL: this address is not on the list'],
    [
      ['subscribers', 'allow', 'nobody@sample.test', '--consent', 'on the phone'],
      'EMAIL: this address is not on the list',
    ],
    [['subscribers', 'mara@sample.test'], 'unknown command [address] (see --help)'],
    [
      ['sessions', 'import', 'nothing.csv'],
      'cannot read nothing.csv (ENOENT); check the path and who may read it',
    ],
  ]
  for (const [args, says] of wrong)
    expect(await program.run(args)).toEqual({ code: 2, out: '', err: `${says}\n` })
  const unset = await program.run(['edition', 'list'], { settings: { LINK_SECRET: '' } })
  expect(unset).toMatchObject({ code: 2, out: '', err: expect.stringContaining('LINK_SECRET is missing') })
}, 60_000)

test('erasing twice succeeds, and allow says that only the person can undo it', async () => {
  await program.run(['subscribers', 'import', '-', '--consent', 'on paper'], {
    input: 'email\nmara@sample.test',
  })
  const shown = await program.run(['subscribers', 'show', 'mara@sample.test'])
  expect(shown.out).toMatch(/consent +on paper, given with an import, \d{4}-\d\d-\d\d\n/)
  const left = await program.run(['subscribers', 'unsubscribe', 'mara@sample.test'])
  expect(left).toMatchObject({ code: 0, out: 'Unsubscribed mara@sample.test.\n' })
  const back = await program.run(['subscribers', 'resubscribe', 'mara@sample.test'])
  expect(back).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^Resubscribed mara@sample.test. The next/),
  })
  const allow = ['subscribers', 'allow', 'mara@sample.test', '--consent', 'on the phone', '--json']
  const allowed = await program.run(allow)
  expect([allowed.code, JSON.parse(allowed.out)]).toEqual([0, { outcome: 'not-suppressed' }])
  for (const outcome of ['erased', 'already']) {
    const erased = await program.run(['subscribers', 'erase', 'mara@sample.test', '--json'])
    expect([erased.code, JSON.parse(erased.out)]).toMatchObject([0, { outcome }])
  }
  const refused = await program.run(allow.slice(0, -1))
  expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('They can only come back') })
}, 60_000)

test('a file with problems imports nothing and ends with 2, each problem by line and field', async () => {
  const bad = await program.run(['sessions', 'import', '-', '--json'], {
    input: SESSIONS.replace('anxiety', 'anxity'),
  })
  expect(bad.code).toBe(2)
  expect(JSON.parse(bad.out)).toMatchObject({ added: 0, rejected: [{ line: 2, field: 'topic' }] })
  expect(JSON.parse((await program.run(['sessions', 'list', '--json'])).out)).toEqual([])
}, 60_000)

test('a start that cannot listen says so and ends, with its Redis', async () => {
  const squatter = createServer()
  const port = await new Promise<number>((resolve) =>
    squatter.listen(0, '127.0.0.1', () => resolve((squatter.address() as { port: number }).port)),
  )
  const { code, err } = await program.run(['start'], { settings: { PORT: String(port) } })
  squatter.close()
  expect(err).toContain(`cannot listen on 127.0.0.1:${port} (EADDRINUSE)`)
  expect(code).toBe(1)
}, 60_000)
