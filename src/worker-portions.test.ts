import { expect, test } from '@jest/globals'
import { Queue as BullQueue } from 'bullmq'
import { Redis } from 'ioredis'
import {
  afterTest,
  aSession,
  aSubscriber,
  eventually,
  manySubscribers,
  oneReaderPerBatch,
  planNow,
  type TestApp,
  testApp,
  testRedis,
} from '../test/app.ts'
import { cancel, pause, resume } from './actions/editions/control.ts'
import type { App } from './app.ts'
import { owedBatches } from './db/ledger/batches.ts'
import { findEdition, tallyOf } from './db/ledger/editions.ts'
import { addNotice } from './db/people/notices.ts'
import { batches, notices } from './db/schema/ledger.ts'
import { identifyProcess } from './machine/process-identity.ts'
import { startWorker } from './worker.ts'

const ID = '2026-11-23'
// No test lives so long: with it, and without the schedulers of the sweep, no clock makes anybody look.
const NEVER_MS = 3_600_000
// Seconds on a machine that is idle.
const PATIENCE_MS = 100_000

test.each([
  { workers: 1, readers: 1_000 },
  { workers: 3, readers: 500 },
])(
  '$readers batches go out portion by portion with no clock, from $workers workers',
  async ({ workers, readers }) => {
    const app = await tinyApp({ file: workers > 1 })
    const siblings = await Promise.all(Array.from({ length: workers - 1 }, () => app.sibling()))
    await plannedInTinyBatches(app, readers)
    for (const one of [app, ...siblings]) await startUnclocked(one)
    await removeSweeps(app)
    await eventually(async () => (await findEdition(app.store, ID))?.state === 'submitted', PATIENCE_MS)
    const submitted = readers / 20
    expect(await tallyOf(app.store, ID)).toMatchObject({
      submitted,
      excluded: { unsubscribed: readers - submitted },
    })
    expect([...new Set(app.resend.countByAddress().values())]).toEqual([1])
    // Duplicates are harmless, but each takes the place of a wake-up under Resend's limit.
    expect(await jobsAdded(app)).toBeLessThan(1.1 * readers + 50)
  },
  2 * PATIENCE_MS,
)

test(
  'a portion that is paused and resumed, and what stands behind it, need no clock either',
  async () => {
    const app = await tinyApp()
    await plannedInTinyBatches(app, 250)
    await pause(app, ID, 'a look first')
    await startUnclocked(app)
    await eventually(async () => (await app.queue.stats())?.editionJobs.waiting === 0)
    expect(await tallyOf(app.store, ID)).toMatchObject({ waiting: 250 })
    await resume(app, ID)
    await eventually(async () => (await findEdition(app.store, ID))?.state === 'submitted', PATIENCE_MS)
  },
  2 * PATIENCE_MS,
)

test('batches claimed by a killed process go out within two seconds, even if other workers are idle', async () => {
  const app = await testApp()
  await plannedInTinyBatches(app, 2)
  const dead = identifyProcess().replace(/\/\d+$/, '/12') // our pid, of a process that began long before
  const claim = { state: 'submitting' as const, claimedAt: app.now().getTime() }
  app.db
    .update(batches)
    .set({ ...claim, claimedBy: 'elsewhere/1/alive' })
    .run()
  const worker = await startWorker(app, { scheduled: false, lookEveryMs: 50 })
  afterTest(() => worker.stop())
  await removeSweeps(app)
  app.db
    .update(batches)
    .set({ ...claim, claimedBy: dead })
    .run()
  await eventually(async () => (await findEdition(app.store, ID))?.state === 'submitted')
})

test('a notice whose wake-up was lost goes out while an edition waits for nothing to do', async () => {
  const app = await testApp()
  const subscriberId = aSubscriber(app, 'ada@sample.test')
  await app.store.write((tx) => addNotice(tx, { kind: 'already', subscriberId }, app.now()))
  app.db
    .update(notices)
    .set({ nextAttemptAt: app.now().getTime() + 60_000 })
    .run()
  const worker = await startWorker(app, { scheduled: false, lookEveryMs: 50 })
  afterTest(() => worker.stop())
  await removeSweeps(app)
  expect(app.resend.accepted).toEqual([])
  app.setNow(new Date(app.now().getTime() + 61_000).toISOString())
  await eventually(() => app.db.select().from(notices).all()[0]?.state === 'submitted')
  expect(app.resend.accepted).toHaveLength(1)
})

test('what cannot be claimed now is not enqueued over and over', async () => {
  const app = await testApp()
  await plannedInTinyBatches(app, 3)
  app.db
    .update(batches)
    .set({ state: 'submitting', claimedAt: app.now().getTime(), claimedBy: 'elsewhere/1/alive' })
    .run()
  const worker = await startWorker(app, { scheduled: false, lookEveryMs: 1 })
  afterTest(() => worker.stop())
  await removeSweeps(app)
  const before = await jobsAdded(app)
  let looks = 0
  await eventually(() => (looks += 1) > 30)
  expect(await jobsAdded(app)).toBe(before)
})

test('what a cancelled edition left in the queue goes at once, not one by one under the limit', async () => {
  const app = await tinyApp({ rate: '1' })
  await plannedInTinyBatches(app, 90)
  await app.queue.wakeBatches((await owedBatches(app.store, app.now(), 90)).map(({ id }) => id))
  await cancel(app, ID)
  expect(await app.queue.backlog()).toBe(90)
  await startUnclocked(app)
  await eventually(async () => (await app.queue.backlog()) === 0, 60_000)
  expect(app.resend.accepted).toEqual([])
}, 75_000)

const tinyApp = ({ rate = '1000', ...options }: { file?: boolean; rate?: string } = {}) =>
  testApp({ ...options, settings: { RESEND_REQUESTS_PER_SECOND: rate } })

async function plannedInTinyBatches(app: TestApp, readers: number): Promise<void> {
  aSession(app)
  manySubscribers(app, readers)
  await planNow(app)
  await oneReaderPerBatch(app)
  // Most of them end without a request, so that thousands take seconds.
  app.db.$client.exec("update subscribers set status = 'unsubscribed' where id % 20 <> 0")
}

async function startUnclocked(app: App): Promise<void> {
  const worker = await startWorker(app, {
    scheduled: false,
    guardEveryMs: NEVER_MS,
    lookEveryMs: NEVER_MS,
  })
  afterTest(() => worker.stop())
}

/** How many wake-ups for batches and notices there were so far. */
async function jobsAdded(app: TestApp): Promise<number> {
  const redis = new Redis(testRedis())
  const count = Number(await redis.get(`${app.queuePrefix}:batches:id`))
  await redis.quit()
  return count
}

/** From here on no sweep comes. One that began with the worker has done its part by then, or does it once. */
async function removeSweeps(app: TestApp): Promise<void> {
  const queue = new BullQueue('editions', { connection: testRedis(), prefix: app.queuePrefix })
  await queue.removeJobScheduler('sweep')
  await queue.close()
}
