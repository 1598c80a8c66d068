import { Redis, type RedisOptions } from 'ioredis'
import type { Logger } from 'pino'
import { Unavailable } from '../core/errors.ts'
import { checkRedis, explainRedisError } from './check.ts'

export type RedisAddress = { url: string } | { path: string }

type ConnectOptions = Pick<RedisOptions, 'maxRetriesPerRequest' | 'socketTimeout'>

/**
 * Connects and checks the server. Throws `Unavailable`, saying how to fix it, if Redis cannot be reached, refuses us, is
 * too old, or evicts keys; then nothing stays open.
 */
export async function connectAndCheck(address: RedisAddress, options: ConnectOptions): Promise<Redis> {
  const redis = connect(address, options)
  await check(redis, address)
  return redis
}

/** A connection that opens with its first command, and reconnects automatically. */
export function connect(redis: RedisAddress, options: ConnectOptions): Redis {
  const all = {
    lazyConnect: true,
    retryStrategy: (times: number) => Math.min(times * 100, 2_000),
    ...options,
  }
  return 'url' in redis ? new Redis(redis.url, all) : new Redis({ ...all, path: redis.path })
}

async function check(redis: Redis, address: RedisAddress): Promise<void> {
  const name = 'url' in address ? address.url : 'redis://private'
  // ioredis rejects with "Connection is closed" and gives the cause only in an event.
  let cause: unknown
  const listen = (error: unknown) => {
    cause = error
    redis.disconnect()
  }
  redis.on('error', listen)
  try {
    await redis.connect()
    const problems = await checkRedis(redis)
    if (problems.length === 0) return
    throw new Unavailable(problems.map(({ problem, fix }) => `${problem} ${fix}`).join('\n'))
  } catch (error) {
    if (redis.status !== 'end') redis.disconnect()
    if (error instanceof Unavailable) throw error
    throw new Unavailable(explainRedisError(cause ?? error, name), { cause: cause ?? error })
  } finally {
    redis.off('error', listen)
  }
}

const AWAY =
  /ECONN|ENOENT|EPIPE|ETIMEDOUT|timeout|Connection is closed|isn't writeable|max retries per request/

/** Each kind of error is logged once a minute. All errors of a Redis that is away are one kind. */
export function redisErrorLogger(log: Logger): (error: unknown) => void {
  return (error) => {
    const message = error instanceof Error ? error.message : String(error)
    if (AWAY.test(message))
      log.warn({ detail: message }, 'Redis is away; the next sweep enqueues again what is owed')
    else log.warn({ error: message }, 'Redis or a job failed; the next sweep enqueues again what is owed')
  }
}
