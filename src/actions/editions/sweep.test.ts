import { expect, test } from '@jest/globals'
import {
  afterTest,
  aSession,
  aSubscriber,
  eventually,
  manySubscribers,
  planNow,
  submitOwed,
  testApp,
} from '../../../test/app.ts'
import { slotsBetween } from '../../core/time/calendar.ts'
import { allEditions, tallyOf } from '../../db/ledger/editions.ts'
import { batches } from '../../db/schema/ledger.ts'
import { sweep } from '../../recurring.ts'
import { cancel } from './control.ts'
import { enqueueOwed } from './enqueue.ts'
import { openSubmitter } from './submit.ts'
import { recordStart } from './sweep.ts'

test('over a year of days, every slot is planned once and no week is left out', async () => {
  const app = await testApp({ at: '2026-03-01T12:00:00Z' })
  aSubscriber(app, 'ada@sample.test')
  await recordStart(app)
  const start = app.now().getTime()
  for (let day = 0; day < 365; day += 1) {
    app.setNow(new Date(start + day * 24 * 3_600_000).toISOString())
    if (day % 5 === 0) aSession(app, { startsAtLocal: '2027-06-01T18:00' })
    if (![0, 1, 2, 5].includes(day % 7)) continue // Sunday to Tuesday, around the slot, and Friday
    await sweep(app)
    await submitOwed(app)
  }
  const slots = slotsBetween(app.config.slotRule, new Date(start), app.now()).map(
    ({ editionId }) => editionId,
  )
  expect((await allEditions(app.store)).map(({ id }) => id).sort()).toEqual(slots)
  expect(slots.length).toBe(52)
  expect(app.resend.countByAddress().get('ada@sample.test')).toBe(52)
})

test('a clock that jumps back and forth by an hour plans nothing twice', async () => {
  const app = await testApp({ at: '2026-11-22T12:00:00Z' })
  await recordStart(app)
  aSession(app)
  aSubscriber(app, 'ada@sample.test')
  for (const at of ['14:00:01', '13:00:01', '14:00:02', '12:59:00', '15:00:00']) {
    app.setNow(`2026-11-23T${at}Z`)
    await sweep(app)
    await submitOwed(app)
  }
  expect(await allEditions(app.store)).toHaveLength(1)
  expect(app.resend.accepted).toHaveLength(1)
})

test('a slot at the very instant of the first start is due, and one before it never is', async () => {
  for (const [at, planned] of [
    ['2026-11-23T14:00:00.000Z', 1],
    ['2026-11-23T14:00:00.001Z', 0],
  ] as const) {
    const app = await testApp({ at })
    await recordStart(app)
    aSession(app)
    aSubscriber(app, 'ada@sample.test')
    await sweep(app)
    expect([at, (await allEditions(app.store)).length]).toEqual([at, planned])
  }
})

test('without a first start nothing is ever due', async () => {
  const app = await testApp()
  aSession(app)
  aSubscriber(app, 'ada@sample.test')
  await sweep(app)
  expect(await allEditions(app.store)).toEqual([])
})

test('a delivery in doubt for 23 hours becomes unknown although nothing enqueues it', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 2)
  await planNow(app)
  app.resend.inject({ kind: 'reset-after-accept' })
  await submitOwed(app)
  app.setNow('2026-11-24T14:05:00Z')
  await sweep(app)
  expect(await tallyOf(app.store, '2026-11-23')).toMatchObject({ unknown: 2, waiting: 0 })
  expect((await allEditions(app.store))[0]).toMatchObject({ state: 'submitted' })
})

test('a batch whose request is under way is not given up when its 23 hours end', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 2)
  await planNow(app)
  const started = app.now().getTime()
  const claimedAt = started + 23 * 3_600_000 - 5_000
  app.db
    .update(batches)
    .set({ state: 'submitting', claimedBy: 'elsewhere/1/alive', claimedAt, firstAttemptAt: started })
    .run()
  app.setNow(new Date(claimedAt + 10_000).toISOString())
  await sweep(app)
  expect(await tallyOf(app.store, '2026-11-23')).toMatchObject({ unknown: 0, waiting: 2 })
  app.setNow(new Date(claimedAt + 91_000).toISOString())
  await sweep(app)
  expect(await tallyOf(app.store, '2026-11-23')).toMatchObject({ unknown: 2, waiting: 0 })
})

test('batches that a killed process had claimed also end if their edition was cancelled since', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 2)
  const id = await planNow(app)
  const claim = {
    state: 'submitting' as const,
    claimedBy: 'elsewhere/1/dead',
    claimedAt: app.now().getTime(),
  }
  app.db.update(batches).set(claim).run()
  await cancel(app, id)
  expect(await tallyOf(app.store, id)).toMatchObject({ waiting: 2 })
  app.setNow('2026-11-23T15:02:00Z')
  await sweep(app)
  expect(await tallyOf(app.store, id)).toMatchObject({ waiting: 0, excluded: { cancelled: 2 } })
})

test('owed batches are enqueued once, and not again while wake-ups wait', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 1_500)
  await planNow(app)
  await enqueueOwed(app, openSubmitter(app))
  expect(await app.queue.backlog()).toBe(15)
  await enqueueOwed(app, openSubmitter(app))
  expect(await app.queue.backlog()).toBe(15)
  expect(
    app.db
      .select()
      .from(batches)
      .all()
      .every(({ state }) => state === 'planned'),
  ).toBe(true)
})

test('jobs of killed processes in Redis do not keep owed batches from being enqueued', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 100)
  const holders = await Promise.all([app.sibling(), app.sibling()])
  // Twelve wake-ups are active and will not end, as after a kill; six are what one process works on at once.
  let held = 0
  let letGo = () => {}
  const end = new Promise<void>((resolve) => (letGo = resolve))
  const working = holders.map((holder) =>
    holder.queue.work({
      sweep: async () => {},
      drained: () => {},
      async submit() {
        held += 1
        await end
        return { kind: 'done' }
      },
    }),
  )
  afterTest(async () => {
    letGo()
    await Promise.all(working.map((work) => work.stop()))
  })
  await app.queue.wakeBatches(Array.from({ length: 12 }, (_, n) => 1_000 + n))
  await eventually(() => held === 12)
  await planNow(app)
  await enqueueOwed(app, openSubmitter(app))
  expect(await app.queue.backlog()).toBe(1)
})
