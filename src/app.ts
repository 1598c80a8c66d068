import type { Config } from './config.ts'
import type { Actor } from './core/operators/actor.ts'
import type { HashKey } from './core/tokens.ts'
import type { Store } from './db/store.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { AskLinks } from './public-web/ask-links.ts'
import type { RedisAddress } from './redis/connect.ts'
import type { Queue } from './redis/queue.ts'
import type { Mailer } from './resend/mailer.ts'
import type { Templates } from './templates/load.ts'

/** The open database of an installation, with its settings and keys: enough for imports, questions, and control. */
export type Installation = {
  config: Config
  store: Store
  /** On whose behalf; `store.actor` is the same. */
  actor: Actor
  /** The key of the hashes by which addresses are looked up and remembered. */
  hashKey: HashKey
  log: Logger
  /** The only clock. */
  now: () => Date
  close(): Promise<void>
}

/** The whole program, wired: commands, pages, and the worker pass it to actions. */
export type App = Installation & {
  /** Asks booking links whether they work. */
  askLinks: AskLinks
  mailer: Mailer
  metrics: Metrics
  queue: Queue
  templates: Templates
  /** Signs the claims of this process; see `identifyProcess`. */
  instance: string
  pace: Pace
}

/** The part of the queue that wakes the sweep, and says how many workers there are to do it. */
export type SweepWaker = Pick<Queue, 'wakeSweep' | 'workers'>

/** Keeps the timing of an answer, and of the email after it, from revealing whom they are about. */
export type Pace = {
  /** Answers about an address come this long after the request, or a multiple of it if the work takes longer. */
  answerMs: number
  /** How long an email that anyone can ask for waits, in ms; different each time. */
  emailDelayMs(): number
}

/** What tests and the demo replace. */
export type Overrides = {
  /** On whose behalf; the program itself unless given. */
  actor?: Actor
  store?: Store
  log?: Logger
  now?: () => Date
  redis?: RedisAddress
  queuePrefix?: string
  requestTimeoutMs?: number
  pace?: Pace
  askLinks?: AskLinks
  templates?: Templates
}
