import { expect, test } from '@jest/globals'
import {
  aSession,
  aSubscriber,
  MONDAY,
  planNow,
  submitOwed,
  type TestApp,
  testApp,
  testOnSqlite,
} from '../../../test/app.ts'
import { onPostgres, uncheck } from '../../../test/db.ts'
import { previewEdition } from '../../actions/editions/preview.ts'
import { namesOfLeftOut } from '../../actions/sessions/left-out.ts'
import { submitNotice } from '../../actions/subscribers/notices.ts'
import { checkEditions } from '../../doctor/editions.ts'
import { buildServer } from '../../http/server.ts'
import { sweep } from '../../recurring.ts'
import { allSessions, leftOutSessions } from './sessions.ts'

const VALUES = {
  ...{ external_id: 'p-1', group_id: 1, therapist: 'Dr. P', starts_at_local: '2027-01-14T19:00' },
  ...{ time_zone: 'America/New_York', duration_minutes: 90, repeats: 'weekly', occurrences: null },
  ...{ seats_total: null, seats_left: null, status: 'open', booking_url: 'https://b.test/p' },
}

const BAD_SESSIONS: [column: string, value: unknown][] = [
  ['starts_at_local', '2027-01-14 19:00'],
  ['starts_at_local', '2027-01-14 19:00:00'],
  ['starts_at_local', '2027-01-14T19:00Z'],
  ['starts_at_local', '2027-02-29T19:00'],
  ['starts_at_local', '2027-01-14T24:00'],
  ['starts_at_local', 'now'],
  ['starts_at_local', ''],
  ['starts_at_local', 20270114],
  ['time_zone', 'Eastern Standard Time'],
  ['time_zone', 'EST5'],
  ['time_zone', 'america/new_york'],
  ['time_zone', ''],
  ['duration_minutes', '90 min'],
  ['duration_minutes', 0],
  ['duration_minutes', -5],
  ['duration_minutes', 1441],
  ['duration_minutes', 1.5],
  ['occurrences', 521],
  ['occurrences', 'eight'],
  ['seats_left', 'many'],
  ['seats_total', -1],
  ['booking_url', 'javascript:alert(1)'],
  ['booking_url', 'https://b.test/a b'],
  ['booking_url', 'book here'],
  ['group_id', 999],
  ['therapist', ''],
  ['therapist', 'Dr.\u0000P'],
  ['therapist', 'Dr. \u202eP'],
  ['therapist', Buffer.from('Dr. P')],
  ['external_id', ' '],
]

test.each(['insert', 'update'])(
  'the database refuses a bad column of a session by %s, and names it',
  async (verb) => {
    const app = await testApp()
    aSession(app, { externalId: 'good' })
    app.db.$client.pragma('foreign_keys = OFF') // as in SQLite's shell
    for (const [column, value] of BAD_SESSIONS) {
      if (onPostgres && Buffer.isBuffer(value)) continue // there it is text
      const write = () =>
        verb === 'insert'
          ? insert(app, 'sessions', { ...VALUES, [column]: value })
          : app.db.$client.prepare(`update sessions set ${column} = ?`).run(value)
      expect(write).toThrow(refusal(column))
    }
    expect(await allSessions(app.store)).toMatchObject([{ externalId: 'good', seq: 1, news: 'new' }])
  },
)

/** What each engine says: Postgres has typed columns, and a text without zero bytes. */
function refusal(column: string): string | RegExp {
  if (!onPostgres) return `sessions.${column}: `
  return new RegExp(
    `sessions\\.${column}: |invalid input syntax for type bigint|invalid byte sequence|cannot be cast`,
  )
}

const GOOD: [column: string, value: unknown][] = [
  ['time_zone', 'UTC'],
  ['time_zone', 'Europe/Kyiv'],
  ['time_zone', 'US/Eastern'],
  ['time_zone', 'Asia/Calcutta'],
  ['starts_at_local', '2028-02-29T00:00:00'],
  ['duration_minutes', '45'], // SQLite's own column type makes it a number
  ['occurrences', 520],
  ['seats_left', 0],
  ['booking_url', 'http://b.test/?a=b&c#d'],
  ['therapist', 'Dra. Inés Roy, 李'],
]

