import { expect, test } from '@jest/globals'
import { aSubscriber, recountTally, type TestApp, testApp } from '../../../test/app.ts'
import { columnsOf } from '../../../test/db.ts'
import { personalDataOf } from '../../db/people/personal-data.ts'
import { erase, exportSubscriber } from './records.ts'

/**
 * What becomes of each column when a person asks for their data, and when they are erased.
 * theirs: exported, and gone afterwards. shown: exported; it may stay, as then it leads to nobody. hidden: not exported, for
 * the reason beside it, and gone afterwards. ours: tells nothing of a person.
 */
type Decision = 'theirs' | 'shown' | 'hidden' | 'ours'

const ALL_OURS = [
  '__drizzle_migrations',
  'counters',
  'editions',
  'edition_sessions',
  'edition_tally',
  'groups',
]
  // `installation`: of a person it only ever holds that someone was erased and when, until that is wiped.
  .concat(['installation', 'sessions', 'frozen_contents', 'topics', 'batches'])
  .concat(['known_sessions', 'replaced_parents', 'session_change', 'session_history', 'time_zones'])
  .concat(['seat_changes', 'quiet_changes', 'reviews', 'session_imports'])
  // Of operators, who are no readers.
  .concat([
    'operators',
    'sign_ins',
    'passkeys',
    'recovery_codes',
    'entry_links',
    'sign_in_tries',
    'challenges',
  ])

const DECISIONS: Record<string, Record<string, Decision>> = {
  subscribers: {
    ...{ id: 'shown', public_id: 'theirs', email: 'theirs', email_hash: 'shown', name: 'theirs' },
    ...{ status: 'shown', time_zone: 'theirs', locale: 'theirs', cadence: 'shown', paused_until: 'theirs' },
    ...{ discreet: 'shown', seen_through: 'theirs', last_edition_id: 'theirs', consent_text: 'theirs' },
    ...{ consent_source: 'theirs', consented_at: 'theirs', unsubscribed_at: 'theirs', created_at: 'theirs' },
    ...{ calendar_key: 'theirs', soft_bounces: 'theirs', unsubscribed_by: 'shown' },
  },
  subscriber_topics: { subscriber_id: 'hidden', topic_id: 'shown', chosen: 'shown', seen_through: 'theirs' },
  // The mark that keeps an erased address from being imported: a keyed hash, which must stay.
  suppressions: { email_hash: 'shown', reason: 'shown', created_at: 'shown' },
  deliveries: {
    ...{ id: 'ours', edition_id: 'shown', generation: 'shown', state: 'shown', reason: 'theirs' },
    subscriber_id: 'hidden', // a row's number; the export is of this one person
    batch_id: 'ours', // a hundred readers share it
    ...{ seen_through: 'shown', provider_id: 'theirs', report: 'shown', reported_at: 'shown' },
    shown: 'theirs',
    frozen: 'hidden', // for hours at most, and the same as in subscribers
  },
  notices: {
    ...{ id: 'ours', kind: 'shown', created_at: 'theirs' },
    subscriber_id: 'hidden',
    // What one said, to which address, and what became of it may tell who else is on the list, or hold a link.
    ...{ address_change_id: 'hidden', key: 'hidden', state: 'hidden', body: 'hidden', reason: 'hidden' },
    ...{ provider_id: 'hidden', attempts: 'hidden', claimed_at: 'hidden', claimed_by: 'hidden' },
    ...{ next_attempt_at: 'hidden', first_attempt_at: 'hidden', submitted_at: 'hidden' },
    ...{ form: 'hidden', used_at: 'hidden' }, // what a stranger may have typed; whether a link was used
    ...{ operator_id: 'hidden', edition_id: 'hidden' }, // null in a notice to a reader
  },
  address_changes: {
    ...{ id: 'ours', email: 'theirs', created_at: 'theirs', subscriber_id: 'hidden' },
    ...{ changed_at: 'theirs', before: 'theirs' },
    ...{ public_id: 'hidden', email_hash: 'hidden' }, // the link that confirms it; follows from the address
  },
  former_ids: { public_id: 'hidden', subscriber_id: 'hidden', created_at: 'hidden' }, // parts of older links
  // Keyed hashes: what keeps an address from being imported again, or from being written to too often.
  erasures: { email_hash: 'shown', erased_at: 'shown' },
  refusals: { email_hash: 'shown', created_at: 'shown' },
  requested_emails: { id: 'ours', email_hash: 'shown', created_at: 'shown' },
  provider_events: {
    ...{ svix_id: 'hidden', delivery_id: 'hidden' }, // numbers of Resend's and ours
    ...{ type: 'theirs', at: 'theirs', received_at: 'theirs', detail: 'theirs' },
  },
  audit_log: {
    ...{ id: 'ours', at: 'shown', action: 'shown', subject: 'hidden', detail: 'theirs' },
    ...{ actor: 'ours', network: 'ours' }, // of whoever did it
    ...{ salt: 'hidden', digest: 'ours', chain: 'ours' }, // without the salt the digest says nothing
  },
}

