import { expect, test } from '@jest/globals'
import { Queue as BullQueue } from 'bullmq'
import { Redis } from 'ioredis'
import {
  afterTest,
  aSession,
  aSubscriber,
  eventually,
  manySubscribers,
  planNow,
  type TestApp,
  testApp,
  testRedis,
} from '../test/app.ts'
import { pause } from './actions/editions/control.ts'
import type { App } from './app.ts'
import { allEditions, findEdition, tallyOf } from './db/ledger/editions.ts'
import { startWorker } from './worker.ts'

const MONDAY_ID = '2026-11-23'
const SUNDAY = '2026-11-22T15:00:00.000Z'

test('the weekly job plans the slot and submits every batch', async () => {
  const app = await started(SUNDAY, 320)
  expect(await allEditions(app.store)).toEqual([])
  app.setNow('2026-11-23T14:00:30Z')
  await app.queue.wakeSweep()
  await finished(app, MONDAY_ID)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ candidates: 320, submitted: 320 })
  expect(counts(app)).toEqual([1])
})

test('a first start on a Tuesday emails no one; the next Monday does', async () => {
  const app = await started('2026-11-24T15:00:00Z', 3)
  await swept(app)
  expect(await allEditions(app.store)).toEqual([])
  app.setNow('2026-11-30T14:01:00Z')
  await app.queue.wakeSweep()
  await finished(app, '2026-11-30')
  expect(app.resend.accepted).toHaveLength(3)
})

test('a slot missed while nothing ran is planned late, within the catch-up limit', async () => {
  const app = await started(SUNDAY, 3)
  await app.restart('2026-11-25T13:00:00Z')
  await finished(app, MONDAY_ID)
  expect(app.resend.accepted).toHaveLength(3)
})

test('an older slot is skipped, and its news goes out with the next edition', async () => {
  const app = await started(SUNDAY, 3)
  await app.restart('2026-11-25T15:00:00Z')
  await swept(app)
  expect(await allEditions(app.store)).toEqual([])
  app.setNow('2026-11-30T14:00:00Z')
  await app.queue.wakeSweep()
  await finished(app, '2026-11-30')
  expect(app.resend.accepted).toHaveLength(3)
})

test('an overdue run survives a restart: the scheduler of an unchanged rule is left alone', async () => {
  const app = await started(SUNDAY, 1)
  const before = await scheduler(app)
  await app.restart(SUNDAY)
  expect(await scheduler(app)).toEqual(before)
  expect(before).toMatchObject({ pattern: '0 9 * * 1', tz: 'America/New_York' })
})

test('a changed day and zone take effect at the next start, and bring back no slot that is past', async () => {
  const app = await started('2026-11-25T15:00:00Z', 2)
  app.config.slotRule = { weekday: 2, time: '08:30', timeZone: 'Europe/London' }
  await app.restart('2026-11-25T16:00:00Z')
  expect(await scheduler(app)).toMatchObject({ pattern: '30 8 * * 2', tz: 'Europe/London' })
  await swept(app)
  expect(await allEditions(app.store)).toEqual([])
  app.setNow('2026-12-01T08:31:00Z')
  await app.queue.wakeSweep()
  await finished(app, '2026-12-01')
})

test('Redis flushed in the middle: the schedulers come back and every reader is mailed once', async () => {
  const app = await testApp({ at: SUNDAY })
  aSession(app)
  manySubscribers(app, 1_500)
  app.resend.inject({ kind: 'late', ms: 60, times: 1_000 })
  const worker = await startWorker(app, { scheduled: true, guardEveryMs: 500 })
  app.setNow('2026-11-23T14:01:00Z')
  await app.queue.wakeSweep()
  await eventually(async () => (await tallyOf(app.store, MONDAY_ID)).submitted > 0)
  await flush(app)
  await finished(app, MONDAY_ID, 28_000)
  await eventually(async () => (await scheduler(app)) !== undefined)
  await worker.stop()
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ submitted: 1_500 })
  expect(counts(app)).toEqual([1])
})

test('two workers started at once submit one edition, each reader once', async () => {
  const app = await testApp({ at: SUNDAY, file: true })
  const sibling = await app.sibling()
  aSession(app)
  manySubscribers(app, 900)
  const workers = await Promise.all([
    startWorker(app, { scheduled: true }),
    startWorker(sibling, { scheduled: true }),
  ])
  app.setNow('2026-11-23T14:01:00Z')
  await Promise.all([app.queue.wakeSweep(), sibling.queue.wakeSweep()])
  await finished(app, MONDAY_ID)
  await Promise.all(workers.map((worker) => worker.stop()))
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ candidates: 900, submitted: 900 })
  expect(counts(app)).toEqual([1])
})

