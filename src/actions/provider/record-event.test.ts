import { randomUUID } from 'node:crypto'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  aSession,
  aSubscriber,
  manySubscribers,
  planNow,
  recountTally,
  submitOwed,
  type TestApp,
  testApp,
  testOnSqlite,
} from '../../../test/app.ts'
import { type Db, dbOf, imageOf } from '../../../test/db.ts'
import { webhookEvent } from '../../../test/resend/webhooks.ts'
import { hashEmail } from '../../core/tokens.ts'
import { eq } from '../../db/drizzle.ts'
import { batchCounts, findEdition, tallyOf } from '../../db/ledger/editions.ts'
import { batches, deliveries, editions, notices, providerEvents } from '../../db/schema/ledger.ts'
import { addressChanges, subscribers, subscriberTopics, suppressions } from '../../db/schema/people.ts'
import { topics } from '../../db/schema/sessions.ts'
import { openSqlite } from '../../db/sqlite/open.ts'
import { resume } from '../editions/control.ts'
import { explain } from '../editions/explain.ts'
import { openSubmitter } from '../editions/submit.ts'
import { allowEmail } from '../subscribers/consent.ts'
import { erase, showSubscriber } from '../subscribers/records.ts'
import { recordEvent } from './record-event.ts'

const MONDAY_ID = '2026-11-23'
const ADA = 'ada@sample.test'
const BELA = 'bela@sample.test'

const PERMANENT = { bounce: { type: 'Permanent', subType: 'General', message: `no ${ADA}` } }
const TRANSIENT = { bounce: { type: 'Transient', subType: 'MailboxFull', message: 'full' } }

test('a report finds its delivery by Resend’s id and never moves it back', async () => {
  const app = await mailed([ADA])
  await tell(app, 'email.delivered', ADA)
  expect(delivery(app, ADA)).toMatchObject({ state: 'submitted', report: 'delivered' })
  const { reportedAt } = delivery(app, ADA)
  app.setNow('2026-11-23T16:00:00Z')
  for (const type of ['email.sent', 'email.delivery_delayed']) await tell(app, type, ADA)
  expect(delivery(app, ADA)).toMatchObject({ report: 'delivered', reportedAt })
  await tell(app, 'email.complained', ADA)
  await tell(app, 'email.bounced', ADA, PERMANENT)
  expect(delivery(app, ADA)).toMatchObject({ report: 'complained' })
})

test('the same event received twice is a repeat and changes nothing', async () => {
  const app = await mailed([ADA])
  const bounced = eventAbout(app, 'email.bounced', ADA, PERMANENT)
  expect(await recordEvent(app, { svixId: 'msg_1', event: bounced })).toMatchObject({ kind: 'stored' })
  const before = state(app.db)
  expect(await recordEvent(app, { svixId: 'msg_1', event: bounced })).toEqual({ kind: 'repeat' })
  expect(state(app.db)).toEqual(before)
  // The same bounce under another id, as from a second webhook to the same place.
  await recordEvent(app, { svixId: 'msg_2', event: bounced })
  expect(await findEdition(app.store, MONDAY_ID)).toMatchObject({ bounced: 1 })
})

test("an unknown delivery is found by its tag and becomes submitted, and its reader's seen mark moves", async () => {
  const app = await unknown([ADA, BELA])
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ unknown: 2, submitted: 0 })
  await tell(app, 'email.delivered', ADA)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ candidates: 2, unknown: 1, submitted: 1 })
  expect(delivery(app, ADA)).toMatchObject({
    state: 'submitted',
    reason: null,
    providerId: accepted(app, ADA).id,
  })
  expect(await batchCounts(app.store, MONDAY_ID)).toEqual({ unknown: 1 })
  await tell(app, 'email.sent', BELA)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ candidates: 2, unknown: 0, submitted: 2 })
  expect(await batchCounts(app.store, MONDAY_ID)).toEqual({ submitted: 1 })

  app.setNow('2026-11-30T15:00:00Z')
  await planNow(app)
  await submitOwed(app)
  expect(app.resend.countByAddress()).toEqual(
    new Map([
      [ADA, 1],
      [BELA, 1],
    ]),
  )
})