function columns(app: TestApp): string[] {
  return columnsOf(app.db)
    .filter(({ table }) => !ALL_OURS.includes(table))
    .map(({ table, column }) => `${table}.${column}`)
    .sort()
}

const decided = () =>
  Object.entries(DECISIONS).flatMap(([table, own]) =>
    Object.entries(own).map(([column, decision]) => ({
      table,
      column,
      decision,
      name: `${table}.${column}`,
    })),
  )

test('every column that may contain personal data has a decision: exported, erased, or why not', async () => {
  const app = await testApp()
  expect(
    decided()
      .map(({ name }) => name)
      .sort(),
  ).toEqual(columns(app))
})

/** Columns whose values the program or a constraint chooses; the others get a value of their own, looked for afterwards. */
const CHOSEN: Record<string, unknown> = {
  'subscribers.status': 'active',
  'subscribers.time_zone': 'Antarctica/Troll',
  'subscribers.locale': 'cy-GB',
  'subscribers.unsubscribed_by': 'link',
  'subscribers.cadence': 'monthly',
  'subscribers.discreet': 1,
  'subscriber_topics.topic_id': 2,
  'subscriber_topics.chosen': 1,
  'deliveries.edition_id': '2026-11-23',
  'deliveries.generation': 0,
  'deliveries.batch_id': null,
  'deliveries.state': 'failed',
  'deliveries.report': 'delayed',
  'notices.kind': 'fresh-data',
  'notices.state': 'failed',
  'notices.attempts': 1,
  'notices.address_change_id': 1,
  'notices.operator_id': null,
  'notices.edition_id': null,
  'audit_log.action': 'resubscribe',
}

