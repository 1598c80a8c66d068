import { existsSync, utimesSync, writeFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import {
  aSession,
  aSubscriber,
  manySubscribers,
  planNow,
  submitOwed,
  type TestApp,
  testApp,
  testOnSqlite,
} from '../../../test/app.ts'
import { allEditions } from '../../db/ledger/editions.ts'
import { subscribers } from '../../db/schema/people.ts'
import { buildServer } from '../../http/server.ts'
import { sweep } from '../../recurring.ts'
import { cancel } from '../editions/control.ts'
import { explain } from '../editions/explain.ts'
import { resendEdition } from '../editions/resend.ts'
import { summaryOf } from '../editions/show.ts'
import { recordEvent } from '../provider/record-event.ts'
import { exportSubscriber } from '../subscribers/records.ts'
import { pruneOld } from './prune.ts'

const OLD = '2026-11-23'
const ADA = 'ada@sample.test'
const DAY_MS = 86_400_000
/** 401 days after the first edition, a Wednesday. */
const AFTER = '2027-12-29T15:00:00Z'

const count = (app: TestApp, from: string): number =>
  app.db.$client.prepare(`select count(*) from ${from}`).pluck().get() as number

/** An edition with one reader of each kind, and what Resend reported, an operator did, and a stranger asked for. */
async function anOldEdition(settings = {}) {
  const app = await testApp({ settings })
  aSession(app, { startsAtLocal: '2026-12-01T19:00' })
  aSubscriber(app, ADA)
  aSubscriber(app, 'left@sample.test', { status: 'unsubscribed' })
  aSubscriber(app, 'new@sample.test', { status: 'pending', createdAt: Date.parse('2026-11-22') })
  manySubscribers(app, 120)
  await planNow(app)
  await submitOwed(app)
  await sweep(app)
  const at = app.now().toISOString()
  for (const email_id of app.resend.accepted.map(({ id }) => id))
    await recordEvent(app, {
      svixId: `msg_${email_id}`,
      event: { type: 'email.delivered', created_at: at, data: { email_id, to: [ADA] } },
    })
  app.db.$client.exec(`
    insert into audit_log (at, action, subject) values (${Date.parse(at)}, 'edition paused', '${OLD}');
    insert into notices (kind, subscriber_id, key, state, created_at) values
      ('welcome', 1, 'n1', 'submitted', ${Date.parse(at)}), ('welcome', 1, 'n2', 'planned', ${Date.parse(at)});
    insert into address_changes (public_id, subscriber_id, email, email_hash, created_at)
      values ('change', 1, 'next@sample.test', 'h', ${Date.parse(at)})`)
  return app
}

/** Sweeps until the day's work is done. */
async function pruneWholly(app: TestApp): Promise<void> {
  for (let round = 0; round < 50; round += 1) await pruneOld(app)
}

test('what is older than RETENTION_DAYS is removed within a day, the sums of its edition stay', async () => {
  const app = await anOldEdition()
  const before = await summaryOf(app, OLD)
  expect(before).toMatchObject({ candidates: 123, submitted: 121, batches: 2 })
  const server = await buildServer(app)
  const page = async () => parse((await server.inject(`/editions/${OLD}`)).body)
  expect((await page()).querySelectorAll('article')).toHaveLength(1)

  app.setNow('2027-12-27T15:00:00Z') // 399 days on, and the next edition
  await planNow(app)
  await submitOwed(app)
  await sweep(app)
  expect(count(app, 'deliveries')).toBe(246)
  expect(count(app, 'provider_events')).toBe(121)
  app.setNow(AFTER)
  await sweep(app)
  await sweep(app)

  expect(count(app, `deliveries where edition_id = '${OLD}'`)).toBe(0)
  expect(count(app, `batches where edition_id = '${OLD}'`)).toBe(0)
  expect(count(app, 'deliveries')).toBe(123)
  expect(count(app, 'provider_events')).toBe(0)
  expect(count(app, 'address_changes')).toBe(0)
  expect(count(app, `audit_log where action = 'edition paused'`)).toBe(0)
  expect(count(app, `notices where key = 'n1'`)).toBe(0)
  expect(count(app, `notices where key = 'n2'`)).toBe(1) // it is still owed
  const { batches, batchStates, ...sums } = before ?? {}
  expect(await summaryOf(app, OLD)).toMatchObject({
    ...sums,
    batches: 0,
    prunedAt: AFTER.replace('Z', '.000Z'),
  })
  expect([batches, batchStates]).toEqual([2, { submitted: 2 }])
  expect((await page()).querySelectorAll('article')).toHaveLength(1)
})

test('explain, a resend and the export say that it was removed', async () => {
  const app = await anOldEdition()
  app.setNow(AFTER)
  await pruneWholly(app)
  expect(await explain(app, ADA, OLD)).toMatchObject({
    state: 'removed',
    reason: 'removed',
    sentence: expect.stringContaining('is kept for 400 days'),
  })
  for (const request of [{ kind: 'all' }, { kind: 'failed' }, { kind: 'to', email: ADA }] as const)
    expect(await resendEdition(app, OLD, request)).toEqual({
      kind: 'refused',
      reason: expect.stringContaining('RETENTION_DAYS'),
    })
  expect(await exportSubscriber(app, ADA)).toMatchObject({ record: { deliveries: [], retentionDays: 400 } })
})

test('pruning continues where an ended process stopped, and no step removes more than a batch', async () => {
  const app = await anOldEdition()
  app.setNow(AFTER)
  const tally = await summaryOf(app, OLD)
  const { pruneStep } = await import('../../db/retention/retention.ts')
  const cutoffs = { history: new Date(app.now().getTime() - 400 * DAY_MS), requests: app.now() }
  const steps = [
    await pruneStep(app.store, cutoffs, app.now()),
    await pruneStep(app.store, cutoffs, app.now()),
  ]
  expect(Math.max(...steps)).toBeLessThanOrEqual(101)
  expect(count(app, 'deliveries')).toBeGreaterThan(0)
  await pruneOld({ ...app }) // another process, which knows nothing but the ledger
  expect(count(app, 'deliveries')).toBe(0)
  expect(await summaryOf(app, OLD)).toMatchObject({ candidates: 123, submitted: tally?.submitted })
})

test('pruning runs once a day, and continues in the next minute if there is too much for one sweep', async () => {
  const app = await anOldEdition()
  app.setNow(AFTER)
  app.db.$client.exec(`with recursive n(i) as (select 1 union all select i + 1 from n where i < 41000)
    insert into provider_events (svix_id, type, at, received_at) select 'many' || i, 'email.sent', i, i from n`)
  await pruneOld(app)
  expect(count(app, 'provider_events')).toBeGreaterThan(0)
  await pruneOld(app)
  await pruneOld(app)
  expect(count(app, 'provider_events')).toBe(0)
  app.db.$client.exec("insert into audit_log (at, action, subject) values (1, 'erase', 'erased')")
  await pruneOld(app)
  expect(count(app, 'audit_log where at = 1')).toBe(1)
  app.setNow('2027-12-30T15:00:00Z')
  await pruneOld(app)
  expect(count(app, 'audit_log where at = 1')).toBe(0)
}, 20_000)

test('nothing that is still owed is removed, however old', async () => {
  const app = await testApp({ settings: { RETENTION_DAYS: '60' } })
  aSession(app)
  aSubscriber(app, ADA)
  const id = await planNow(app)
  app.setNow(AFTER)
  await pruneWholly(app)
  expect(count(app, 'deliveries')).toBe(1)
  await cancel(app, id)
  app.setNow('2027-12-30T15:00:00Z')
  await pruneWholly(app)
  expect(count(app, 'deliveries')).toBe(1) // it ended yesterday
  app.setNow('2028-03-01T15:00:00Z')
  await pruneWholly(app)
  expect(count(app, 'deliveries')).toBe(0)
  expect(await summaryOf(app, id)).toMatchObject({ candidates: 1, excluded: { cancelled: 1 } })
})

test('the bounces in a row of a reader are counted past RETENTION_DAYS, until an email arrives', async () => {
  const app = await anOldEdition({ RETENTION_DAYS: '60' })
  app.db.$client.exec(`update deliveries set report = 'bounced' where subscriber_id in (1, 4);
    update subscribers set soft_bounces = 2 where id = 1`)
  app.setNow('2027-02-01T15:00:00Z')
  await pruneWholly(app)
  expect(count(app, 'deliveries')).toBe(1)
  expect(count(app, 'deliveries where subscriber_id = 1')).toBe(1)
  app.db.update(subscribers).set({ softBounces: 0 }).run()
  app.setNow('2027-02-02T15:00:00Z')
  await pruneWholly(app)
  expect(count(app, 'deliveries')).toBe(0)
})

testOnSqlite('copies of migrations, and drafts of such copies, go after thirty days', async () => {
  const app = await testApp({ file: true })
  const file = app.config.DATABASE_PATH
  const at = (days: number) => app.now().getTime() / 1000 - days * 86_400
  const copies = {
    [`${file}.migration-5`]: 31,
    [`${file}.migration-4.77.new`]: 31,
    [`${file}.migration-6`]: 29,
  }
  for (const [copy, days] of Object.entries(copies)) {
    writeFileSync(copy, 'a copy')
    utimesSync(copy, at(days), at(days))
  }
  await pruneOld(app)
  expect(Object.keys(copies).filter((copy) => existsSync(copy))).toEqual([`${file}.migration-6`])
})

test('a session that moves each week is remembered for a year only, and a reader paused all that time is shown it', async () => {
  const app = await testApp({ at: '2026-01-05T15:00:00Z', settings: { RETENTION_DAYS: '60' } })
  aSubscriber(app, ADA)
  const paused = aSubscriber(app, 'ben@sample.test')
  const id = aSession(app, { startsAtLocal: '2028-06-01T18:00' })
  const rows: number[] = []
  const week = async (n: number) => {
    app.setNow(new Date(Date.parse('2026-01-05T15:00:00Z') + n * 7 * DAY_MS).toISOString())
    app.db.$client.exec(
      `update sessions set starts_at_local = '2028-06-0${1 + (n % 2)}T18:00' where id = ${id}`,
    )
    await planNow(app)
    await submitOwed(app)
    await pruneWholly(app)
    rows.push(count(app, `session_history where session_id = ${id}`))
  }
  for (let n = 0; n < 6; n += 1) await week(n)
  const until = Date.parse('2026-07-01')
  app.db.$client.exec(`update subscribers set paused_until = ${until} where id = ${paused}`)
  for (let n = 6; n < 30; n += 1) await week(n)
  expect(Math.max(...rows)).toBeLessThanOrEqual(12)
  expect(rows.at(-1)).toBe(rows.at(-9))
  const last = app.resend.accepted.filter(({ to }) => to[0] === 'ben@sample.test')
  expect(last).toHaveLength(6 + 4)
  const mail = app.resend.accepted.filter(({ to }) => to[0] === ADA)
  expect(mail).toHaveLength(30)
  expect(mail.slice(1).every(({ text }) => text.includes('\n  Time changed'))).toBe(true)
}, 30_000)

test('a session deleted long ago is forgotten, and its id is not reused', async () => {
  const app = await testApp()
  aSubscriber(app, ADA)
  const keep = aSession(app, { externalId: 'stays' })
  for (const externalId of ['gone', 'gone too']) aSession(app, { externalId })
  const gone = count(app, 'sessions') // their ids count from 1
  await planNow(app)
  await submitOwed(app)
  app.db.$client.exec("delete from sessions where external_id <> 'stays'")
  app.setNow('2027-12-01T15:00:00Z')
  await pruneWholly(app)
  expect(count(app, 'known_sessions')).toBe(3) // an edition of less than 400 days ago may have shown them
  app.setNow('2028-01-12T15:00:00Z')
  await pruneWholly(app)
  expect(app.db.$client.prepare('select session_id from known_sessions').pluck().all()).toEqual([keep])
  expect(count(app, `session_history where session_id > ${keep}`)).toBe(0)
  aSession(app, { externalId: 'gone' })
  aSession(app, { externalId: 'another' })
  const ids = app.db.$client.prepare('select id, news from sessions order by id').all()
  expect(ids).toEqual([keep, gone + 1, gone + 2].map((id) => ({ id, news: 'new' })))
})

test('nothing is removed while the installation is on hold', async () => {
  const app = await anOldEdition()
  const held = { reason: 'backup', since: 0, knownThrough: null }
  app.db.$client
    .prepare("insert into installation (name, value) values ('held', ?)")
    .run(JSON.stringify(held))
  app.setNow(AFTER)
  await sweep(app)
  expect(count(app, 'deliveries')).toBe(123)
})

test('over many weeks the rows stop growing, and every sum stays', async () => {
  const app = await testApp({ at: '2026-01-05T15:00:00Z', settings: { RETENTION_DAYS: '60' } })
  for (const name of ['ada', 'ben', 'cleo']) aSubscriber(app, `${name}@sample.test`)
  const rows: number[] = []
  for (let week = 0; week < 24; week += 1) {
    app.setNow(new Date(Date.parse('2026-01-05T15:00:00Z') + week * 7 * DAY_MS).toISOString())
    aSession(app, { startsAtLocal: '2028-06-01T18:00' })
    await planNow(app)
    await submitOwed(app)
    await sweep(app)
    rows.push(count(app, 'deliveries'))
  }
  expect(rows.slice(8)).toEqual(Array.from({ length: 16 }, () => 3 * 9))
  const all = await allEditions(app.store)
  expect(all).toHaveLength(24)
  for (const { id } of all) expect(await summaryOf(app, id)).toMatchObject({ candidates: 3, submitted: 3 })
}, 30_000)