test('a topic that was added while the email was unknown is not marked as seen', async () => {
  const app = await unknown([ADA], ['anxiety'])
  const ocd =
    app.db
      .select()
      .from(topics)
      .all()
      .find(({ slug }) => slug === 'ocd')?.id ?? 0
  const { id } = subscriber(app, ADA)
  app.db.update(subscribers).set({ seenThrough: 1 }).run()
  app.db
    .insert(subscriberTopics)
    .values({ subscriberId: id, topicId: ocd, chosen: true, seenThrough: 0 })
    .run()
  await tell(app, 'email.delivered', ADA)
  const { throughSeq } = (await findEdition(app.store, MONDAY_ID)) ?? { throughSeq: -1 }
  expect(subscriber(app, ADA)).toMatchObject({ seenThrough: throughSeq })
  expect(app.db.select().from(subscriberTopics).all()).toContainEqual(
    expect.objectContaining({ topicId: ocd, seenThrough: 0 }),
  )
})

test('nor is a topic with its own mark, for a reader of every topic; all others are marked as seen', async () => {
  const app = await unknown([ADA])
  const [first] = app.db.select().from(topics).all()
  const mark = {
    subscriberId: subscriber(app, ADA).id,
    topicId: first?.id ?? 0,
    chosen: false,
    seenThrough: 0,
  }
  app.db.insert(subscriberTopics).values(mark).run()
  await tell(app, 'email.delivered', ADA)
  const { throughSeq } = (await findEdition(app.store, MONDAY_ID)) ?? { throughSeq: -1 }
  expect(subscriber(app, ADA)).toMatchObject({ seenThrough: throughSeq })
  expect(app.db.select().from(subscriberTopics).all()).toEqual([mark])
})

test('a tag that we did not make finds nothing', async () => {
  const app = await unknown([ADA])
  const delivered = eventAbout(app, 'email.delivered', ADA)
  const { id } = delivery(app, ADA)
  for (const tag of [`${id.toString(36)}-aaaaaaaaaa`, 'x', '', `${'z'.repeat(11)}-aaaaaaaaaa`])
    await recordEvent(app, {
      svixId: randomUUID(),
      event: { ...delivered, data: { ...delivered.data, tags: { delivery: tag } } },
    })
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ unknown: 1 })
  expect(app.db.select().from(suppressions).all()).toEqual([])
  expect(app.db.select().from(providerEvents).all()).toHaveLength(4)
})

test('a report that comes before the answer leaves the batch as it is, so that the retry sends the same bytes', async () => {
  const app = await ready([ADA, BELA])
  app.resend.inject({ kind: 'reset-after-accept' })
  await submitOwed(app)
  await tell(app, 'email.delivered', ADA)
  expect(delivery(app, ADA)).toMatchObject({ state: 'waiting', report: 'delivered' })
  app.setNow('2026-11-23T15:05:00Z')
  expect(await submitOwed(app)).toMatchObject([{ kind: 'submitted', accepted: 2 }])
  expect(delivery(app, ADA)).toMatchObject({ state: 'submitted', report: 'delivered' })
})

test('after a permanent bounce the next edition leaves the reader out, and show and explain say why', async () => {
  const app = await mailed([ADA, BELA])
  await tell(app, 'email.bounced', ADA, PERMANENT)
  const last = { edition: MONDAY_ID, report: 'bounced' }
  expect(await showSubscriber(app, ADA)).toMatchObject({
    subscriber: { suppressed: 'bounce', lastReport: last },
  })
  expect((await explain(app, ADA, MONDAY_ID))?.sentence).toContain('their mail server bounced it')
  expect((await explain(app, ADA, MONDAY_ID))?.sentence).toContain('so it is suppressed')

  const next = await nextEdition(app)
  expect(await tallyOf(app.store, next)).toMatchObject({ submitted: 1, excluded: { suppressed: 1 } })
  expect((await explain(app, ADA, next))?.sentence).toContain('bounced permanently')
})