test('the slots of both DST weeks are planned once each, at nine in New York', async () => {
  for (const [before, at, id] of [
    ['2027-03-14T12:00:00Z', '2027-03-15T13:00:01Z', '2027-03-15'],
    ['2026-11-01T15:00:00Z', '2026-11-02T14:00:01Z', '2026-11-02'],
  ] as const) {
    const app = await testApp({ at: before })
    aSession(app, { startsAtLocal: '2027-04-01T18:00' })
    aSubscriber(app, 'ada@sample.test')
    const worker = await startWorker(app, { scheduled: true })
    app.setNow(new Date(Date.parse(at) - 2_000).toISOString())
    await swept(app)
    expect(await allEditions(app.store)).toEqual([])
    app.setNow(at)
    await app.queue.wakeSweep()
    await finished(app, id)
    await worker.stop()
  }
})

test('a paused edition waits, whatever is enqueued', async () => {
  const app = await started(SUNDAY, 0)
  manySubscribers(app, 20)
  app.setNow('2026-11-23T14:01:00Z')
  await planNow(app)
  await pause(app, MONDAY_ID, 'a look first')
  await swept(app)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ waiting: 20, submitted: 0 })
})

test('Redis holds ids only: no address, no name, no content', async () => {
  const app = await testApp({ at: SUNDAY })
  aSession(app)
  aSubscriber(app, 'ada@sample.test', { name: 'Ada' })
  await planNow(app)
  await app.queue.wakeBatches([1, 2, 3])
  const dump = await everythingInRedis(app)
  expect(dump).toContain('batchId')
  expect(dump).not.toMatch(/sample\.test|Ada|Steady|Mira/)
})

test('a rate-limited answer holds the whole queue and loses nothing', async () => {
  const app = await testApp({ at: SUNDAY, resend: { requestsPerSecond: 4 } })
  aSession(app)
  manySubscribers(app, 900)
  const worker = await startWorker(app, { scheduled: true })
  app.setNow('2026-11-23T14:01:00Z')
  await app.queue.wakeSweep()
  await finished(app, MONDAY_ID, 25_000)
  await worker.stop()
  expect(counts(app)).toEqual([1])
  const batches = app.resend.requests.filter(({ method, status }) => method === 'POST' && status === 200)
  expect(batches).toHaveLength(9)
})

type StartedApp = TestApp & { restart(at: string): Promise<void> }

/** An installation whose worker was first started at `at`; `restart` stops it and starts it again later. */
async function started(at: string, readers: number): Promise<StartedApp> {
  const app = await testApp({ at })
  aSession(app)
  manySubscribers(app, readers)
  let worker = await startWorker(app, { scheduled: true })
  afterTest(() => worker.stop())
  return Object.assign(app, {
    async restart(later: string) {
      await worker.stop()
      app.setNow(later)
      worker = await startWorker(app, { scheduled: true })
    },
  })
}

async function finished(app: App, id: string, withinMs?: number): Promise<void> {
  await eventually(async () => (await findEdition(app.store, id))?.state === 'submitted', withinMs)
}

/** Waits until a sweep that was rung for now has run. */
async function swept(app: TestApp): Promise<void> {
  await app.queue.wakeSweep()
  await eventually(() =>
    withEditionsQueue(app, async (queue) => {
      const { waiting = 0, active = 0 } = await queue.getJobCounts('waiting', 'active')
      return waiting + active === 0
    }),
  )
}

function scheduler(app: TestApp) {
  return withEditionsQueue(app, (queue) => queue.getJobScheduler('weekly-digest'))
}

async function withEditionsQueue<T>(app: TestApp, use: (queue: BullQueue) => Promise<T>): Promise<T> {
  const queue = new BullQueue('editions', { connection: testRedis(), prefix: app.queuePrefix })
  try {
    return await use(queue)
  } finally {
    await queue.close()
  }
}

// Every test has its own prefix, so what FLUSHALL does to one installation is deleting its keys.
async function flush(app: TestApp): Promise<void> {
  const redis = new Redis(testRedis())
  const keys = await redis.keys(`${app.queuePrefix}:*`)
  await redis.del(...keys)
  await redis.quit()
}

async function everythingInRedis(app: TestApp): Promise<string> {
  const redis = new Redis(testRedis())
  const parts: string[] = []
  for (const key of await redis.keys(`${app.queuePrefix}:*`)) {
    const type = await redis.type(key)
    if (type === 'hash') parts.push(JSON.stringify(await redis.hgetall(key)))
    else if (type === 'list') parts.push(JSON.stringify(await redis.lrange(key, 0, -1)))
    else if (type === 'zset') parts.push(JSON.stringify(await redis.zrange(key, '0', '-1')))
    else if (type === 'stream') parts.push(JSON.stringify(await redis.xrange(key, '-', '+')))
    else parts.push((await redis.get(key)) ?? '')
  }
  await redis.quit()
  return parts.join('\n')
}

/** How often addresses were accepted: `[1]` = each once. */
function counts(app: TestApp): number[] {
  return [...new Set(app.resend.countByAddress().values())]
}
