import { setTimeout as wait } from 'node:timers/promises'
import { type Queue as BullQueue, DelayedError, type Job, Worker } from 'bullmq'
import { guardOn, waitOf } from '../failpoint.ts'
import { connect, type RedisAddress } from './connect.ts'

export type Handlers = {
  /** Plans what is due and enqueues what is owed. */
  sweep(): Promise<void>
  /** Submits one batch or notice; `name` and `data` come from Redis unchecked. */
  submit(name: string, data: unknown): Promise<JobOutcome>
  /** Called whenever this process finds no more wake-ups for batches or notices. */
  drained: () => void
}

/** What to do with the wake-up: drop it, enqueue it again at an instant, or hold all of them for a while. */
export type JobOutcome = { kind: 'done' } | { kind: 'again'; at: Date } | { kind: 'rate-limited'; ms: number }

// Enough for Resend's ten requests a second at half a second each. Each one holds a few megabytes of email.
const CONCURRENCY = 6
// After this long, a wake-up that a killed process had started is given to another.
const LOCK_MS = 30_000
// How long a stop waits for Redis to hear of finished work. Unheard, it is only woken again, and then drops its wake-up.
const GOODBYE_MS = 2_000

type WorkerParts = {
  redis: RedisAddress
  prefix: string
  batches: BullQueue
  logRedisError: (error: unknown) => void
  /** Marks this wake-up, which has left the queue, as in flight. */
  takenUp: (job: Job) => Promise<void>
}

export function startWorkers(
  handlers: Handlers,
  { redis, prefix, batches, logRedisError, takenUp }: WorkerParts,
) {
  // A black-holed connection would block a read forever. BullMQ blocks up to 10 s, so no answer within 12 s ends it.
  const connection = connect(redis, {
    maxRetriesPerRequest: null,
    socketTimeout: guardOn('socket-timeout') ? 12_000 : 600_000,
  })
  connection.on('error', logRedisError)
  const options = {
    connection,
    prefix,
    lockDuration: waitOf('job-lock', LOCK_MS),
    stalledInterval: waitOf('stalled-job', LOCK_MS),
  }
  const inFlight = new Set<Promise<unknown>>()
  const noted = async <Result>(work: Promise<Result>): Promise<Result> => {
    inFlight.add(work)
    return work.finally(() => inFlight.delete(work))
  }
  const sweeper = new Worker('editions', () => noted(handlers.sweep()), {
    ...options,
    concurrency: 1,
  })
  const submitter = new Worker(
    'batches',
    async (job, token) => {
      void takenUp(job)
      const outcome = await noted(handlers.submit(job.name, job.data))
      await applyOutcome(outcome, job, token, batches)
    },
    { ...options, concurrency: CONCURRENCY },
  )
  submitter.on('drained', handlers.drained)
  const workers = [sweeper, submitter]
  for (const worker of workers)
    worker.on('error', logRedisError).on('failed', (_job, error) => logRedisError(error))
  return {
    /** Finishes what was taken from the queue, and lets Redis hear of it: what it does not hear of waits LOCK_MS. */
    async stop() {
      // With Redis away, `close()` without force waits for a connection that never comes (BullMQ 6.7).
      const isReady = connection.status === 'ready'
      const closed = Promise.allSettled(workers.map((worker) => worker.close(!isReady)))
      do await finished(inFlight)
      while ((await unlessLate(closed)) === LATE && inFlight.size > 0)
      for (const worker of workers) worker.disconnect().catch(logRedisError)
      connection.disconnect()
    },
  }
}

async function finished(work: ReadonlySet<Promise<unknown>>): Promise<void> {
  while (work.size > 0) await Promise.allSettled(work)
}

const LATE = Symbol('late')

/** Waits for `work`, at most GOODBYE_MS. */
async function unlessLate(work: Promise<unknown>): Promise<unknown> {
  const timer = new AbortController()
  return Promise.race([work, wait(GOODBYE_MS, LATE, { signal: timer.signal })]).finally(() => timer.abort())
}

async function applyOutcome(
  outcome: JobOutcome,
  job: Job,
  token: string | undefined,
  batches: BullQueue,
): Promise<void> {
  if (outcome.kind === 'again') {
    await job.moveToDelayed(outcome.at.getTime(), token)
    throw new DelayedError()
  }
  if (outcome.kind === 'rate-limited') {
    await batches.rateLimit(outcome.ms)
    throw Worker.RateLimitError()
  }
}