test('a bounce takes effect on a batch that is planned already', async () => {
  const app = await mailed([ADA, BELA])
  aSession(app, { group: 'Second Wind' })
  app.setNow('2026-11-30T15:00:00Z')
  const next = await planNow(app)
  await tell(app, 'email.bounced', ADA, PERMANENT)
  await submitOwed(app)
  expect(await tallyOf(app.store, next)).toMatchObject({ submitted: 1, excluded: { suppressed: 1 } })
})

test('a complaint suppresses and unsubscribes, and stays the reason whatever is reported later', async () => {
  const app = await mailed([ADA])
  await tell(app, 'email.complained', ADA)
  await tell(app, 'email.bounced', ADA, PERMANENT)
  await tell(app, 'email.suppressed', ADA, { suppressed: { type: 'OnAccountSuppressionList' } })
  expect(subscriber(app, ADA)).toMatchObject({ status: 'unsubscribed', unsubscribedAt: app.now().getTime() })
  expect(await showSubscriber(app, ADA)).toMatchObject({ subscriber: { suppressed: 'complaint' } })
  expect(await findEdition(app.store, MONDAY_ID)).toMatchObject({ bounced: 1, complained: 1 })
})

test('an address that Resend will not email is suppressed and does not count toward the breaker', async () => {
  const app = await mailed([ADA])
  await tell(app, 'email.suppressed', ADA, { suppressed: { type: 'OnAccountSuppressionList' } })
  expect(await showSubscriber(app, ADA)).toMatchObject({
    subscriber: { suppressed: 'provider', status: 'active' },
  })
  expect(await findEdition(app.store, MONDAY_ID)).toMatchObject({ bounced: 0, complained: 0 })
})

test('an email that Resend could not pass on stays submitted, with the report and its reason', async () => {
  const app = await mailed([ADA])
  await tell(app, 'email.failed', ADA, { failed: { reason: 'reached_daily_quota' } })
  expect(delivery(app, ADA)).toMatchObject({ state: 'submitted', report: 'failed' })
  expect(app.db.select().from(providerEvents).get()).toMatchObject({ detail: 'reached_daily_quota' })
  expect(app.db.select().from(suppressions).all()).toEqual([])
})

test('five editions in a row that bounce softly suppress the address, each counted once', async () => {
  const app = await mailed([ADA])
  for (let week = 1; week <= 5; week += 1) {
    expect(app.db.select().from(suppressions).all()).toEqual([])
    for (let twice = 0; twice < 2; twice += 1) await tell(app, 'email.bounced', ADA, TRANSIENT)
    expect(subscriber(app, ADA)).toMatchObject({ softBounces: week })
    if (week < 5) await nextEdition(app)
  }
  expect(await showSubscriber(app, ADA)).toMatchObject({ subscriber: { suppressed: 'bounce' } })
  expect(await tallyOf(app.store, await nextEdition(app))).toMatchObject({ excluded: { suppressed: 1 } })
  expect(await findEdition(app.store, MONDAY_ID)).toMatchObject({ bounced: 0 })
})

test('after a new consent soft bounces are counted anew, as those before were forgiven or at another address', async () => {
  const app = await mailed([ADA])
  for (let week = 1; week <= 5; week += 1) {
    await tell(app, 'email.bounced', ADA, TRANSIENT)
    if (week < 5) await nextEdition(app)
  }
  app.setNow(new Date(app.now().getTime() + 3_600_000).toISOString())
  expect(await allowEmail(app, ADA, 'called')).toMatchObject({ kind: 'allowed', reason: 'bounce' })
  await nextEdition(app)
  await tell(app, 'email.bounced', ADA, TRANSIENT)
  expect(suppressed(app)).toEqual([])
  expect(subscriber(app, ADA)).toMatchObject({ softBounces: 1 })
})

