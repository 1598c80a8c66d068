import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, manySubscribers, planNow, submitOwed, testApp } from '../../../test/app.ts'
import { hashEmail } from '../../core/tokens.ts'
import { candidatesAfter } from '../../db/ledger/candidates.ts'
import { beginEdition, supersedeBefore } from '../../db/ledger/edition-states.ts'
import { findEdition, tallyOf } from '../../db/ledger/editions.ts'
import { recordVerdicts } from '../../db/ledger/verdicts.ts'
import { suppressions } from '../../db/schema/people.ts'
import { planAudience, planEdition } from './plan.ts'

const SLOT = { editionId: '2026-11-23', at: new Date('2026-11-23T14:00:00Z') }

test('every candidate becomes a recipient or an exclusion with its reason', async () => {
  const app = await testApp()
  aSession(app, { topic: 'anxiety' })
  aSubscriber(app, 'ada@sample.test')
  aSubscriber(app, 'bela@sample.test', { status: 'pending' })
  aSubscriber(app, 'cleo@sample.test', { status: 'unsubscribed' })
  aSubscriber(app, 'dara@sample.test', { pausedUntil: Date.parse('2026-12-24T00:00:00Z') })
  aSubscriber(app, 'emil@sample.test', { cadence: 'monthly', lastEditionId: '2026-11-02' })
  aSubscriber(app, 'finn@sample.test', { cadence: 'monthly', lastEditionId: '2026-10-26' })
  aSubscriber(app, 'gala@sample.test', { seenThrough: 1 })
  aSubscriber(app, 'hugo@sample.test', { topics: ['ocd'] })
  aSubscriber(app, 'ines@sample.test')
  const hash = hashEmail(app.hashKey, 'ines@sample.test')
  app.db.insert(suppressions).values({ emailHash: hash, reason: 'bounce', createdAt: 0 }).run()

  await planEdition(app, SLOT)
  expect(await tallyOf(app.store, SLOT.editionId)).toEqual({
    candidates: 9,
    submitted: 0,
    excluded: {
      pending: 1,
      unsubscribed: 1,
      paused: 1,
      'monthly-not-due': 1,
      'nothing-new': 2,
      suppressed: 1,
    },
    failed: 0,
    unknown: 0,
    waiting: 2,
  })
})

test('a pause that ended before the slot no longer holds', async () => {
  const app = await testApp()
  aSession(app)
  aSubscriber(app, 'ada@sample.test', { pausedUntil: Date.parse('2026-11-23T13:59:00Z') })
  await planNow(app)
  expect(await tallyOf(app.store, SLOT.editionId)).toMatchObject({ waiting: 1 })
})

test('planning twice plans once', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 120)
  expect(await planEdition(app, SLOT)).toMatchObject({ kind: 'planned' })
  expect(await planEdition(app, SLOT)).toMatchObject({ kind: 'exists' })
  expect(await tallyOf(app.store, SLOT.editionId)).toMatchObject({ candidates: 120, waiting: 120 })
})

test('two processes that plan at once make one edition', async () => {
  const app = await testApp({ file: true })
  const sibling = await app.sibling()
  aSession(app)
  manySubscribers(app, 5_000)
  const outcomes = await Promise.all([planEdition(app, SLOT), planEdition(sibling, SLOT)])
  expect(outcomes.map(({ edition }) => edition.state)).toEqual(['submitting', 'submitting'])
  expect(await tallyOf(app.store, SLOT.editionId)).toMatchObject({ candidates: 5_000, waiting: 5_000 })
  const sizes = app.db.$client.prepare('select size, count(*) as n from batches group by size').all()
  expect(sizes).toEqual([{ size: 100, n: 50 }])
})

test('planning continues where a killed planner stopped', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 330)
  await beginEdition(
    app.store,
    { id: SLOT.editionId, scheduledFor: SLOT.at, throughSeq: 1, offers: [] },
    app.now(),
  )
  const begun = await findEdition(app.store, SLOT.editionId)
  if (begun === null) throw new Error('not begun')
  const first = await candidatesAfter(app.store, begun, 0, 130)
  const verdicts = first.map(({ id, seenThrough }) => ({ subscriberId: id, seenThrough, exclusion: null }))
  expect(
    await recordVerdicts(app.store, { editionId: SLOT.editionId, installation: 'here' }, 0, verdicts),
  ).toBe(true)
  expect(
    await recordVerdicts(app.store, { editionId: SLOT.editionId, installation: 'here' }, 0, verdicts),
  ).toBe(false)

  const edition = await planAudience(app, SLOT.editionId)
  expect(edition.state).toBe('submitting')
  const tally = await tallyOf(app.store, SLOT.editionId)
  expect(tally).toMatchObject({ candidates: 330, waiting: 130, excluded: { 'nothing-new': 200 } })
  const batchSizes = app.db.$client.prepare('select size from batches order by number').pluck().all()
  expect(batchSizes).toEqual([100, 30])
})

test('someone who subscribes after planning began is not a candidate', async () => {
  const app = await testApp()
  aSession(app)
  aSubscriber(app, 'ada@sample.test')
  await planNow(app)
  aSubscriber(app, 'late@sample.test')
  await planNow(app)
  expect(await tallyOf(app.store, SLOT.editionId)).toMatchObject({ candidates: 1 })
})

test('with no news, everyone is excluded and the edition has ended', async () => {
  const app = await testApp()
  aSubscriber(app, 'ada@sample.test')
  await planNow(app)
  expect(await findEdition(app.store, SLOT.editionId)).toMatchObject({ state: 'submitted' })
  expect(await tallyOf(app.store, SLOT.editionId)).toMatchObject({
    candidates: 1,
    excluded: { 'nothing-new': 1 },
  })
})

test('a newer edition takes over what a paused one had not submitted', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 3)
  const old = await planNow(app)
  await supersedeBefore(app.store, '2026-11-30')
  expect(await tallyOf(app.store, old)).toMatchObject({
    candidates: 3,
    excluded: { superseded: 3 },
    waiting: 0,
  })
  app.setNow('2026-11-30T15:00:00Z')
  const next = await planNow(app)
  await submitOwed(app)
  expect(await tallyOf(app.store, next)).toMatchObject({ candidates: 3, submitted: 3 })
  expect(app.resend.accepted).toHaveLength(3)
})

test('sessions that do not fit in an email are counted and still shown once', async () => {
  const app = await testApp({ settings: { DIGEST_MAX_SESSIONS: '3' } })
  for (let n = 0; n < 10; n += 1)
    aSession(app, { group: `Group ${n}`, startsAtLocal: `2026-12-0${1 + (n % 9)}T18:00` })
  aSubscriber(app, 'ada@sample.test')
  await planNow(app)
  await submitOwed(app)
  expect(app.resend.accepted[0]?.text).toContain('See all 10 group times')
  app.setNow('2026-11-30T15:00:00Z')
  const next = await planNow(app)
  expect(await tallyOf(app.store, next)).toMatchObject({ excluded: { 'nothing-new': 1 } })
})
