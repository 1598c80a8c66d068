import { resolve } from 'node:path'
import type { App, Overrides, Store } from './app.ts'
import type { Config } from './config.ts'
import { installationId } from './core/tokens.ts'
import type { Logger } from './log.ts'
import { findProgram, redisServer } from './machine/find-program.ts'
import { openStore } from './open-store.ts'
import { startPrivateRedis } from './redis/private-redis.ts'
import { openQueue } from './redis/queue.ts'

/**
 * Opens the database and the queue: enough to commit something and enqueue it, without templates. `close()` undoes it
 * in reverse. Throws `BadInput` (settings) or `Unavailable` (Redis) with what to do; nothing stays open then.
 */
export async function openStoreAndQueue(
  config: Config,
  overrides: Overrides = {},
): Promise<Store & Pick<App, 'queue'>> {
  const store = await openStore(config, overrides)
  const closers = [() => store.close()]
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const redis = await openRedis(config, overrides, store.log)
    closers.push(() => redis.close())
    const prefix = overrides.queuePrefix ?? queuePrefix(store)
    const queue = await openQueue({ redis: redis.address, prefix, log: store.log })
    closers.push(() => queue.close())
    return { ...store, close, queue }
  } catch (error) {
    await close()
    throw error
  }
}

/** What the keys of this installation in Redis begin with. */
export const queuePrefix = ({ hashKey }: Pick<Store, 'hashKey'>): string =>
  `openseat-${installationId(hashKey)}`

async function openRedis(config: Config, overrides: Overrides, log: Logger) {
  const address = overrides.redis ?? (config.REDIS_URL ? { url: config.REDIS_URL } : null)
  if (address) {
    log.info(
      { redis: 'url' in address ? new URL(address.url).host : address.path },
      'using the Redis that is set',
    )
    return { address, close: async () => {} }
  }
  const folder = `${resolve(config.DATABASE_PATH)}.redis`
  const redis = await startPrivateRedis({ folder, binary: findProgram(redisServer), log })
  log.info({ redis: redis.description }, 'REDIS_URL is not set: using a private Redis')
  return { address: redis.connection, close: () => redis.close() }
}