test('soft bounces also count for someone whose consent has no date', async () => {
  const app = await mailed([ADA])
  app.db.update(subscribers).set({ consentedAt: null }).run()
  await tell(app, 'email.bounced', ADA, TRANSIENT)
  expect(subscriber(app, ADA)).toMatchObject({ softBounces: 1 })
})

test('a complaint at an address that a change left, and can still be undone to, suppresses it', async () => {
  const app = await mailed([ADA])
  const emailHash = hashEmail(app.hashKey, 'ada@old.test')
  const before = JSON.stringify({ email: 'ada@old.test', emailHash })
  const change = { publicId: 'c', subscriberId: subscriber(app, ADA).id, email: ADA, createdAt: 0 }
  const { id } = app.db
    .insert(addressChanges)
    .values({ ...change, emailHash: hashEmail(app.hashKey, ADA), changedAt: 1, before })
    .returning({ id: addressChanges.id })
    .get()
  await aboutStrange(app, 'ada@old.test', 'email.complained', {})
  expect(suppressed(app)).toEqual([emailHash])
  expect(subscriber(app, ADA)).toMatchObject({ status: 'active' })

  // The same without an address in the event: the email about the change went to the old one.
  app.db.delete(suppressions).run()
  const notice = { key: 'k', kind: 'address-changed' as const, addressChangeId: id, providerId: 're_1' }
  app.db
    .insert(notices)
    .values({ ...notice, subscriberId: change.subscriberId, state: 'submitted', createdAt: 0 })
    .run()
  const mail = { id: 're_1', at: 0, from: 'x', to: [], subject: 'x', tags: [] }
  const event = webhookEvent('email.bounced', mail, app.now().getTime(), PERMANENT)
  await recordEvent(app, { svixId: randomUUID(), event })
  expect(suppressed(app)).toEqual([emailHash])
})

test('a delivery between soft bounces restarts the count', async () => {
  const app = await mailed([ADA])
  for (const type of ['bounced', 'bounced', 'bounced', 'bounced', 'delivered', 'bounced', 'bounced']) {
    await tell(app, `email.${type}`, ADA, type === 'bounced' ? TRANSIENT : {})
    if (type === 'delivered') expect(subscriber(app, ADA)).toMatchObject({ softBounces: 0 })
    await nextEdition(app)
  }
  expect(subscriber(app, ADA)).toMatchObject({ softBounces: 2 })
  expect(app.db.select().from(suppressions).all()).toEqual([])
})

test('a reader on holiday, whose automatic answers are reported as soft bounces, is kept', async () => {
  const app = await mailed([ADA])
  for (let week = 1; week <= 7; week += 1) {
    const both = ['email.delivered', 'email.bounced']
    for (const type of week % 2 ? both : both.reverse()) await tell(app, type, ADA, TRANSIENT)
    await nextEdition(app)
  }
  expect(subscriber(app, ADA)).toMatchObject({ softBounces: 0 })
  expect(app.db.select().from(suppressions).all()).toEqual([])
})

test("a bounce at a reader's old address does not stop email to the new one", async () => {
  const app = await mailed([ADA])
  const moved = { email: 'ada@new.test', emailHash: hashEmail(app.hashKey, 'ada@new.test') }
  app.db.update(subscribers).set(moved).run()
  await tell(app, 'email.bounced', ADA, PERMANENT)
  expect(suppressed(app)).toEqual([hashEmail(app.hashKey, ADA)])
})

test('a report on someone who was erased changes nothing about anyone', async () => {
  const app = await mailed([ADA])
  await erase(app, ADA)
  const before = app.db.select().from(suppressions).all()
  await tell(app, 'email.complained', ADA)
  expect(app.db.select().from(suppressions).all()).toEqual(before)
})