test.each(GOOD)('it takes %s %s', async (column, value) => {
  const app = await testApp()
  aSession(app)
  insert(app, 'sessions', { ...VALUES, [column]: value })
  expect(await leftOutSessions(app.store)).toEqual([])
})

const OTHERS: [table: string, row: Record<string, unknown>, says: string][] = [
  ['topics', { slug: 'Two words', name: 'Two words' }, 'topics.slug: '],
  ['topics', { slug: 'calm', name: 'Calm\u202e' }, 'topics.name: '],
  ['topics', { slug: 'calm', name: ' ' }, 'topics.name: '],
  ['groups', { topic_id: 99, title: 'Calm' }, 'groups.topic_id: '],
  ['groups', { topic_id: 1, title: '' }, 'groups.title: '],
  ['groups', { topic_id: 1, title: 'Calm', url: 'calm.test' }, 'groups.url: '],
  ['groups', { topic_id: 1, title: 'Calm', summary: 'x'.repeat(301) }, 'groups.summary: '],
  ['groups', { topic_id: 1, title: 'Calm', summary: 'For you.\nAnd you.' }, 'groups.summary: '],
  ['groups', { topic_id: 1, title: 'Calm', language: 'Spanish' }, 'groups.language: '],
  ['groups', { topic_id: 1, title: 'Calm', language: 'ES' }, 'groups.language: '],
  ['groups', { topic_id: 1, title: 'Calm', place: 'Room \u202e2' }, 'groups.place: '],
  ['groups', { topic_id: 1, title: 'Calm', price: '$'.repeat(201) }, 'groups.price: '],
  ['topics', { slug: 'calm', name: 'Calm', names: 'Calma' }, 'topics.names: '],
  ['topics', { slug: 'calm', name: 'Calm', names: '["Calma"]' }, 'topics.names: '],
  ['topics', { slug: 'calm', name: 'Calm', names: '{"es":7}' }, 'topics.names: '],
  ['topics', { slug: 'calm', name: 'Calm', names: '{"es":" "}' }, 'topics.names: '],
  ['topics', { slug: 'calm', name: 'Calm', names: '{"es":"Cal\\nma"}' }, 'topics.names: '],
  ['topics', { slug: 'calm', name: 'Calm', names: '{"Spanish":"Calma"}' }, 'topics.names: '],
  ['subscribers', { email: 'Ada@sample.test' }, 'subscribers.email: '],
  ['subscribers', { email: 'ada@sample.test ' }, 'subscribers.email: '],
  ['subscribers', { email: 'ada' }, 'subscribers.email: '],
  ['subscribers', { time_zone: 'Pacific Standard Time' }, 'subscribers.time_zone: '],
  ['subscribers', { locale: 'english, please' }, 'subscribers.locale: '],
  ['subscribers', { status: 'subscribed' }, 'subscribers.status: '],
  ['subscribers', { cadence: 'daily' }, 'subscribers.cadence: '],
  ['subscribers', { paused_until: 'tomorrow' }, 'subscribers.paused_until: '],
]

test('and bad topics, groups and subscribers', async () => {
  const app = await testApp()
  app.db.$client.pragma('foreign_keys = OFF')
  const person = {
    ...{ public_id: 'x', email: 'ada@sample.test', email_hash: 'h', status: 'active', time_zone: 'UTC' },
    created_at: 1,
  }
  for (const [table, row, says] of OTHERS)
    expect(() => insert(app, table, table === 'subscribers' ? { ...person, ...row } : row)).toThrow(
      onPostgres && 'paused_until' in row ? 'invalid input syntax for type bigint' : says,
    )
  insert(app, 'subscribers', person)
})

