import { expect, test } from '@jest/globals'
import { logLine } from './log-line.ts'

const EDITION = { edition: '2026-11-30' }
const BATCH = { ...EDITION, batch: 2, generation: 0, attempt: 1 }

test.each([
  [
    30,
    'openseat is running',
    {
      practice: 'Harbor',
      address: 'http://127.0.0.1:3000',
      serves: 'pages',
      redis: 'private',
      nextEdition: 'Mon, Nov 30, 9:00 AM EST',
    },
    'Openseat is running. Pages: http://127.0.0.1:3000 Next edition: Mon, Nov 30, 9:00 AM EST.',
  ],
  [
    30,
    'openseat is running',
    { redis: 'private', nextEdition: 'Mon, Nov 30' },
    'Openseat is running. Next edition: Mon, Nov 30.',
  ],
  [
    30,
    'planning an edition',
    { ...EDITION, sessions: 1 },
    'Edition 2026-11-30: planning, with 1 group time.',
  ],
  [
    30,
    'batch submitted',
    { ...BATCH, submitted: 1200, failed: 0 },
    'Edition 2026-11-30: 1,200 emails submitted to Resend (batch 2).',
  ],
  [
    30,
    'batch submitted',
    { ...BATCH, submitted: 99, failed: 1 },
    'Edition 2026-11-30: 99 emails submitted to Resend (batch 2); 1 refused, see: openseat edition show 2026-11-30.',
  ],
  [
    30,
    'edition submitted',
    EDITION,
    'Edition 2026-11-30 is finished. To see what became of it: openseat edition show 2026-11-30',
  ],
  [
    50,
    'the provider refuses everything: the edition is paused; fix it, then `edition resume`',
    { ...BATCH, reason: '401 validation_error: API key is invalid' },
    'Error: Edition 2026-11-30 is paused: Resend refuses everything (401 validation_error: API key is invalid). Fix that, then: openseat edition resume 2026-11-30',
  ],
  [
    40,
    'no certain answer; the same bytes go out again under the same key',
    { ...BATCH, reason: '502', again: '2026-11-30T14:05:00.000Z' },
    'Warning: Edition 2026-11-30, batch 2: no certain answer from Resend (502). The same emails go out again at 14:05 under the same key, so no one gets two.',
  ],
  [
    30,
    'notice submitted',
    { notice: 7, kind: 'fresh-data', state: 'submitted' },
    'One email submitted to Resend: fresh data.',
  ],
  [30, 'unsubscribe', { outcome: 'unsubscribed' }, 'Someone unsubscribed.'],
  [30, 'unsubscribe', { outcome: 'already' }, 'Unsubscribe (outcome: already)'],
  [
    40,
    'Redis is away; the next sweep enqueues again what is owed',
    { detail: 'connect ECONNREFUSED', repeated: 39 },
    'Warning: Redis is away; the next sweep enqueues again what is owed: connect ECONNREFUSED (39 more times since the last line)',
  ],
  [
    50,
    'a request failed',
    { route: '/sessions', error: 'Error: no such table\n    at Database.prepare' },
    'Error: A request failed: Error: no such table (route: /sessions)',
  ],
  [
    50,
    'a batch became unknown',
    { ...EDITION, batch: 2, reason: 'too old' },
    'Error: Edition 2026-11-30, batch 2: a batch became unknown: too old',
  ],
  [
    50,
    'trouble',
    { err: { type: 'Error', message: 'no disk', stack: 'Error: no disk\n at x' } },
    'Error: Trouble: no disk',
  ],
  [30, 'constructor', {}, 'Constructor'],
])('level %i, %s', (level, msg, fields, line) => {
  expect(told({ level, msg, ...fields })).toBe(`14:00  ${line}`)
})

test('requests and where Redis is are told only in detail', () => {
  const quiet = [
    { level: 30, msg: 'answered', method: 'GET', route: '/', status: 200, ms: 3 },
    { level: 30, msg: 'REDIS_URL is not set: using a private Redis', redis: '/usr/bin/redis-server' },
  ]
  expect(quiet.map((record) => told(record))).toEqual([null, null])
  expect(told(quiet[0] ?? {}, true)).toBe('14:00  Answered (method: GET, route: /, status: 200, ms: 3)')
  expect(told({ level: 40, msg: 'answered' })).toBe('14:00  Warning: Answered')
})

test('a line is one line, and moves no cursor', () => {
  expect(told({ level: 40, msg: 'odd\u001b[2J', reason: 'a\nb', field: 'c\nd' })).toBe(
    String.raw`14:00  Warning: Odd\u001b[2J: a (field: c d)`,
  )
})

const told = (record: Record<string, unknown>, inDetail = false) =>
  logLine({ time: '2026-11-30T14:00:00.000Z', ...record }, inDetail, (at) => at.toISOString().slice(11, 16))