test('a bounce after an erasure still counts toward the breaker, once', async () => {
  const app = await mailed([ADA, BELA])
  await tell(app, 'email.delivered', ADA)
  await erase(app, ADA)
  for (let twice = 0; twice < 2; twice += 1) {
    await tell(app, 'email.bounced', ADA, PERMANENT)
    expect(await findEdition(app.store, MONDAY_ID)).toMatchObject({ bounced: 1 })
  }
})

test('an ordinary report is no warning; one that cannot be read is', async () => {
  const app = await mailed([ADA])
  const warned = () => app.logged().match(/"level":40.*the provider reported/g) ?? []
  await tell(app, 'email.delivered', ADA)
  expect(warned()).toEqual([])
  await recordEvent(app, { svixId: 'msg_1', event: 'no event' })
  expect(warned()).toHaveLength(1)
})

test('a notice that bounces for good suppresses its address', async () => {
  const app = await testApp()
  const subscriberId = aSubscriber(app, ADA, { status: 'pending' })
  const row = {
    kind: 'confirm',
    subscriberId,
    key: 'openseat/notice/1',
    state: 'submitted',
    createdAt: 0,
  } as const
  app.db
    .insert(notices)
    .values({ ...row, providerId: 'notice-id' })
    .run()
  const mail = {
    id: 'notice-id',
    at: 0,
    from: 'groups@harbor.test',
    to: [ADA],
    subject: 'Please confirm',
    tags: [],
  }
  const event = (extra: object) => webhookEvent('email.bounced', mail, app.now().getTime(), { ...extra })
  await recordEvent(app, { svixId: 'msg_1', event: event(TRANSIENT) })
  expect(suppressed(app)).toEqual([])
  await recordEvent(app, { svixId: 'msg_2', event: event(PERMANENT) })
  expect(suppressed(app)).toEqual([hashEmail(app.hashKey, ADA)])
})

const UNKNOWN = [
  ['a complaint', 'email.complained', {}, 'complaint'],
  ['a bounce for good', 'email.bounced', PERMANENT, 'bounce'],
  [
    'a refusal of Resend',
    'email.suppressed',
    { suppressed: { type: 'OnAccountSuppressionList' } },
    'provider',
  ],
] as const

/** What Resend reports of an email that we have no row of: a copy for an operator, a row that is gone. */
const aboutStrange = (app: TestApp, to: string, type: string, extra: object) => {
  const mail = { id: randomUUID(), at: 0, from: 'groups@harbor.test', to: [to], subject: 'News', tags: [] }
  return recordEvent(app, {
    svixId: randomUUID(),
    event: webhookEvent(type, mail, app.now().getTime(), { ...extra }),
  })
}

test.each(UNKNOWN)(
  '%s of a delivery that we do not know suppresses a known address',
  async (_name, type, extra, reason) => {
    const app = await mailed([ADA, BELA])
    await aboutStrange(app, `Ada <${ADA.toUpperCase()}>`.replace(/.*<(.*)>/, '$1'), type, extra)
    expect(await showSubscriber(app, ADA)).toMatchObject({
      subscriber: { suppressed: reason, status: reason === 'complaint' ? 'unsubscribed' : 'active' },
    })
    expect(await showSubscriber(app, BELA)).toMatchObject({
      subscriber: { suppressed: null, status: 'active' },
    })
  },
)

test('a new address that someone asked to change to counts as known, and its complaint does not unsubscribe them', async () => {
  const app = await mailed([ADA])
  const emailHash = hashEmail(app.hashKey, 'ada@new.test')
  const change = {
    publicId: 'c',
    subscriberId: subscriber(app, ADA).id,
    email: 'ada@new.test',
    emailHash,
    createdAt: 0,
  }
  app.db.insert(addressChanges).values(change).run()
  await aboutStrange(app, 'ada@new.test', 'email.complained', {})
  expect(suppressed(app)).toEqual([emailHash])
  expect(subscriber(app, ADA)).toMatchObject({ status: 'active' })
})

