import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import { expect, test } from '@jest/globals'
import {
  aSession,
  aSubscriber,
  eventually,
  manySubscribers,
  oneReaderPerBatch,
  planNow,
  submitOwed,
  type TestApp,
  testApp,
} from '../../../test/app.ts'
import { uncheck } from '../../../test/db.ts'
import type { Fault } from '../../../test/resend/faults.ts'
import type { DigestTemplate } from '../../core/mail/digest.ts'
import type { Reader } from '../../core/mail/letterhead.ts'
import { linksOf } from '../../core/mail/links.ts'
import { requestComposer } from '../../core/mail/request.ts'
import type { Offer } from '../../core/sessions/offers.ts'
import { deliveryTagger, earlierSignLinks, installationId } from '../../core/tokens.ts'
import { eq } from '../../db/drizzle.ts'
import { claimBatch } from '../../db/ledger/batch-claims.ts'
import { type OwedBatch, owedBatches } from '../../db/ledger/batches.ts'
import { frozenDeliveries } from '../../db/ledger/deliveries.ts'
import { batchCounts, findEdition, tallyOf } from '../../db/ledger/editions.ts'
import { frozenContent } from '../../db/ledger/frozen-contents.ts'
import { batches, deliveries } from '../../db/schema/ledger.ts'
import { subscribers } from '../../db/schema/people.ts'
import { sessions } from '../../db/schema/sessions.ts'
import type { Store } from '../../db/store.ts'
import { identifyProcess } from '../../machine/process-identity.ts'
import { unsubscribeEmail } from '../subscribers/consent.ts'
import { cancel, pause, resume } from './control.ts'
import { resendEdition } from './resend.ts'
import { openSubmitter } from './submit.ts'

const MONDAY_ID = '2026-11-23'

test('everyone in an edition is submitted once, in batches of a hundred under the documented keys', async () => {
  const app = await planned(250)
  await submitOwed(app)
  await submitOwed(app)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ candidates: 250, submitted: 250, waiting: 0 })
  expect(counts(app)).toEqual([1])
  expect(app.resend.countByAddress().size).toBe(250)
  expect(new Set(app.resend.requests.map(({ key }) => key))).toEqual(
    new Set([1, 2, 3].map((n) => `openseat/${installationId(app.hashKey)}/2026-11-23/g0/b${n}`)),
  )
  expect(await findEdition(app.store, MONDAY_ID)).toMatchObject({ state: 'submitted' })
})

test('deliveries carry Resend’s id, and the ledger keeps no data of the reader', async () => {
  const app = await planned(3)
  await submitOwed(app)
  const rows = app.db.select().from(deliveries).all()
  expect(rows.map((row) => row.providerId).sort()).toEqual(app.resend.accepted.map(({ id }) => id).sort())
  expect(rows.every((row) => row.frozen === null)).toBe(true)
})

test('one bad address fails with Resend’s words, and the other ninety-nine go', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 99)
  aSubscriber(app, 'someone@example.com')
  await planNow(app)
  await submitOwed(app)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ submitted: 99, failed: 1 })
  const [failed] = app.db
    .select()
    .from(deliveries)
    .all()
    .filter(({ state }) => state === 'failed')
  expect(failed?.reason).toContain('Invalid `to` field')
})

test('an address that fits in no header fails alone', async () => {
  const app = await planned(2)
  uncheck(app.db, 'subscribers')
  app.db.$client.exec("update subscribers set email = 'ada@sample.test\r\nBcc: eve@sample.test' where id = 1")
  await submitOwed(app)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ submitted: 1, failed: 1 })
})

const answersLost: Fault[] = [
  { kind: 'reset-before' },
  { kind: 'reset-after-accept' },
  { kind: 'hang' },
  { kind: 'hang-after-accept' },
  {
    kind: 'status-after-accept',
    status: 500,
    name: 'application_error',
    message: 'An unexpected error occurred.',
  },
  { kind: 'status', status: 503, name: 'service_unavailable', message: 'API is temporarily unavailable' },
  {
    kind: 'status',
    status: 409,
    name: 'concurrent_idempotent_requests',
    message: 'Another request is in progress.',
  },
  { kind: 'html-502' },
  { kind: 'broken-json' },
]

