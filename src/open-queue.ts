import { resolve } from 'node:path'
import type { App, Installation, Overrides, SweepWaker } from './app.ts'
import type { Config } from './config.ts'
import { installationId } from './core/tokens.ts'
import type { Logger } from './log.ts'
import { findProgram, redisServer } from './machine/find-program.ts'
import { openInstallation } from './open-installation.ts'
import type { RedisAddress } from './redis/connect.ts'
import { isPrivateRedisGone, startPrivateRedis } from './redis/private-redis.ts'
import { openQueue } from './redis/queue.ts'

/**
 * Opens the database and the queue: enough to commit something and enqueue it, without templates. `close()` undoes it
 * in reverse. Throws `BadInput` (settings) or `Unavailable` (Redis) with what to do; nothing stays open then.
 */
export async function openInstallationAndQueue(
  config: Config,
  overrides: Overrides = {},
): Promise<Installation & Pick<App, 'queue'>> {
  const installation = await openInstallation(config, overrides)
  const closers = [() => installation.close()]
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const redis = await openRedis(config, installation.log, overrides.redis)
    closers.push(() => redis.close())
    const prefix = overrides.queuePrefix ?? queuePrefix(installation)
    const queue = await openQueue({ redis: redis.address, prefix, log: installation.log })
    closers.push(() => queue.close())
    return { ...installation, close, queue }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * Opens the database, and the part of the queue that wakes the sweep. If a private Redis is not running, it is not started:
 * then no worker is running either, and the next one sweeps at its start.
 */
export async function openInstallationAndWaker(
  config: Config,
  overrides: Overrides = {},
): Promise<Installation & { queue: SweepWaker }> {
  const isPrivate = !overrides.redis && !config.REDIS_URL
  if (!isPrivate || !(await isPrivateRedisGone(privateFolder(config))))
    return openInstallationAndQueue(config, overrides)
  return {
    ...(await openInstallation(config, overrides)),
    queue: { wakeSweep: async () => {}, workers: async () => 0 },
  }
}

const privateFolder = (config: Config): string => `${resolve(config.DATABASE_PATH)}.redis`

/** The prefix of this installation's keys in Redis. */
export const queuePrefix = ({ hashKey }: Pick<Installation, 'hashKey'>): string =>
  `openseat-${installationId(hashKey)}`

/** The given or configured Redis, or the private one, which is started if it is not running. `where` describes it. */
export async function openRedis(
  config: Config,
  log: Logger,
  given?: RedisAddress,
): Promise<{ address: RedisAddress; where: string; close(): Promise<void> }> {
  const address = given ?? (config.REDIS_URL ? { url: config.REDIS_URL } : null)
  if (address) {
    const where = 'url' in address ? new URL(address.url).host : address.path
    log.info({ redis: where }, 'using the Redis that is set')
    return { address, where, close: async () => {} }
  }
  const folder = privateFolder(config)
  const binary = findProgram(redisServer)
  const redis = await startPrivateRedis({ folder, binary, log })
  log.info({ redis: redis.description }, 'REDIS_URL is not set: using a private Redis')
  const where = `a private one (${binary}), as REDIS_URL is not set`
  return { address: redis.connection, where, close: () => redis.close() }
}