test('a change of a group or topic is held to the same, and what is sound is taken', async () => {
  const app = await testApp()
  aSession(app, { group: 'Calm' })
  const change = (table: string, set: string) => () => app.db.$client.exec(`update ${table} set ${set}`)
  for (const [table, set, says] of [
    ['groups', `summary = '${'x'.repeat(301)}'`, 'groups.summary: '],
    ['groups', "language = 'spanish'", 'groups.language: '],
    ['groups', `place = '${'x'.repeat(201)}'`, 'groups.place: '],
    ['groups', `price = '${'x'.repeat(201)}'`, 'groups.price: '],
    ['topics', "names = 'Calma'", 'topics.names: '],
  ] as const)
    expect(change(table, set)).toThrow(says)
  change(
    'groups',
    "summary = 'For all.', language = 'es', place = 'Online', price = '$40', url = 'https://b.test/g'",
  )()
  change('topics', `names = '{"es":"Calma"}'`)()
  expect(await allSessions(app.store)).toMatchObject([
    {
      ...{ summary: 'For all.', language: 'es', place: 'Online', price: '$40', groupUrl: 'https://b.test/g' },
      topicNames: { es: 'Calma' },
    },
  ])
})

test('what gets past in a group is not said, and its sessions stay', async () => {
  const app = await testApp()
  aSession(app, { group: 'Calm' })
  uncheck(app.db, 'groups')
  uncheck(app.db, 'topics')
  app.db.$client.exec(
    `
    update groups set summary = ' ', language = 'Spanish', place = 'Room' || char(10) || '2', url = 'javascript:alert(1)';
    update topics set names = 'Calma'`.replaceAll('char(', onPostgres ? 'chr(' : 'char('),
  )
  expect(await allSessions(app.store)).toMatchObject([
    { summary: null, language: null, place: 'Room 2', groupUrl: null, price: null, topicNames: {} },
  ])
})

test('a group or topic in use cannot be deleted or renumbered, with or without foreign keys enforced', async () => {
  const app = await testApp()
  aSession(app)
  app.db.$client.pragma('foreign_keys = OFF')
  for (const table of ['groups', 'topics'])
    for (const sql of [`delete from ${table}`, `update ${table} set id = id + 100`])
      expect(() => app.db.$client.exec(sql)).toThrow(`${table}.id: `)
  app.db.$client.exec("delete from sessions; delete from groups; delete from topics where slug = 'anxiety'")
})

testOnSqlite('an old bad row can be corrected field by field, and its seats kept', async () => {
  const app = await poisoned()
  app.db.$client.exec(TRIGGERS_BACK)
  app.db.$client.exec(`update sessions set seats_left = 2 where external_id = 'p-0'`)
  app.db.$client.exec(`update sessions set starts_at_local = '2027-01-14T19:00' where external_id = 'p-0'`)
  expect((await leftOutSessions(app.store)).map(({ externalId }) => externalId)).not.toContain('p-0')
  expect(() =>
    app.db.$client.exec(`update sessions set duration_minutes = 'long' where external_id = 'p-0'`),
  ).toThrow('sessions.duration_minutes')
})

test('what gets past is left out alone: pages, feed, calendars, preview and edition go on', async () => {
  const app = await poisoned()
  aSubscriber(app, 'ada@sample.test', { calendarKey: 'adas-calendar' })
  const server = await buildServer(app)
  const bad = app.db.$client.prepare("select id from sessions where external_id like 'p-%'").pluck().all()
  for (const url of ['/', '/sessions', '/feed.xml', '/calendar/adas-calendar.ics']) {
    const { statusCode, body } = await server.inject(url)
    expect([url, statusCode]).toEqual([url, 200])
    expect(body).not.toMatch(/NaN|Invalid|Dr\. P/)
    expect(body).toMatch(/Steady Ground|BEGIN:VEVENT/)
  }
  for (const id of bad) expect((await server.inject(`/sessions/${String(id)}.ics`)).statusCode).toBe(404)
  expect(await previewEdition(app, { readers: true })).toMatchObject({ recipients: 1 })

  const id = await planNow(app)
  expect(await submitOwed(app)).toMatchObject([{ kind: 'submitted' }])
  expect(app.resend.accepted).toHaveLength(1)
  expect(app.resend.accepted[0]?.text).not.toMatch(/NaN|Dr\. P/)
  expect((await server.inject(`/editions/${id}`)).statusCode).toBe(200)
})

