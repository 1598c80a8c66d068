import { randomUUID } from 'node:crypto'
import { Queue as BullQueue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { connectAndCheck, type RedisAddress, redisErrorLogger } from './connect.ts'
import { type Handlers, startWorkers } from './workers.ts'

/**
 * Wake-ups in Redis. They carry ids only, and losing them costs at most a minute, because the sweep enqueues again what the
 * ledger owes. So no function here throws if Redis is away: it logs the error.
 */
export type Queue = {
  /** Enqueues these batches; with `once`, only those that no one enqueued or started in the last half second. */
  wakeBatches(ids: readonly number[], once?: 'once'): Promise<void>
  /** Drops the wake-ups for batches that no one has started. The ledger still knows what it owes. */
  forgetBatches(): Promise<void>
  /** Runs `work` unless another process runs it; false if one does, or Redis is away. Exclusive for one second only. */
  alone(work: () => Promise<void>): Promise<boolean>
  /** Enqueues these notices, to start after `delayMs`; `once` as for batches. */
  wakeNotices(ids: readonly number[], options?: { once?: boolean; delayMs?: number }): Promise<void>
  /** Wakes the sweep now. */
  wakeSweep(): Promise<void>
  /** The number of wake-ups for batches that no one has started; null if Redis is away. */
  backlog(): Promise<number | null>
  /** Creates these schedulers where they are missing or differ. Returns whether one did. */
  ensureSchedulers(schedulers: readonly Scheduler[]): Promise<boolean>
  /** Limits the batches per second of all processes together. */
  limitRate(perSecond: number): Promise<void>
  /** How many processes work on the queue, or null if Redis is away. */
  workers(): Promise<number | null>
  /** What Redis holds, by state, and the limit in force; null when Redis is away. */
  stats(): Promise<QueueStats | null>
  /** The epoch as last published to Redis, signed (`readEpoch` reads it); null if there is none or Redis is away. */
  publishedEpoch(): Promise<string | null>
  /** Publishes the epoch, as signed by `signEpoch`, to Redis. It may be lost there. */
  publishEpoch(signed: string): Promise<void>
  /** Starts working, until `stop`, which lets current work finish. */
  work(handlers: Handlers): { stop(): Promise<void> }
  /** Where the web counts requests, in the form that `@fastify/rate-limit` needs. Counting fails if Redis is away. */
  limits: { redis: object; nameSpace: string }
  close(): Promise<void>
}

/** Adds a job each `every` ms, or by a cron pattern in the IANA zone `tz`. */
export type Scheduler = { id: string; job: string; pattern?: string; tz?: string; every?: number }

export type QueueStats = {
  batchJobs: Record<string, number>
  editionJobs: Record<string, number>
  perSecond: number | null
}

// While a wake-up has left the queue and its claim is not in the ledger yet, no one enqueues it again for this long.
const ONCE_IN_MS = 500
const ALONE_MS = 1_000
const STATES = ['waiting', 'active', 'delayed', 'failed'] as const
const KEEP = { removeOnComplete: true, removeOnFail: { count: 100 } }

/**
 * Connects to Redis and opens the queues under `prefix`. Throws `Unavailable`, saying how to fix it, if Redis cannot be
 * reached, refuses us, is too old, or evicts keys.
 */
export async function openQueue(options: {
  redis: RedisAddress
  prefix: string
  log: Logger
}): Promise<Queue> {
  const { prefix, log } = options
  const logRedisError = redisErrorLogger(log)
  // A command of the producer fails if Redis is away; a worker waits for it to come back. Without a time limit, a
  // black-holed connection would block the sweep, which uses it, forever.
  const producer = await connectAndCheck(options.redis, { maxRetriesPerRequest: 1, socketTimeout: 5_000 })
  producer.on('error', logRedisError)
  const editions = new BullQueue('editions', { connection: producer, prefix, defaultJobOptions: KEEP })
  const batches = new BullQueue('batches', { connection: producer, prefix, defaultJobOptions: KEEP })
  for (const queue of [editions, batches]) queue.on('error', logRedisError)

  const attempt = async <T>(work: () => Promise<T>): Promise<T | null> => {
    try {
      return await work()
    } catch (error) {
      logRedisError(error)
      return null
    }
  }

  return {
    async wakeBatches(ids, once) {
      for (let from = 0; from < ids.length; from += 1000) {
        const some = ids.slice(from, from + 1000)
        const free = once ? await attempt(() => markFree(producer, prefix, 'batch', some)) : some
        const jobs = (free ?? []).map((batchId) => ({ name: 'submit-batch', data: { batchId } }))
        await attempt(() => batches.addBulk(jobs))
      }
    },
    async forgetBatches() {
      const waiting = (await attempt(() => batches.getWaiting())) ?? []
      const forgotten = waiting.filter(({ name }) => name === 'submit-batch')
      // One that was started in the meantime cannot be removed, and does not have to be.
      await Promise.allSettled(forgotten.map((job) => job.remove()))
      const keys = forgotten.map(({ data }) => onceKey(prefix, 'batch', data.batchId))
      if (keys.length > 0) await attempt(() => producer.del(keys))
    },
    async alone(work) {
      const key = `${prefix}:alone`
      const token = randomUUID()
      const got = await attempt(() => producer.set(key, token, 'PX', ALONE_MS, 'NX'))
      if (got === null) return false
      try {
        await work()
      } finally {
        await attempt(() => producer.eval(UNLOCK, 1, key, token))
      }
      return true
    },
    async wakeNotices(ids, { once = false, delayMs = 0 } = {}) {
      // Someone is waiting for this email; an edition of thousands can let it go first.
      const free = once ? await attempt(() => markFree(producer, prefix, 'notice', ids)) : ids
      const jobs = (free ?? []).map((noticeId) => ({
        name: 'submit-notice',
        data: { noticeId },
        opts: { lifo: true, delay: delayMs },
      }))
      await attempt(() => batches.addBulk(jobs))
    },
    async wakeSweep() {
      await attempt(() => editions.add('sweep', {}))
    },
    async backlog() {
      // Without the active ones: jobs of a killed process look active for a minute, and would keep the sweep from enqueueing.
      const counts = await attempt(() => batches.getJobCounts('waiting', 'prioritized'))
      return counts && Object.values(counts).reduce((sum, count) => sum + count, 0)
    },
    async ensureSchedulers(schedulers) {
      let changed = false
      await attempt(async () => {
        for (const scheduler of schedulers) changed = (await ensureScheduler(editions, scheduler)) || changed
      })
      return changed
    },
    async limitRate(perSecond) {
      await attempt(() => batches.setGlobalRateLimit(Math.max(1, Math.floor(perSecond)), 1000))
    },
    async workers() {
      return await attempt(() => batches.getWorkersCount())
    },
    async stats() {
      return await attempt(async () => {
        const limit = await batches.getGlobalRateLimit()
        return {
          batchJobs: await batches.getJobCounts(...STATES),
          editionJobs: await editions.getJobCounts(...STATES),
          perSecond: limit && (limit.max * 1000) / limit.duration,
        }
      })
    },
    async publishedEpoch() {
      return await attempt(() => producer.get(`${prefix}:epoch`))
    },
    async publishEpoch(signed) {
      await attempt(() => producer.set(`${prefix}:epoch`, signed))
    },
    work: (handlers) =>
      startWorkers(handlers, {
        redis: options.redis,
        prefix,
        batches,
        logRedisError,
        async takenUp({ name, data }) {
          const key =
            name === 'submit-batch'
              ? onceKey(prefix, 'batch', data.batchId)
              : onceKey(prefix, 'notice', data.noticeId)
          await attempt(() => producer.set(key, 1, 'PX', ONCE_IN_MS))
        },
      }),
    limits: { redis: producer, nameSpace: `${prefix}:limits:` },
    async close() {
      await Promise.allSettled([editions.close(), batches.close()])
      producer.disconnect()
    },
  }
}

type Kind = 'batch' | 'notice'

// The key expires after half a second, so a job of a killed process does not hide its batch.
const onceKey = (prefix: string, kind: Kind, id: number | string) => `${prefix}:once:${kind}-${id}`

/** Marks the ids that are not marked yet, and returns them. */
async function markFree<Id extends number | string>(
  redis: Redis,
  prefix: string,
  kind: Kind,
  ids: readonly Id[],
): Promise<Id[]> {
  if (ids.length === 0) return []
  const marking = redis.pipeline()
  for (const id of ids) marking.set(onceKey(prefix, kind, id), 1, 'PX', ONCE_IN_MS, 'NX')
  const marked = (await marking.exec()) ?? []
  return ids.filter((_, index) => marked[index]?.[1] === 'OK')
}

// Deletes the lock if it still belongs to this owner.
const UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end"

// Upserting a scheduler drops an overdue run (BullMQ 6.7), so do it only if the definition differs.
async function ensureScheduler(queue: BullQueue, { id, job: name, ...want }: Scheduler): Promise<boolean> {
  const found = await queue.getJobScheduler(id)
  if (
    found &&
    found.pattern === want.pattern &&
    found.tz === want.tz &&
    Number(found.every ?? 0) === (want.every ?? 0)
  )
    return false
  await queue.upsertJobScheduler(id, want, { name, data: {}, opts: KEEP })
  return true
}