test.each(answersLost)(
  'an answer lost to %j: the same bytes go out again, and each is accepted once',
  async (fault) => {
    const app = await planned(5, { requestTimeoutMs: 200 })
    app.resend.inject({ ...fault, times: 2 })
    expect(await submitOwed(app)).toMatchObject([{ kind: 'again' }])
    expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ waiting: 5, submitted: 0 })
    expect(await submitOwed(app)).toEqual([]) // not before its time
    await eventually(async () => {
      later(app, 120)
      const [outcome] = await submitOwed(app)
      return outcome?.kind === 'submitted' && outcome.accepted === 5
    })
    expect(counts(app)).toEqual([1])
  },
)

test('a retry sends the same bytes although the session, the reader and the settings have changed', async () => {
  const app = await planned(3)
  app.resend.inject({ kind: 'reset-after-accept' })
  await submitOwed(app)
  app.db.update(sessions).set({ status: 'full', therapist: 'Dr. Someone Else' }).run()
  app.db.update(subscribers).set({ name: 'Ada', timeZone: 'Asia/Tokyo' }).run()
  app.config.MAIL_FROM = 'Other <other@mail.harbor.test>'
  app.config.LINK_SECRET = ['another link secret that is long enough too', ...app.config.LINK_SECRET]
  later(app, 10)
  expect(await submitOwed(app)).toMatchObject([{ kind: 'submitted', accepted: 3 }])
  expect(counts(app)).toEqual([1])
})

test('an email that cannot be rebuilt exactly becomes unknown, never a second email', async () => {
  const app = await planned(3)
  app.resend.inject({ kind: 'reset-after-accept' })
  await submitOwed(app)
  app.config.LINK_SECRET = ['a quite different secret, the old one is gone for good']
  later(app, 10)
  expect(await submitOwed(app)).toMatchObject([{ kind: 'closed', reason: 'unknown' }])
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ unknown: 3, waiting: 0 })
  expect(counts(app)).toEqual([1])
})

test('a key older than 23 hours is not trusted: unknown, with the reason', async () => {
  const app = await planned(2)
  app.resend.inject({ kind: 'reset-after-accept' })
  await submitOwed(app)
  app.setNow('2026-11-24T14:01:00Z')
  expect(await submitOwed(app)).toMatchObject([{ kind: 'closed', reason: 'unknown' }])
  expect(app.db.select().from(deliveries).all()[0]?.reason).toContain('23 hours')
  expect(counts(app)).toEqual([1])
})

test('a different-payload answer makes the batch unknown', async () => {
  const app = await planned(2)
  app.resend.inject({
    kind: 'status',
    status: 409,
    name: 'invalid_idempotent_request',
    message: 'the request body was modified',
  })
  expect(await submitOwed(app)).toMatchObject([{ kind: 'closed', reason: 'unknown' }])
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ unknown: 2 })
})

test('a rate limit is waited for without using an attempt', async () => {
  const app = await planned(2)
  app.resend.inject({ kind: 'rate-limit' })
  expect(await submitOwed(app)).toMatchObject([{ kind: 'rate-limited', ms: 1000 }])
  expect(app.db.select().from(batches).get()).toMatchObject({
    state: 'planned',
    attempts: 0,
    firstAttemptAt: null,
  })
  later(app, 2)
  expect(await submitOwed(app)).toMatchObject([{ kind: 'submitted' }])
})

const stops: Fault[] = [
  {
    kind: 'status',
    status: 429,
    name: 'monthly_quota_exceeded',
    message: 'You have exceeded your monthly quota.',
  },
  { kind: 'status', status: 401, name: 'validation_error', message: 'API key is invalid' },
  {
    kind: 'status',
    status: 403,
    name: 'validation_error',
    message: 'The harbor.test domain is not verified.',
  },
  { kind: 'status', status: 403, name: 'suspended_api_key', message: 'This API key is suspended' },
]

test.each(stops)('%j pauses the edition and says why; after a resume it goes on', async (fault) => {
  const app = await planned(150)
  app.resend.inject(fault)
  expect((await submitOwed(app))[0]).toMatchObject({ kind: 'paused' })
  const edition = await findEdition(app.store, MONDAY_ID)
  expect(edition).toMatchObject({
    state: 'paused',
    pauseReason: expect.stringContaining(fault.message ?? '?'),
  })
  expect(app.resend.accepted).toHaveLength(0)
  expect(await resume(app, MONDAY_ID)).toEqual({ kind: 'done' })
  await submitOwed(app)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ submitted: 150 })
  expect(counts(app)).toEqual([1])
})

