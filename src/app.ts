import { randomInt } from 'node:crypto'
import { resolve } from 'node:path'
import type { Config } from './config.ts'
import { BadInput } from './core/errors.ts'
import type { requestComposer } from './core/mail/request.ts'
import type { Offer } from './core/sessions/offers.ts'
import { type HashKey, installationId, newHashKey, unwrapKey, wrapKey } from './core/tokens.ts'
import { closeDb, type Db, openDb } from './db/open.ts'
import { lookForCopy } from './db/restore/epoch.ts'
import { changeFact, establishFact } from './db/restore/facts.ts'
import { type Logger, openLog } from './log.ts'
import { identifyProcess } from './machine/process-identity.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { Queue, RedisAddress } from './redis/queue.ts'
import type { Mailer } from './resend/mailer.ts'
import type { Templates } from './templates/load.ts'

/** What is enough to work on the database: imports, questions, steering an edition. */
export type Ledger = {
  config: Config
  db: Db
  /** Keys the hashes under which addresses are looked up and remembered. */
  hashKey: HashKey
  log: Logger
  /** The only clock. */
  now: () => Date
  close(): Promise<void>
}

/** The whole program, wired: what doors hand to actions. */
export type App = Ledger & {
  mailer: Mailer
  metrics: Metrics
  queue: Queue
  templates: Templates
  /** Signs the claims of this process; see `identifyProcess`. */
  instance: string
  /** What this process may forget at any time. */
  cache: Cache
  pace: Pace
}

/** Keeps the time of an answer, and of the email that follows it, from telling whom they are about. */
export type Pace = {
  /** An answer about an address comes so long after its request, or after as many times that as its work takes. */
  answerMs: number
  /** How long an email that anybody may ask for waits, ms; another time for each. */
  emailDelayMs(): number
}

// An answer usually takes some 10 ms; nobody minds waiting so long for either.
const PACE: Pace = { answerMs: 400, emailDelayMs: () => randomInt(1_000, 20_000) }

export type Cache = {
  offers: CachedOffers | null
  composers: Map<string, ReturnType<typeof requestComposer>>
  /** Done when the batch that last asked for its turn has got it. */
  turn: Promise<unknown>
  /** The provider's limit as it last told us. */
  perSecond: number | null
  /** Batches this process is working on: of a claim of ours that is not among them nothing will come. */
  inHand: Set<number>
}

export type CachedOffers = { editionId: string; version: number; validUntil: number; offers: Offer[] }

/** What tests and the demo put in place of the real thing. */
export type Overrides = {
  db?: Db
  log?: Logger
  now?: () => Date
  redis?: RedisAddress
  queuePrefix?: string
  requestTimeoutMs?: number
  pace?: Pace
  templates?: Templates
}

/**
 * Opens the database of this installation and its keys; `close()` closes it. A copy is marked held.
 * Throws `BadInput` when LINK_SECRET is not the one the database was made with.
 */
export async function openLedger(config: Config, overrides: Overrides = {}): Promise<Ledger> {
  const log = overrides.log ?? openLog(config.LOG_LEVEL)
  const db = overrides.db ?? openDb(config.DATABASE_PATH)
  const close = async () => closeDb(db)
  try {
    const now = overrides.now ?? (() => new Date())
    await lookForCopy(db, now())
    const hashKey = await openHashKey(db, config.LINK_SECRET)
    return { config, db, hashKey, log, now, close }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * Opens everything: the one wiring for production, demo and tests. `close()` undoes it in reverse.
 * Throws `BadInput` (settings, templates) or `Unavailable` (Redis) with what to do; nothing stays open then.
 */
export async function openApp(config: Config, overrides: Overrides = {}): Promise<App> {
  const ledger = await openLedger(config, overrides)
  const closers = [() => ledger.close()]
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    // Loaded here, not above, so that commands which need the database alone start in a tenth of the time.
    const [{ loadTemplates }, { openQueue }, { openMailer }, { openMetrics }] = await Promise.all([
      import('./templates/load.ts'),
      import('./redis/queue.ts'),
      import('./resend/mailer.ts'),
      import('./metrics/metrics.ts'),
    ])
    const templates =
      overrides.templates ?? (await loadTemplates({ folder: config.TEMPLATES_PATH, palette: config.palette }))
    const redis = await openRedis(config, overrides, ledger.log)
    closers.push(() => redis.close())
    const queue = await openQueue({
      redis: redis.address,
      prefix: overrides.queuePrefix ?? queuePrefix(ledger),
      log: ledger.log,
    })
    closers.push(() => queue.close())
    const metrics = openMetrics()
    const mailer = openMailer({
      apiKey: config.RESEND_API_KEY,
      baseUrl: config.RESEND_BASE_URL,
      ...(overrides.requestTimeoutMs === undefined ? {} : { timeoutMs: overrides.requestTimeoutMs }),
    })
    return {
      ...ledger,
      close,
      templates,
      queue,
      mailer: timed(mailer, metrics),
      metrics,
      instance: identifyProcess(),
      pace: overrides.pace ?? PACE,
      cache: {
        offers: null,
        composers: new Map(),
        turn: Promise.resolve(),
        perSecond: null,
        inHand: new Set(),
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** What the keys of this installation in Redis begin with. */
export const queuePrefix = ({ hashKey }: Pick<Ledger, 'hashKey'>): string =>
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
  const [{ startPrivateRedis }, { findProgram, redisServer }] = await Promise.all([
    import('./redis/private-redis.ts'),
    import('./machine/find-program.ts'),
  ])
  const folder = `${resolve(config.DATABASE_PATH)}.redis`
  const redis = await startPrivateRedis({ folder, binary: findProgram(redisServer), log })
  log.info({ redis: redis.description }, 'REDIS_URL is not set: using a private Redis')
  return { address: redis.connection, close: () => redis.close() }
}

// The key is kept wrapped by the first link secret, so that secrets can be rotated and the file alone tells nothing.
async function openHashKey(db: Db, secrets: readonly string[]): Promise<HashKey> {
  const [signing = ''] = secrets
  const wrapped = await establishFact(db, 'hash_key', wrapKey(signing, newHashKey()))
  for (const secret of secrets) {
    const key = unwrapKey(secret, wrapped)
    if (key === null) continue
    if (secret !== signing) await changeFact(db, 'hash_key', wrapKey(signing, key))
    return key
  }
  throw new BadInput(
    'LINK_SECRET: is not the one this database was made with. Put the old secret behind the new one, after a comma: LINK_SECRET=new,old',
  )
}
