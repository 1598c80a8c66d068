import { randomInt } from 'node:crypto'
import { resolve } from 'node:path'
import type { App, Overrides, Pace, Store } from './app.ts'
import type { Config } from './config.ts'
import { installationId } from './core/tokens.ts'
import type { Logger } from './log.ts'
import { findProgram, redisServer } from './machine/find-program.ts'
import { identifyProcess } from './machine/process-identity.ts'
import { type Metrics, openMetrics } from './metrics/metrics.ts'
import { openStore } from './open-store.ts'
import { startPrivateRedis } from './redis/private-redis.ts'
import { openQueue } from './redis/queue.ts'
import { type Mailer, openMailer } from './resend/mailer.ts'
import { loadTemplates } from './templates/load.ts'

// An answer usually takes some 10 ms; nobody minds waiting so long for either.
const PACE: Pace = { answerMs: 400, emailDelayMs: () => randomInt(1_000, 20_000) }

/**
 * Opens everything: the one wiring for production, demo and tests. `close()` undoes it in reverse.
 * Throws `BadInput` (settings, templates) or `Unavailable` (Redis) with what to do; nothing stays open then.
 */
export async function openApp(config: Config, overrides: Overrides = {}): Promise<App> {
  const store = await openStore(config, overrides)
  const closers = [() => store.close()]
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    const templates =
      overrides.templates ?? (await loadTemplates({ folder: config.TEMPLATES_PATH, palette: config.palette }))
    const redis = await openRedis(config, overrides, store.log)
    closers.push(() => redis.close())
    const queue = await openQueue({
      redis: redis.address,
      prefix: overrides.queuePrefix ?? queuePrefix(store),
      log: store.log,
    })
    closers.push(() => queue.close())
    const metrics = openMetrics()
    const mailer = openMailer({
      apiKey: config.RESEND_API_KEY,
      baseUrl: config.RESEND_BASE_URL,
      ...(overrides.requestTimeoutMs === undefined ? {} : { timeoutMs: overrides.requestTimeoutMs }),
    })
    return {
      ...store,
      close,
      templates,
      queue,
      mailer: timed(mailer, metrics),
      metrics,
      instance: identifyProcess(),
      pace: overrides.pace ?? PACE,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** What the keys of this installation in Redis begin with. */
export const queuePrefix = ({ hashKey }: Pick<Store, 'hashKey'>): string =>
  `openseat-${installationId(hashKey)}`

function timed(mailer: Mailer, { submitSeconds }: Metrics): Mailer {
  return {
    async submitBatch(batch) {
      const stop = submitSeconds.startTimer()
      const answer = await mailer.submitBatch(batch)
      stop({ answer: answer.kind })
      return answer
    },
  }
}

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