test('after a definite refusal the content is frozen again from current data', async () => {
  const app = await planned(2)
  const second = aSession(app, { group: 'Quiet Harbor' })
  app.resend.inject({ kind: 'status', status: 401, name: 'validation_error', message: 'API key is invalid' })
  await submitOwed(app)
  await resume(app, MONDAY_ID)
  app.db.update(sessions).set({ status: 'full' }).run()
  expect(await submitOwed(app)).toMatchObject([{ kind: 'closed', reason: 'nobody-left' }])
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ excluded: { 'nothing-new': 2 } })
  expect(second).toBe(2)
})

test('at the first claim, full and past sessions drop out and those who left are excluded; no empty email', async () => {
  const app = await testApp()
  aSession(app, { group: 'Stays', startsAtLocal: '2026-12-02T18:00' })
  const full = aSession(app, { group: 'Fills up' })
  aSession(app, { group: 'Begins before', startsAtLocal: '2026-11-23T11:30', repeats: 'once', topic: 'ocd' })
  aSubscriber(app, 'ada@sample.test')
  aSubscriber(app, 'bela@sample.test')
  aSubscriber(app, 'cleo@sample.test', { topics: ['ocd'] })
  await planNow(app)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ waiting: 3 })
  app.db.$client.prepare("update sessions set status = 'full' where id = ?").run(full)
  expect(await unsubscribeEmail(app, 'bela@sample.test')).toMatchObject({ kind: 'unsubscribed' })
  app.setNow('2026-11-23T16:45:00Z')
  await submitOwed(app)
  expect(app.resend.accepted.map(({ to }) => to)).toEqual([['ada@sample.test']])
  expect(app.resend.accepted[0]?.text).toContain('Stays')
  expect(app.resend.accepted[0]?.text).not.toMatch(/Fills up|Begins before/)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({
    submitted: 1,
    excluded: { unsubscribed: 1, 'nothing-new': 1 },
  })
})

test('what a process remembers of one batch is looked up again for the next once a session has changed', async () => {
  const app = await testApp()
  aSession(app)
  const full = aSession(app, { group: 'Open Water' })
  manySubscribers(app, 2)
  await planNow(app)
  await oneReaderPerBatch(app)
  const submitter = openSubmitter(app)
  for (const { id } of await owedBatches(app.store, app.now(), 10)) {
    await submitter.submit(id)
    app.db.update(sessions).set({ status: 'full' }).where(eq(sessions.id, full)).run()
  }
  expect(app.resend.accepted.map(({ text }) => text.includes('Open Water'))).toEqual([true, false])
})

test('a process that submits two editions at a time shows in each what that one offered', async () => {
  const app = await testApp()
  aSubscriber(app, 'ada@sample.test')
  const groups = { '2026-11-23': 'Steady Ground', '2026-11-30': 'Open Water' }
  for (const [id, group] of Object.entries(groups)) {
    app.setNow(`${id}T15:00:00.000Z`)
    aSession(app, { group })
    expect(await planNow(app)).toBe(id)
    await submitOwed(app)
  }
  for (const id of Object.keys(groups))
    expect(await resendEdition(app, id, { kind: 'to', email: 'ada@sample.test' })).toMatchObject({
      kind: 'planned',
    })
  await submitOwed(app)
  const shown = app.resend.accepted.map(({ text }) =>
    Object.values(groups).filter((group) => text.includes(group)),
  )
  expect(shown.slice(2).sort()).toEqual(shown.slice(0, 2).sort())
  expect(shown.slice(0, 2)).toEqual([['Steady Ground'], ['Open Water']])
})

test('two workers with the same wake-up: one submits, the other leaves it', async () => {
  const app = await testApp({ file: true })
  const sibling = await app.sibling({})
  aSession(app)
  manySubscribers(app, 40)
  await planNow(app)
  const [batch] = await owedBatches(app.store, app.now(), 1)
  const outcomes = await Promise.all([
    openSubmitter(app).submit(batch?.id ?? 0),
    openSubmitter(sibling).submit(batch?.id ?? 0),
  ])
  expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['not-ours', 'submitted'])
  expect(counts(app)).toEqual([1])
})

