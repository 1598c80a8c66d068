import { randomUUID } from 'node:crypto'
import { Queue as BullQueue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Logger } from 'pino'
import { type RedisAddress, reach, redisErrorLogger } from './connect.ts'
import { type Handlers, startWorkers } from './workers.ts'

/**
 * The doorbell. It carries ids only, and losing what it holds costs minutes: the sweep rings again for whatever the
 * ledger owes. So no function here throws because Redis is away; it logs, and the next sweep makes up for it.
 */
export type Queue = {
  /** Enqueues these batches; with `once`, only those that nobody enqueued or took up in the last half second. */
  wakeBatches(ids: readonly number[], once?: 'once'): Promise<void>
  /** Forgets the wake-ups for batches that nobody has taken up yet; the ledger is asked for what it still owes. */
  forgetBatches(): Promise<void>
  /** Does `work`, unless another process does so; false: one does, or Redis is away. Only one second is alone for sure. */
  alone(work: () => Promise<void>): Promise<boolean>
  /** Enqueues these notices, to be taken up after `delayMs`; `once` as for batches. */
  wakeNotices(ids: readonly number[], options?: { once?: boolean; delayMs?: number }): Promise<void>
  /** Rings for the sweep, now. */
  wakeSweep(): Promise<void>
  /** Wake-ups for batches that nobody has taken up yet; null when Redis is away. */
  backlog(): Promise<number | null>
  /** Puts these schedulers in place where they are missing or differ. True when one was. */
  ensureSchedulers(schedulers: readonly Scheduler[]): Promise<boolean>
  /** Limits batches per second over all processes. */
  limitRate(perSecond: number): Promise<void>
  /** How many processes work on the queue, or null when Redis is away. */
  workers(): Promise<number | null>
  /** What Redis holds, by state, and the limit in force; null when Redis is away. */
  stats(): Promise<QueueStats | null>
  /** The epoch as last published to Redis, signed (`readEpoch` reads it); null if there is none or Redis is away. */
  publishedEpoch(): Promise<string | null>
  /** Tells Redis the epoch, as `signEpoch` wrote it: a witness that may be lost. */
  publishEpoch(signed: string): Promise<void>
  /** Starts working until `stop`, which lets what is in flight finish. */
  work(handlers: Handlers): { stop(): Promise<void> }
  /** Where the web counts requests: what `@fastify/rate-limit` wants to be given. A count fails when Redis is away. */
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

// A wake-up is not in the queue any more and its claim is not in the ledger yet: so long nobody enqueues it again.
const ONCE_IN_MS = 500
const ALONE_MS = 1_000
const STATES = ['waiting', 'active', 'delayed', 'failed'] as const
const KEEP = { removeOnComplete: true, removeOnFail: { count: 100 } }

/**
 * Connects to Redis and opens the queues under `prefix`.
 * Throws `Unavailable`, saying how to fix it, when Redis cannot be reached, refuses us, is too old or evicts keys.
 */
export async function openQueue(options: {
  redis: RedisAddress
  prefix: string
  log: Logger
}): Promise<Queue> {
  const { prefix, log } = options
  const logRedisError = redisErrorLogger(log)
  // A command on the producing side fails when Redis is away; a worker waits for it to come back. Without an end of
  // patience a black-holed connection would hold the sweep, which asks through it, for good.
  const producer = await reach(options.redis, { maxRetriesPerRequest: 1, socketTimeout: 5_000 })
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
      // One that is taken up meanwhile cannot be removed, and need not be.
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
      // Someone waits in front of their inbox; an edition of thousands can let one email pass.
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
      // Not the active ones: those that a killed process held look like work for a minute, and would keep the sweep quiet.
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

// The key goes by itself after half a second, whatever becomes of the job: a job of a killed process hides nothing.
const onceKey = (prefix: string, kind: Kind, id: number | string) => `${prefix}:once:${kind}-${id}`

/** Marks those that are not marked, and returns them. */
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

// Deletes the lock, if it is still that of this holder.
const UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end"

// Upserting a scheduler drops a run that is overdue (BullMQ 6.7), so it is touched only when its definition differs.
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