test('a report on an address that is not known here leaves no mark, nor does a passing bounce', async () => {
  const app = await mailed([ADA])
  await aboutStrange(app, 'stranger@sample.test', 'email.complained', {})
  await aboutStrange(app, ADA, 'email.bounced', TRANSIENT)
  await aboutStrange(app, ADA, 'email.delivered', {})
  expect(suppressed(app)).toEqual([])
})

test('a complaint at an old address also stops email to the subscriber who has it now', async () => {
  const app = await mailed([ADA])
  const { id } = subscriber(app, ADA)
  const moved = { email: 'ada@new.test', emailHash: hashEmail(app.hashKey, 'ada@new.test') }
  app.db.update(subscribers).set(moved).run()
  const next = aSubscriber(app, ADA)
  await tell(app, 'email.complained', ADA)
  const left = app.db.select().from(subscribers).where(eq(subscribers.status, 'unsubscribed')).all()
  expect(left.map((row) => row.id).toSorted()).toEqual([id, next].toSorted())
})

test('a late complaint of someone who was erased counts once they have signed up again', async () => {
  const app = await mailed([ADA])
  await erase(app, ADA)
  aSubscriber(app, ADA, { status: 'pending' })
  await tell(app, 'email.complained', ADA)
  expect(await showSubscriber(app, ADA)).toMatchObject({
    subscriber: { suppressed: 'complaint', status: 'unsubscribed' },
  })
  await erase(app, ADA)
  expect(await erase(app, ADA)).toEqual({ kind: 'already' })
})

test('stored events contain no address, subject, link or IP', async () => {
  const app = await mailed([ADA])
  const click = {
    ipAddress: '192.0.2.7',
    link: 'https://groups.harbor.test/x',
    userAgent: 'Mozilla',
    timestamp: 'now',
  }
  const types = [
    'sent',
    'delivered',
    'delivery_delayed',
    'bounced',
    'complained',
    'failed',
    'suppressed',
    'opened',
    'clicked',
  ]
  for (const type of types)
    await tell(app, `email.${type}`, ADA, { ...PERMANENT, click, failed: { reason: ADA } })
  const data = { id: '1', email: ADA, origin: 'manual' }
  await recordEvent(app, { svixId: 'msg_s', event: { type: 'suppression.added', created_at: '', data } })
  await recordEvent(app, { svixId: 'msg_u', event: `unreadable ${ADA}` })
  const rows = app.db.select().from(providerEvents).all()
  expect(rows).toHaveLength(types.length + 2)
  expect(JSON.stringify(rows)).not.toMatch(/@|group times|192\.0|https|Mozilla/i)
  // Who opened and clicked is not kept at all.
  for (const row of rows.filter(({ type }) => /open|click/.test(type)))
    expect(row).toMatchObject({ deliveryId: null })
  expect(app.logged()).not.toMatch(/@|192\.0/)
})

test('the breaker pauses an edition beyond 4 % of 200, says why, and a resume holds', async () => {
  const app = await ready([])
  manySubscribers(app, 300)
  await planNow(app)
  await submitSome(app, 2)
  for (let n = 1; n <= 8; n += 1) await tell(app, 'email.bounced', reader(n), PERMANENT)
  expect(await findEdition(app.store, MONDAY_ID)).toMatchObject({ state: 'submitting', bounced: 8 })
  await tell(app, 'email.bounced', reader(9), PERMANENT)
  expect(await findEdition(app.store, MONDAY_ID)).toMatchObject({
    state: 'paused',
    pauseReason:
      'circuit breaker: 9 of 200 emails bounced permanently, 4.50 %, and BREAKER_BOUNCE_PERCENT is 4',
  })
  expect(app.logged()).toMatch(/"level":50.*9 of 200 emails bounced permanently/)
  expect(await submitOwed(app)).toEqual([])

  await resume(app, MONDAY_ID)
  await tell(app, 'email.bounced', reader(10), PERMANENT)
  expect(await findEdition(app.store, MONDAY_ID)).toMatchObject({
    state: 'submitting',
    bounced: 10,
    breakerOff: true,
  })
  await submitOwed(app)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ submitted: 300, waiting: 0 })
})