test('a claim whose process is dead is taken over at once, and one of a living process only after its lease', async () => {
  const app = await planned(2)
  const claimed = { state: 'submitting' as const, claimedAt: app.now().getTime() }
  const take = (claimedBy: string) =>
    app.db
      .update(batches)
      .set({ ...claimed, claimedBy })
      .run()
  for (const alive of [identifyProcess(), 'elsewhere/12/alive', `${hostname()}/999999999/in-a-container`]) {
    take(alive)
    expect((await submitOwed(app)).map(({ kind }) => kind)).toEqual(['not-ours'])
  }
  take(identifyProcess().replace(/\/\d+$/, '/12')) // our pid, of a process that began long before
  expect(await submitOwed(app)).toMatchObject([{ kind: 'submitted' }])

  const leased = await planned(2)
  leased.db
    .update(batches)
    .set({ ...claimed, claimedBy: 'elsewhere/12/alive' })
    .run()
  later(leased, 91)
  expect(await submitOwed(leased)).toMatchObject([{ kind: 'submitted' }])
})

test('an accepted batch is recorded, and its edition ended, before anything waits for Redis', async () => {
  const app = await planned(2, { resend: { requestsPerSecond: 5 } })
  const states: unknown[] = []
  const queue: typeof app.queue = {
    ...app.queue,
    async limitRate(perSecond) {
      states.push(
        (await findEdition(app.store, MONDAY_ID))?.state,
        (await tallyOf(app.store, MONDAY_ID)).submitted,
      )
      await app.queue.limitRate(perSecond)
    },
  }
  const [batch] = await owedBatches(app.store, app.now(), 1)
  await openSubmitter({ ...app, queue }).submit(batch?.id ?? 0)
  expect(states).toEqual(['submitted', 2])
})

test('a claim of this process is abandoned unless its batch is in flight', async () => {
  const app = await planned(1)
  const id = (await owedBatches(app.store, app.now(), 1))[0]?.id ?? 0
  await claimBatch(app.store, id, { by: app.instance, at: app.now(), gone: null })
  const claim = (await owedBatches(app.store, app.now(), 1))[0] as OwedBatch
  const whileSubmitting: boolean[] = []
  const submitter = openSubmitter({
    ...app,
    mailer: {
      submitBatch(batch) {
        whileSubmitting.push(submitter.isStale(claim, app.now()))
        return app.mailer.submitBatch(batch)
      },
    },
  })
  expect(submitter.isStale(claim, app.now())).toBe(true)
  await submitter.submit(id)
  expect(whileSubmitting).toEqual([false])
})

test('what an older release froze goes out again with the links as that release signed them', async () => {
  const app = await planned(3)
  app.resend.inject({ kind: 'reset-before' })
  await submitOwed(app)
  const [batch] = app.db.select().from(batches).all()
  const [template, offers] = await Promise.all(
    [batch?.templateHash, batch?.offersHash].map((hash) => frozenContent(app.store, hash ?? '')),
  )
  const frozenTemplate = JSON.parse(template ?? '') as DigestTemplate
  const links = linksOf(app.config.LINK_SECRET, frozenTemplate.letterhead, earlierSignLinks)
  const compose = requestComposer(
    frozenTemplate,
    JSON.parse(offers ?? '') as Offer[],
    { id: MONDAY_ID },
    links,
  )
  const tagOf = deliveryTagger(app.hashKey, { editionId: MONDAY_ID, generation: 0 })
  const fingerprints = (await frozenDeliveries(app.store, batch?.id ?? 0)).map(
    ({ id, frozen }) => compose(JSON.parse(frozen) as Reader, tagOf(id)).fingerprint,
  )
  const bodyHash = createHash('sha256').update(fingerprints.join('\n')).digest('base64url')
  app.db.update(batches).set({ bodyHash, key: 'openseat/2026-11-23/g0/b1', nextAttemptAt: null }).run()
  expect(await submitOwed(app)).toMatchObject([{ kind: 'submitted', accepted: 3 }])
  const reader = app.db.select().from(subscribers).where(eq(subscribers.email, 'reader-1@sample.test')).get()
  const mail = app.resend.accepted.findLast(({ to }) => to[0] === 'reader-1@sample.test')
  expect(mail?.headers?.['List-Unsubscribe']).toContain(links.unsubscribe(reader?.publicId ?? ''))
})

test('killed after acceptance and before recording: the retry replays, and each is accepted once', async () => {
  const app = await planned(7)
  // What a kill leaves behind: frozen, claimed, accepted, not recorded.
  const [batch] = await owedBatches(app.store, app.now(), 1)
  const broken = { ...app, store: dyingBeforeRecording(app.store) }
  await expect(openSubmitter(broken).submit(batch?.id ?? 0)).rejects.toThrow('killed')
  expect(app.resend.accepted).toHaveLength(7)
  app.db.update(batches).set({ nextAttemptAt: null }).run()
  expect(await submitOwed(app)).toMatchObject([{ kind: 'submitted', accepted: 7 }])
  expect(counts(app)).toEqual([1])
})

