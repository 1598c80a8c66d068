import { Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import {
  aSession,
  aSubscriber,
  planNow,
  submitOwed,
  type TestApp,
  testApp,
  testOnSqlite,
} from '../../../test/app.ts'
import { onPostgres } from '../../../test/db.ts'
import { importSessions } from '../../actions/imports/sessions.ts'
import { openSessions, sessionsVersion } from './sessions.ts'

/** A session as a file and a table have it, but for what all have in common. */
type Fields = {
  starts_at: string
  time_zone: string
  repeats: string
  occurrences: string
  seats_left: string
  status: string
  topic: string
  therapist: string
  duration_minutes: string
  booking_url: string
  group: string
  kind: string
}
type Change = Partial<Fields> | 'replace' | 'delete'

/** One line of the table in news.md: the changes in their order; `told`: an edition goes out after the first. */
type Line = {
  line: string
  from?: Partial<Fields>
  to: Change[]
  told?: true
  hears: Partial<Record<Reader, string>>
}

// ann follows all topics, bob grief and loss, cara anxiety; dan follows all, and is paused at the second edition.
const READERS = { ann: [], bob: ['grief-and-loss'], cara: ['anxiety'], dan: [] } as const
type Reader = keyof typeof READERS

const TUESDAY = '2026-12-08T19:00'
const moved = { starts_at: '2026-12-08T20:00' }
const all = (label: string) => ({ ann: label, cara: label, dan: label })
const NOBODY = {}

const LINES: Line[] = [
  { line: 'the same was written again', to: [{}], hears: NOBODY },
  { line: 'another start', to: [moved], hears: all('Time changed') },
  { line: 'another weekday', to: [{ starts_at: '2026-12-09T19:00' }], hears: all('Time changed') },
  { line: 'another zone', to: [{ time_zone: 'America/Chicago' }], hears: all('Time changed') },
  { line: 'once instead of weekly', to: [{ repeats: 'once' }], hears: all('Time changed') },
  { line: 'whole weeks later', to: [{ starts_at: '2026-12-22T19:00' }], hears: NOBODY },
  { line: 'whole weeks earlier', to: [{ starts_at: '2026-12-01T19:00' }], hears: NOBODY },
  {
    line: 'a finite series whole weeks later',
    from: { occurrences: '8' },
    to: [{ starts_at: '2026-12-15T19:00', occurrences: '7' }],
    hears: NOBODY,
  },
  {
    line: 'once, whole weeks later',
    from: { repeats: 'once' },
    to: [{ repeats: 'once', starts_at: '2026-12-15T19:00' }],
    hears: all('Time changed'),
  },
  { line: 'moved and back before an edition', to: [moved, { starts_at: TUESDAY }], hears: NOBODY },
  {
    line: 'moved, told of, and back',
    to: [moved, { starts_at: TUESDAY }],
    told: true,
    hears: { ann: 'Time changed', cara: 'Time changed' },
  },
  { line: 'full', to: [{ status: 'full' }], hears: NOBODY },
  { line: 'cancelled', to: [{ status: 'cancelled' }], hears: NOBODY },
  { line: 'none left', to: [{ seats_left: '0', status: 'open' }], hears: NOBODY },
  {
    line: 'open again',
    from: { status: 'cancelled' },
    to: [{ status: 'open' }],
    hears: all('Spot reopened'),
  },
  {
    line: 'full and open again between editions',
    to: [{ status: 'full' }, { status: 'open' }],
    hears: all('Spot reopened'),
  },
  {
    line: 'seats again',
    from: { seats_left: '0', status: 'open' },
    to: [{ seats_left: '2', status: 'open' }],
    hears: all('Spot reopened'),
  },
  { line: 'fewer seats', to: [{ seats_left: '1' }], hears: NOBODY },
  {
    line: 'another therapist, length and link',
    to: [{ therapist: 'Dr. Roy', duration_minutes: '45' }],
    hears: NOBODY,
  },
  { line: 'another link', to: [{ booking_url: 'https://book.harbor.test/elsewhere' }], hears: NOBODY },
  { line: 'another kind', to: [{ kind: 'skills' }], hears: NOBODY },
  { line: 'another title', to: [{ group: 'another title, today' }], hears: NOBODY },
  {
    line: 'seats, none, seats, none',
    to: [{ seats_left: '0' }, { seats_left: '2' }],
    hears: all('Spot reopened'),
  },
  {
    line: 'two columns at a time',
    to: [
      { ...moved, status: 'full' },
      { ...moved, status: 'open' },
    ],
    hears: all('Time changed'),
  },
  { line: 'more dates', from: { occurrences: '8' }, to: [{ occurrences: '12' }], hears: NOBODY },
  {
    line: 'a series that had ended goes on',
    from: { starts_at: '2025-01-07T19:00', occurrences: '6' },
    to: [{ starts_at: '2025-01-07T19:00', occurrences: '300' }],
    hears: all('Spot reopened'),
  },
  {
    line: 'a series that had ended, whole weeks later',
    from: { starts_at: '2025-01-07T19:00', occurrences: '6' },
    to: [{ starts_at: '2099-01-06T19:00', occurrences: '6' }],
    hears: all('Spot reopened'),
  },
  { line: 'a corrected topic', to: [{ topic: 'grief-and-loss' }], hears: { bob: 'New' } },
  {
    line: 'a topic corrected twice before an edition',
    to: [{ topic: 'grief-and-loss' }, { topic: 'anxiety' }],
    hears: NOBODY,
  },
  {
    line: 'a corrected topic, and moved',
    to: [{ topic: 'grief-and-loss', ...moved }],
    hears: { ann: 'Time changed', bob: 'New', dan: 'Time changed' },
  },
  { line: 'replaced', to: ['replace'], hears: NOBODY },
  { line: 'deleted and inserted', to: ['delete', {}], hears: NOBODY },
  { line: 'deleted and inserted at another time', to: ['delete', moved], hears: all('Time changed') },
  {
    line: 'deleted and inserted after an edition',
    to: ['delete', {}],
    told: true,
    hears: all('Spot reopened'),
  },
]

test.each(['SQL', 'import'] as const)(
  'each line of the table, by %s',
  async (by) => {
    const app = await testApp({ settings: { DIGEST_MAX_SESSIONS: '40' } })
    for (const [name, topics] of Object.entries(READERS))
      aSubscriber(app, `${name}@sample.test`, { topics: [...topics] })
    const write = by === 'SQL' ? bySql : byImport
    const ids = new Map<string, number>()
    for (const { line, from } of LINES) {
      await write(app, line, rowOf(line, from), {})
      ids.set(line, idOf(app, line))
    }
    // Each edition has something for everyone, so that marks move.
    await edition(app, '2026-11-23T15:00:00.000Z', 'Monday one')

    for (const { line, from, to } of LINES) await write(app, line, rowOf(line, from), to[0] ?? {})
    for (const { line, from, to, told } of LINES)
      if (!told && to[1]) await write(app, line, rowOf(line, from), to[1])
    app.db.$client.exec(
      `update subscribers set paused_until = ${Date.parse('2026-12-02')} where email like 'dan@%'`,
    )
    const second = await edition(app, '2026-11-30T15:00:00.000Z', 'Monday two')
    for (const { line, from, to, told } of LINES)
      if (told && to[1]) await write(app, line, rowOf(line, from), to[1])
    const third = await edition(app, '2026-12-07T15:00:00.000Z', 'Monday three')

    for (const { line, told, hears, to } of LINES) {
      const heard = told ? third(line) : { ...second(line), ...third(line) }
      expect([line, heard]).toEqual([line, hears])
      if (to[0] !== 'delete' || to[1]) expect([line, idOf(app, line)]).toEqual([line, ids.get(line)])
    }
  },
  60_000,
)

test('a corrected groups.topic_id is news to those alone who newly get its sessions', async () => {
  const app = await testApp()
  for (const [name, topics] of Object.entries(READERS))
    aSubscriber(app, `${name}@sample.test`, { topics: [...topics] })
  await bySql(app, 'Morning', rowOf('Morning'), {})
  await edition(app, '2026-11-23T15:00:00.000Z', 'Monday one')
  app.db.$client.exec(
    `update groups set topic_id = (select id from topics where slug = 'grief-and-loss') where title = 'Morning'`,
  )
  expect((await edition(app, '2026-11-30T15:00:00.000Z', 'Monday two'))('Morning')).toEqual({ bob: 'New' })
  expect((await edition(app, '2026-12-07T15:00:00.000Z', 'Monday three'))('Morning')).toEqual({})
})

test('a topic corrected before any edition is news to the right readers, whatever they were shown since', async () => {
  const app = await testApp()
  const bob = aSubscriber(app, 'bob@sample.test', { topics: ['anxiety'] })
  await bySql(app, 'Morning', rowOf('Morning'), {})
  await bySql(app, 'Morning', rowOf('Morning'), { topic: 'grief-and-loss' })
  await edition(app, '2026-11-23T15:00:00.000Z', 'Monday one')
  app.db.$client.exec(`update subscriber_topics set chosen = 0 where subscriber_id = ${bob};
    insert into subscriber_topics select ${bob}, id, 1, 0 from topics where slug = 'grief-and-loss'`)
  expect((await edition(app, '2026-11-30T15:00:00.000Z', 'Monday two'))('Morning')).toEqual({ bob: 'New' })
})

test('only a session that changed has a history, because each one costs a comparison per reader', async () => {
  const app = await testApp()
  for (const line of ['Morning', 'Evening']) await bySql(app, line, rowOf(line), {})
  await bySql(app, 'Evening', rowOf('Evening'), moved)
  const { sessions } = await openSessions(app.store, app.now())
  const changed = sessions.filter(({ history }) => history !== undefined)
  expect(changed.map(({ group }) => group)).toEqual(['Evening'])
})

test('whoever knows the earlier time of a moved session is told it in their own zone; whoever may not, is not', async () => {
  const app = await testApp()
  aSubscriber(app, 'ann@sample.test')
  aSubscriber(app, 'wes@sample.test', { timeZone: 'America/Los_Angeles' })
  const [weekly, once] = [{ repeats: 'weekly' }, { repeats: 'once', starts_at: '2026-12-10T19:00' }]
  await bySql(app, 'Weekly', rowOf('Weekly', weekly), {})
  await bySql(app, 'Once', rowOf('Once', once), {})
  await edition(app, '2026-11-23T15:00:00.000Z', 'Monday one')
  aSubscriber(app, 'new@sample.test')
  await bySql(app, 'Weekly', rowOf('Weekly', weekly), { starts_at: '2026-12-04T18:00' })
  await bySql(app, 'Once', rowOf('Once', once), { starts_at: '2026-12-11T18:30' })
  const before = app.resend.accepted.length
  await edition(app, '2026-11-30T15:00:00.000Z', 'Monday two')
  const told = app.resend.accepted.slice(before).map(({ to, text }) => {
    const was = [...text.matchAll(/M {2}(Weekly|Once)\n(?: {2}.*\n)*? {2}Time changed(?:, (.*))?\n/g)]
    return [to[0], Object.fromEntries(was.map(([, group = '', time]) => [group, time]))]
  })
  expect(Object.fromEntries(told)).toEqual({
    'ann@sample.test': { Weekly: 'was Tue, 7:00 PM', Once: 'was Thu, Dec 10, 7:00 PM' },
    'wes@sample.test': { Weekly: 'was Tue, 4:00 PM', Once: 'was Thu, Dec 10, 4:00 PM' },
    'new@sample.test': {},
  })
})

test("changing a group's title or kind is not news", async () => {
  const app = await testApp()
  for (const [name, topics] of Object.entries(READERS))
    aSubscriber(app, `${name}@sample.test`, { topics: [...topics] })
  await bySql(app, 'Morning', rowOf('Morning'), {})
  await edition(app, '2026-11-23T15:00:00.000Z', 'Monday one')
  app.db.$client.exec("update groups set title = 'Evening', kind = 'skills' where title = 'Morning'")
  expect((await edition(app, '2026-11-30T15:00:00.000Z', 'Monday two'))('Evening')).toEqual({})
})

test('what is said of a group is not news, but pages and calendars read it again', async () => {
  const app = await testApp()
  for (const [name, topics] of Object.entries(READERS))
    aSubscriber(app, `${name}@sample.test`, { topics: [...topics] })
  await bySql(app, 'Morning', rowOf('Morning'), {})
  await edition(app, '2026-11-23T15:00:00.000Z', 'Monday one')
  for (const change of [
    "groups set summary = 'For all.' where title = 'Morning'",
    "groups set url = 'https://b.test/g', language = 'es', place = 'Online', price = '$40' where title = 'Morning'",
    `topics set names = '{"es":"Calma"}' where slug = 'anxiety'`,
  ]) {
    const before = await sessionsVersion(app.store)
    app.db.$client.exec(`update ${change}`)
    expect([change, (await sessionsVersion(app.store)) > before]).toEqual([change, true])
  }
  expect((await edition(app, '2026-11-30T15:00:00.000Z', 'Monday two'))('Morning')).toEqual({})
})

test('a new session never gets the id of another, nor its seq', async () => {
  const app = await testApp()
  const first = aSession(app, { externalId: 'a' })
  app.db.$client.exec('delete from sessions')
  aSession(app, { externalId: 'b' })
  expect(idOf(app, 'b')).toBe(first + 1)
  expect(app.db.$client.prepare('select seq from sessions').pluck().get()).toBe(2)
  aSession(app, { externalId: 'a' })
  expect(idOf(app, 'a')).toBe(first)
})

testOnSqlite(
  'a group or topic that is replaced keeps its id and its sessions, with foreign keys on or off',
  async () => {
    const app = await testApp()
    aSession(app, { group: 'Calm' })
    const ids = () => app.db.$client.prepare('select topic_id, groups.id from groups').get()
    const before = ids()
    for (const keys of ['ON', 'OFF']) {
      app.db.$client.pragma(`foreign_keys = ${keys}`)
      app.db.$client.exec(`insert or replace into topics (slug, name) values ('anxiety', 'Anxiety and worry');
      insert or replace into groups (topic_id, title) select id, 'Calm' from topics where slug = 'anxiety'`)
      expect(ids()).toEqual(before)
      expect(app.db.$client.pragma('foreign_key_check')).toEqual([])
    }
  },
)

function rowOf(line: string, from: Partial<Fields> = {}): Fields & { external_id: string } {
  return {
    ...{
      external_id: line,
      group: line,
      kind: 'therapy',
      topic: 'anxiety',
      therapist: 'Dr. Lee',
      starts_at: TUESDAY,
      repeats: 'weekly',
    },
    ...{
      time_zone: 'America/New_York',
      duration_minutes: '60',
      occurrences: '',
      seats_left: '3',
      status: 'open',
    },
    ...{ booking_url: `https://book.harbor.test/${encodeURIComponent(line)}`, ...from },
  }
}

type Write = (app: TestApp, line: string, row: ReturnType<typeof rowOf>, change: Change) => Promise<void>

/** A booking system that writes the tables: an upsert, INSERT OR REPLACE, or DELETE. */
async function bySql(
  app: TestApp,
  line: string,
  row: ReturnType<typeof rowOf>,
  change: Change,
): Promise<void> {
  const { $client } = app.db
  if (change === 'delete') return void $client.prepare('delete from sessions where external_id = ?').run(line)
  const { topic, ...values } = { ...row, ...(change === 'replace' ? {} : change) }
  const topicId = $client.prepare('select id from topics where slug = ?').pluck().get(topic)
  $client
    .prepare('insert into groups (topic_id, kind, title) values (?, ?, ?) on conflict do nothing')
    .run(topicId, values.kind, values.group)
  const groupId = $client
    .prepare('select id from groups where (topic_id, kind, title) = (?, ?, ?)')
    .pluck()
    .get(topicId, values.kind, values.group)
  const columns = `group_id, therapist, starts_at_local, time_zone, duration_minutes, repeats, occurrences, seats_left,
    status, booking_url`
  const updates = columns.split(',').map((column) => `${column} = excluded.${column.trim()}`)
  const upsert = `on conflict (external_id) do update set ${updates.join()}`
  // Postgres has no INSERT OR REPLACE; what it does is to delete and to insert.
  if (change === 'replace' && onPostgres)
    $client.prepare('delete from sessions where external_id = ?').run(line)
  $client
    .prepare(
      `insert ${change === 'replace' && !onPostgres ? 'or replace' : ''} into sessions (external_id, ${columns})
       values (:external_id, :groupId, :therapist, :starts_at, :time_zone, :duration_minutes, :repeats,
         :occurrences, :seats_left, :status, :booking_url) ${change === 'replace' ? '' : upsert}`,
    )
    .run({ ...values, groupId, occurrences: values.occurrences === '' ? null : values.occurrences })
}

/** The same through a file; what a file cannot do is done by SQL. */
const byImport: Write = async (app, line, row, change) => {
  if (change === 'delete' || change === 'replace') return bySql(app, line, row, change)
  const values = { ...row, ...change }
  const quoted = Object.values(values).map((value) => `"${value}"`)
  const file = `${Object.keys(values).join()}\n${quoted.join()}\n`
  const result = await importSessions(app, Readable.from([file]), { skipInvalid: false, farAhead: true })
  expect(result).toMatchObject({ kind: 'imported' })
}

const idOf = (app: TestApp, externalId: string) =>
  app.db.$client.prepare('select id from sessions where external_id = ?').pluck().get(externalId) as number

/** Plans and submits the edition due at `at`; returns who heard of a group, by the label in their mail. */
async function edition(app: TestApp, at: string, filler: string) {
  app.setNow(at)
  aSession(app, { group: filler, topic: 'anxiety' })
  aSession(app, { group: filler, topic: 'grief-and-loss' })
  const before = app.resend.accepted.length
  await planNow(app)
  await submitOwed(app)
  const mails = app.resend.accepted.slice(before)
  return (group: string): Record<string, string> =>
    Object.fromEntries(
      mails.flatMap(({ to, text }) => {
        const row = text.split('\n\n').find((part) => new RegExp(`^.*M  ${group}(, today)?\n`).test(part))
        const labels = ['Time changed', 'Spot reopened'].filter((label) => row?.includes(`\n  ${label}`))
        const found = row && (labels[0] ?? 'New')
        return found ? [[String(to[0]).replace(/@.*/, ''), found]] : []
      }),
    )
}