test('at 199 submitted the breaker waits; the next report after more are submitted trips it', async () => {
  const app = await ready([])
  manySubscribers(app, 300)
  await planNow(app)
  app.db
    .update(subscribers)
    .set({ status: 'unsubscribed' })
    .where(eq(subscribers.email, reader(200)))
    .run()
  await submitSome(app, 2)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ submitted: 199 })
  for (let n = 1; n <= 60; n += 1) await tell(app, 'email.bounced', reader(n), PERMANENT)
  expect(await findEdition(app.store, MONDAY_ID)).toMatchObject({ state: 'submitting', bounced: 60 })
  app.db
    .update(deliveries)
    .set({ state: 'submitted' })
    .where(eq(deliveries.subscriberId, subscriber(app, reader(201)).id))
    .run()
  recountTally(app)
  await tell(app, 'email.delivered', reader(150))
  expect(await findEdition(app.store, MONDAY_ID)).toMatchObject({ state: 'paused' })
})

test('one complaint of 200 is more than 0.08 % and pauses the edition', async () => {
  const app = await ready([])
  manySubscribers(app, 300)
  await planNow(app)
  await submitSome(app, 2)
  await tell(app, 'email.complained', reader(1))
  expect(await findEdition(app.store, MONDAY_ID)).toMatchObject({
    state: 'paused',
    pauseReason: expect.stringContaining('1 of 200 emails were marked as spam'),
  })
})

test('a resume after another pause leaves the breaker on', async () => {
  const app = await ready([ADA])
  await planNow(app)
  app.db.update(editions).set({ pausedAt: 1, pauseReason: 'monthly quota' }).run()
  await resume(app, MONDAY_ID)
  expect(await findEdition(app.store, MONDAY_ID)).toMatchObject({ breakerOff: false })
})

test('reports after the edition has ended are logged once, and nothing is paused', async () => {
  const app = await ready([])
  manySubscribers(app, 200)
  await planNow(app)
  await submitOwed(app)
  for (let n = 1; n <= 12; n += 1) await tell(app, 'email.bounced', reader(n), PERMANENT)
  expect(await findEdition(app.store, MONDAY_ID)).toMatchObject({
    state: 'submitted',
    bounced: 12,
    pausedAt: null,
  })
  expect(app.logged().match(/too late to pause/g)).toHaveLength(1)
})

testOnSqlite(
  'any order and repetition of the same events ends the same',
  async () => {
    const app = await unknown([ADA, BELA], ['anxiety'])
    app.db.update(editions).set({ state: 'submitting' }).run()
    await nextEdition(app)
    const image = await imageOf(app.store)
    const types = [
      'sent',
      'delivered',
      'delivery_delayed',
      'complained',
      'failed',
      'suppressed',
      'scheduled',
    ] as const
    const extra = fc.constantFrom<Record<string, unknown>>(PERMANENT, TRANSIENT)
    const kind = fc.oneof(
      fc.record({ type: fc.constantFrom<string>(...types), extra: fc.constant({}) }),
      fc.record({ type: fc.constant<string>('bounced'), extra }),
    )
    const mails = app.resend.accepted
    const anEvent = fc
      .record({ kind, mail: fc.constantFrom(...mails), at: fc.nat(3) })
      .map(({ kind, mail, at }) => ({
        svixId: randomUUID(),
        event: webhookEvent(`email.${kind.type}`, mail, app.now().getTime() + at * 1000, kind.extra),
      }))
    const orders = fc.array(anEvent, { minLength: 1, maxLength: 8 }).chain((events) => {
      const shuffled = fc.shuffledSubarray([...events, ...events], { minLength: events.length * 2 })
      return fc.tuple(fc.constant(events), shuffled)
    })
    const endOf = async (events: readonly { svixId: string; event: unknown }[]) => {
      const store = openSqlite(image)
      for (const event of events) await recordEvent({ ...app, store }, event)
      const end = state(dbOf(store))
      await store.close()
      return end
    }
    await fc.assert(
      fc.asyncProperty(orders, async ([events, shuffled]) => {
        expect(await endOf(shuffled)).toEqual(await endOf(events))
      }),
      { numRuns: 25 },
    )
  },
  90_000,
)