test('a pause takes effect at the next batch, and a resume continues', async () => {
  const app = await planned(250)
  const [first, second] = await owedBatches(app.store, app.now(), 10)
  await openSubmitter(app).submit(first?.id ?? 0)
  expect(await pause(app, MONDAY_ID, 'the operator wants a look')).toEqual({ kind: 'done' })
  expect(await pause(app, MONDAY_ID, 'again')).toMatchObject({ kind: 'refused' })
  expect(await openSubmitter(app).submit(second?.id ?? 0)).toEqual({ kind: 'not-ours' })
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ submitted: 100, waiting: 150 })
  await resume(app, MONDAY_ID)
  await submitOwed(app)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ submitted: 250 })
  expect(await resume(app, MONDAY_ID)).toMatchObject({ kind: 'refused' })
})

test('a cancel excludes what was not attempted and marks as unknown what was in doubt', async () => {
  const app = await planned(250)
  const [first, second] = await owedBatches(app.store, app.now(), 10)
  await openSubmitter(app).submit(first?.id ?? 0)
  app.resend.inject({ kind: 'reset-after-accept' })
  await openSubmitter(app).submit(second?.id ?? 0)
  expect(await cancel(app, MONDAY_ID)).toEqual({ kind: 'done' })
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({
    submitted: 100,
    unknown: 100,
    excluded: { cancelled: 50 },
    waiting: 0,
  })
  expect(await batchCounts(app.store, MONDAY_ID)).toEqual({ submitted: 1, unknown: 1, cancelled: 1 })
  expect(await cancel(app, MONDAY_ID)).toMatchObject({ kind: 'refused' })
  expect(await cancel(app, '2020-01-06')).toEqual({ kind: 'not-found' })
})

test('a reader is shown a session once: the next edition has nothing for them until there is news', async () => {
  const app = await planned(1)
  await submitOwed(app)
  aSession(app, { group: 'Second Wind' })
  app.setNow('2026-11-30T15:00:00Z')
  await planNow(app)
  await submitOwed(app)
  expect(app.resend.accepted[1]?.text).toContain('Second Wind')
  expect(app.resend.accepted[1]?.text).not.toContain('Steady Ground')
})

test('a reader whose delivery failed gets everything the next week', async () => {
  const app = await testApp({
    resend: {
      refuseAddress: (address) => (week === 1 && address === 'ada@sample.test' ? 'mailbox on fire' : null),
    },
  })
  let week = 1
  aSession(app)
  aSubscriber(app, 'ada@sample.test')
  await planNow(app)
  await submitOwed(app)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ failed: 1 })
  week = 2
  app.setNow('2026-11-30T15:00:00Z')
  await planNow(app)
  await submitOwed(app)
  expect(app.resend.accepted[0]?.text).toContain('Steady Ground')
})

test('the logs of a run name editions and batches, and no address', async () => {
  const app = await planned(3)
  app.resend.inject({
    kind: 'status',
    status: 403,
    name: 'validation_error',
    message: 'You can only send to ada@sample.test',
  })
  await submitOwed(app)
  expect(app.logged()).toContain('2026-11-23')
  expect(app.logged()).toContain('[address]')
  expect(app.logged()).not.toContain('@')
})

async function planned(readers: number, options: Parameters<typeof testApp>[0] = {}): Promise<TestApp> {
  const app = await testApp(options)
  aSession(app)
  manySubscribers(app, readers)
  await planNow(app)
  return app
}

/** How often addresses were accepted: `[1]` = each once. */
function counts(app: TestApp): number[] {
  return [...new Set(app.resend.countByAddress().values())]
}

function later(app: TestApp, seconds: number): void {
  app.setNow(new Date(app.now().getTime() + seconds * 1000).toISOString())
}

// Stands for a kill -9 that a process cannot do to itself at this line: the second transaction, which records, never happens.
function dyingBeforeRecording(store: Store): Store {
  let writes = 0 // a claim with its freeze, then a record
  return {
    ...store,
    async write(work, options) {
      writes += 1
      if (writes === 2) throw new Error('killed')
      return store.write(work, options)
    },
  }
}
