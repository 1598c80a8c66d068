import { setTimeout } from 'node:timers/promises'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { Resend } from 'resend'
import { findProgram, redisServer } from '../../src/machine/find-program.ts'
import { startPrivateRedis } from '../../src/redis/private-redis.ts'
import { measured, tellBench } from '../measure.ts'
import { SLOT } from '../settings.ts'
import type { PeerDigest } from './digest-words.ts'
import { openReaders, type Readers } from './readers.ts'

export type QueueOptions = {
  file: string
  prepared: string
  providerUrl: string
  mails: number
  /** 5, 20, and 50 differ by less than the noise, since one thread makes the emails. */
  concurrency: number
  /** The socket of a Redis that outlives this process. */
  redis?: string
  /** After a restart: works on what is left in the queue, without adding jobs. */
  resume?: boolean
  /** False: without idempotency keys, as in most guides. */
  keyed?: boolean
  /** BullMQ's `lockDuration` and `stalledInterval`; its default is 30 s. */
  stalledMs?: number
}

/** How a peer makes the two bodies: the only difference between the peers. */
export type MakeBodies = (view: PeerDigest) => Promise<{ html: string; text: string }>

/** One job per subscriber, one email per job, one request per email. Jobs are added in bulk. */
export async function mailByQueue(
  options: QueueOptions,
  bodiesWith: (readers: Readers) => MakeBodies,
): Promise<void> {
  const { file, prepared, providerUrl, mails, concurrency, keyed = true, stalledMs = 30_000 } = options
  const redis = options.redis ? null : await ownRedis(file)
  const path = options.redis ?? redis?.connection.path ?? ''
  const connection = new Redis({ path, maxRetriesPerRequest: null })
  const resend = new Resend('re_bench', { baseUrl: providerUrl })
  const readers = openReaders(file, prepared)
  const bodiesOf = bodiesWith(readers)
  const queue = new Queue('digest', { connection })

  const mail = async (subscriberId: number): Promise<void> => {
    const found = readers.mailFor(subscriberId)
    if (found === null) return
    const { view, to, ...letter } = found
    const email = {
      ...letter,
      to: [to],
      ...(await bodiesOf(view)),
      tags: [{ name: 'edition', value: SLOT.editionId }],
    }
    const key = keyed ? { idempotencyKey: `digest/${SLOT.editionId}/${subscriberId}` } : {}
    const { error } = await resend.emails.send(email, key)
    if (error) throw new Error(error.message)
    readers.markMailed(subscriberId)
  }

  const outcome = await measured(async () => {
    let done = 0
    const worker = new Worker('digest', (job) => mail(job.data.subscriberId as number), {
      connection,
      concurrency,
      lockDuration: stalledMs,
      stalledInterval: stalledMs,
      maxStalledCount: 10, // with the default, BullMQ drops a job whose worker was killed twice
    })
    worker.on('completed', () => (done += 1))
    worker.on('error', () => {}) // otherwise BullMQ throws it
    if (!options.resume)
      for (let from = 1; from <= mails; from += 1000) await queue.addBulk(jobsFrom(from, mails))
    while (await isBusy(queue)) await setTimeout(50)
    await worker.close()
    return done
  })
  tellBench(outcome)
  await queue.close()
  connection.disconnect()
  await redis?.close()
}

const ownRedis = (file: string) =>
  startPrivateRedis({ folder: `${file}.redis`, binary: findProgram(redisServer), log: QUIET })

const QUIET = { info: () => {}, warn: () => {} }

async function isBusy(queue: Queue): Promise<boolean> {
  const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized')
  return Object.values(counts).some((count) => count > 0)
}

function jobsFrom(from: number, mails: number) {
  const size = Math.min(1000, mails - from + 1)
  const opts = { removeOnComplete: true, attempts: 3, backoff: { type: 'exponential', delay: 1000 } }
  return Array.from({ length: size }, (_, n) => ({ name: 'mail', data: { subscriberId: from + n }, opts }))
}