/** A session and readers, nothing planned yet. */
async function ready(readers: string[], topics: string[] = []): Promise<TestApp> {
  const app = await testApp()
  aSession(app)
  for (const email of readers) aSubscriber(app, email, { topics })
  if (readers.length > 0) await planNow(app)
  return app
}

async function mailed(readers: string[]): Promise<TestApp> {
  const app = await ready(readers)
  await submitOwed(app)
  return app
}

/** The provider accepted all, but its answers were lost until the key was too old. */
async function unknown(readers: string[], topics: string[] = []): Promise<TestApp> {
  const app = await ready(readers, topics)
  app.resend.inject({ kind: 'reset-after-accept' })
  await submitOwed(app)
  app.setNow('2026-11-24T14:01:00Z')
  await submitOwed(app)
  return app
}

let sessions = 0
async function nextEdition(app: TestApp): Promise<string> {
  sessions += 1
  aSession(app, { group: `More ${sessions}`, startsAtLocal: '2027-03-01T19:00' })
  app.setNow(new Date(app.now().getTime() + 7 * 86_400_000).toISOString())
  const id = await planNow(app)
  await submitOwed(app)
  return id
}

async function submitSome(app: TestApp, count: number): Promise<void> {
  const planned = app.db
    .select({ id: batches.id, state: batches.state })
    .from(batches)
    .orderBy(batches.id)
    .all()
  for (const { id } of planned.filter(({ state }) => state === 'planned').slice(0, count))
    await openSubmitter(app).submit(id)
}

const reader = (n: number) => `reader-${n}@sample.test`

function accepted(app: TestApp, email: string) {
  const mail = app.resend.accepted.findLast(({ to }) => to.includes(email))
  if (!mail) throw new Error(`nothing was accepted for ${email}`)
  return mail
}

const eventAbout = (app: TestApp, type: string, email: string, extra: Record<string, unknown> = {}) =>
  webhookEvent(type, accepted(app, email), app.now().getTime(), extra)

async function tell(app: TestApp, type: string, email: string, extra: Record<string, unknown> = {}) {
  return recordEvent(app, { svixId: randomUUID(), event: eventAbout(app, type, email, extra) })
}

function subscriber(app: TestApp, email: string) {
  const row = app.db
    .select()
    .from(subscribers)
    .all()
    .find((one) => one.email === email)
  if (!row) throw new Error(`no subscriber ${email}`)
  return row
}

function delivery(app: TestApp, email: string) {
  const { id } = subscriber(app, email)
  const row = app.db
    .select()
    .from(deliveries)
    .all()
    .findLast(({ subscriberId }) => subscriberId === id)
  if (!row) throw new Error(`no delivery to ${email}`)
  return row
}

const suppressed = (app: TestApp) =>
  app.db
    .select()
    .from(suppressions)
    .all()
    .map(({ emailHash }) => emailHash)

/** All that events can change; without the order of rows, which follows that of writing. */
function state(db: Db) {
  const tables = {
    batches,
    deliveries,
    editions,
    providerEvents,
    subscribers,
    subscriberTopics,
    suppressions,
  }
  return Object.entries(tables).map(([name, table]) => {
    const rows = db
      .select()
      .from(table)
      .all()
      .map((row) => JSON.stringify(row))
    return { name, rows: rows.sort() }
  })
}