/** Fills every column of every table about one person, and returns what is in each. */
async function everythingOf(email: string) {
  const app = await testApp({ file: true })
  const id = aSubscriber(app, email)
  const { subscriber } = await personalDataOf(app.store, emailHashOf(app))
  const values = new Map<string, unknown>()
  let n = 0
  const valueOf = (table: string, column: string): unknown => {
    const name = `${table}.${column}`
    n += 1
    if (name in CHOSEN) return CHOSEN[name]
    if (column === 'id') return table === 'audit_log' ? 100 : 1 // the erasure adds to that log
    if (column === 'subscriber_id') return id
    if (name === 'provider_events.delivery_id') return 1
    if (name === 'audit_log.subject') return values.get('subscribers.public_id')
    if (name === 'subscribers.email') return email
    if (column === 'email_hash' && table !== 'address_changes') return subscriber?.emailHash
    return typeOf(app, table, column) === 'INTEGER' ? 7_700_000 + n : `needle-${table}-${column}`
  }
  app.db.$client.exec(`delete from subscribers;
    insert into editions (id, scheduled_for, state, through_seq, audience_through, created_at)
      values ('2026-11-23', 1, 'submitted', 9, 9, 1)`)
  for (const [table, own] of Object.entries(DECISIONS).sort(
    ([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b),
  )) {
    const names = Object.keys(own)
    for (const name of names) values.set(`${table}.${name}`, valueOf(table, name))
    app.db.$client
      .prepare(`insert into ${table} (${names.join()}) values (${names.map(() => '?').join()})`)
      .run(names.map((name) => values.get(`${table}.${name}`)))
  }
  recountTally(app)
  return { app, values }
}

const ORDER = [
  'subscribers',
  'subscriber_topics',
  'suppressions',
  'deliveries',
  'address_changes',
  'notices',
].concat(['former_ids', 'erasures', 'refusals', 'requested_emails', 'provider_events', 'audit_log'])

const emailHashOf = (app: TestApp) =>
  app.db.$client.prepare('select email_hash from subscribers').pluck().get() as string

function typeOf(app: TestApp, table: string, column: string): string {
  const found = columnsOf(app.db).find((one) => one.table === table && one.column === column)
  return found?.isNumber ? 'INTEGER' : 'TEXT'
}

const isNeedle = (value: unknown): value is string | number =>
  String(value).startsWith('needle') || Number(value) > 7_700_000

test('the export has every column of personal data, and nothing about how notices were submitted', async () => {
  const { app, values } = await everythingOf('needle@sample.test')
  const exported = await exportSubscriber(app, 'needle@sample.test')
  const text = JSON.stringify(exported)
  for (const { name, decision } of decided()) {
    const value = values.get(name)
    if (!isNeedle(value) || name === 'subscribers.public_id') continue
    if (decision === 'theirs' || decision === 'shown')
      expect([name, text.includes(String(value))]).toEqual([name, true])
    else if (name !== 'audit_log.subject') expect([name, text.includes(String(value))]).toEqual([name, false])
  }
  expect(exported).toMatchObject({
    record: {
      topics: [{ topic: 'anxiety', chosen: true }],
      deliveries: [{ edition: '2026-11-23', state: 'failed', report: 'delayed' }],
      notices: [{ kind: 'fresh-data' }],
      audit: [{ action: 'resubscribe' }],
    },
  })
})

test('after an erasure no column holds what was theirs or led to them', async () => {
  const { app, values } = await everythingOf('needle@sample.test')
  expect(await erase(app, 'needle@sample.test')).toMatchObject({ kind: 'erased' })
  const tables = [...new Set(columnsOf(app.db).map(({ table }) => table))]
  const left = JSON.stringify(
    tables.map((table) => [table, app.db.$client.prepare(`select * from ${table}`).all()]),
  )
  for (const { name, decision } of decided()) {
    const value = values.get(name)
    if (isNeedle(value) && (decision === 'theirs' || decision === 'hidden'))
      expect([name, left.includes(String(value))]).toEqual([name, false])
  }
  expect(
    app.db.$client.prepare('select count(*) from deliveries where subscriber_id is not null').pluck().get(),
  ).toBe(0)
  expect(app.db.$client.prepare('select subject from audit_log').pluck().all()).toEqual(['erased', 'erased'])
})

test('the audit log follows a new public id, so that export and erasure find what was done before', async () => {
  const app = await testApp()
  const id = aSubscriber(app, 'needle@sample.test', { publicId: 'first-of-22-characters' })
  app.db.$client.exec(`insert into audit_log (at, action, subject) values (1, 'resubscribe', 'first-of-22-characters');
    update subscribers set public_id = 'second-of-22-charactrs' where id = ${id}`)
  expect(await exportSubscriber(app, 'needle@sample.test')).toMatchObject({
    record: { audit: [{ action: 'resubscribe' }] },
  })
  await erase(app, 'needle@sample.test')
  expect(app.db.$client.prepare('select subject from audit_log').pluck().all()).toEqual(['erased', 'erased'])
})