testOnSqlite('and named by its external id, in doctor, log and readyz', async () => {
  const app = await poisoned()
  const checks = await checkEditions(app, 1)
  const details = checks.filter(({ name }) => name === 'left out').map(({ detail }) => detail)
  expect(details).toHaveLength(21)
  expect(details[0]).toContain('p-0: starts_at_local is "2027-01-14 19:00"; it needs')
  expect(details[20]).toContain(`and ${UNREADABLE.length - 20} more`)
  expect(checks).toContainEqual(
    expect.objectContaining({
      ...{ name: 'references', status: 'warn' },
      detail: '1 row of sessions refers to groups that are not there',
    }),
  )
  const ready = await (await buildServer(app)).inject('/readyz')
  expect(ready.json()).toMatchObject({ status: 'ok', database: 'ok' })
  expect(ready.json().left_out).toContainEqual(expect.stringMatching(/^p-8: time_zone is "Eastern/))

  await sweep(app)
  await sweep(app)
  expect(app.logged().match(/"session":"p-0"/g)).toHaveLength(1)
})

const KEPT: [column: string, value: unknown][] = [
  ['news', 'odd'],
  ['news', Buffer.from('new')],
  ['seq', 'x'],
  ['added_seq', -1],
  ['news_at', 'yesterday'],
  ['news_at', 9e18],
  ['revision', 'x'],
  ['revised_at', 1e18],
  ['revised_at', 'now'],
]

// Postgres lets no text into a number.
const WRITABLE = KEPT.filter(
  ([column, value]) => !onPostgres || column === 'news' || typeof value === 'number',
)

test.each(WRITABLE.filter(([, value]) => !onPostgres || !Buffer.isBuffer(value)))(
  'what triggers keep in %s is not written over by %s; if it is, that session is left out alone',
  async (column, value) => {
    const app = await testApp()
    aSession(app)
    aSession(app, { externalId: 'bad', group: 'Calm' })
    aSubscriber(app, 'ada@sample.test', { calendarKey: 'adas-calendar' })
    const write = () =>
      app.db.$client.prepare(`update sessions set ${column} = ? where external_id = 'bad'`).run(value)
    expect(write).toThrow(`sessions.${column}: `)
    uncheck(app.db, 'sessions')
    write()
    const server = await buildServer(app)
    for (const url of ['/', '/sessions', '/feed.xml', '/calendar/adas-calendar.ics', '/readyz']) {
      const { statusCode, body } = await server.inject(url)
      expect([url, statusCode]).toEqual([url, 200])
      expect(body).not.toMatch(/Calm|NaN|Invalid/)
      if (url === '/readyz') expect(body).toContain(`bad: ${column} is not what the triggers write`)
    }
  },
)

testOnSqlite('a topic whose name is not text stops no page, and its sessions are named', async () => {
  const app = await testApp()
  aSession(app, { externalId: 'calm' })
  aSession(app, { group: 'Steady Sky', topic: 'depression' })
  uncheck(app.db, 'topics')
  app.db.$client.exec("update topics set name = x'0001' where slug = 'anxiety'")
  const server = await buildServer(app)
  for (const url of ['/', '/sessions', '/feed.xml']) expect((await server.inject(url)).statusCode).toBe(200)
  expect((await server.inject('/')).body).toContain('>anxiety<')
  expect(await leftOutSessions(app.store)).toMatchObject([{ externalId: 'calm', field: 'topic_id' }])
})

test('a name with line breaks stays on its line', async () => {
  const app = await testApp()
  uncheck(app.db, 'sessions')
  aSession(app, { externalId: 'a\nb: time_zone', timeZone: 'Amer\nica' })
  expect(await namesOfLeftOut(app.store)).toEqual([
    expect.stringMatching(/^a b: time_zone: time_zone is "Amer ica"/),
  ])
})

test('a subscriber with a bad zone or language does not stop the others, and can open their own page', async () => {
  const app = await testApp()
  aSession(app)
  uncheck(app.db, 'subscribers')
  aSubscriber(app, 'bo@sample.test', { timeZone: 'Pacific Standard Time', calendarKey: 'bos-calendar' })
  aSubscriber(app, 'cy@sample.test', { locale: '???' })
  aSubscriber(app, 'ada@sample.test')
  expect(await previewEdition(app, { readers: true })).toMatchObject({ recipients: 3 })
  await planNow(app)
  await submitOwed(app)
  expect(app.resend.accepted.map(({ to }) => to[0])).toEqual(['cy@sample.test', 'ada@sample.test'])
  expect((await (await buildServer(app)).inject('/calendar/bos-calendar.ics')).statusCode).toBe(200)
})

test('a notice that cannot be made fails once, and is not tried again', async () => {
  const app = await testApp({ settings: { MAIL_FROM: 'Harbor Groups <groups@mail.harbor.test>' } })
  uncheck(app.db, 'subscribers')
  const id = aSubscriber(app, 'bo\r\n@sample.test')
  app.db.$client
    .prepare(
      `insert into notices (id, kind, subscriber_id, key, state, created_at) values (1, 'welcome', ?, 'k', 'planned', ?)`,
    )
    .run(id, Date.parse(MONDAY))
  expect(await submitNotice(app, 1)).toEqual({ kind: 'ended' })
  expect(app.db.$client.prepare('select state, reason from notices').get()).toEqual({
    ...{ state: 'failed', reason: expect.stringContaining('no email can be made') },
  })
  expect(app.logged()).not.toContain('bo\\r')
})

const UNREADABLE = BAD_SESSIONS.filter(
  ([column, value]) => !(column === 'therapist' && typeof value === 'string' && value !== ''),
).filter(([, value]) => value !== 'https://b.test/a b' && value !== ' ')

/** Columns that hold numbers alone on Postgres, or rows that are there. */
const INTEGERS = /^(duration_minutes|occurrences|seats_\w+|group_id)$/

const TRIGGERS = ['sessions_checked_insert', 'sessions_checked_update', 'sessions_kept_checked']
let TRIGGERS_BACK = ''

/** One good session, and one of each bad kind, written around the triggers. */
async function poisoned(): Promise<TestApp> {
  const app = await testApp()
  aSession(app)
  if (!onPostgres) {
    const source = app.db.$client.prepare('select sql from sqlite_master where name = ?').pluck()
    TRIGGERS_BACK = TRIGGERS.map((name) => source.get(name)).join(';\n')
  }
  uncheck(app.db, 'sessions')
  app.db.$client.pragma('foreign_keys = OFF')
  app.db.$client.pragma('ignore_check_constraints = ON')
  for (const [n, [column, value]] of UNREADABLE.entries()) {
    const write = () => insert(app, 'sessions', { ...VALUES, external_id: `p-${n}`, [column]: value })
    if (onPostgres && (INTEGERS.test(column) || Buffer.isBuffer(value) || value === 'Dr.\u0000P')) continue
    write()
  }
  app.db.$client.pragma('ignore_check_constraints = OFF')
  app.db.$client.pragma('foreign_keys = ON')
  return app
}

function insert(app: TestApp, table: string, row: Record<string, unknown>): void {
  const names = Object.keys(row)
  const sql = `insert into ${table} (${names.join()}) values (${names.map(() => '?').join()})`
  app.db.$client.prepare(sql).run(...Object.values(row))
}
