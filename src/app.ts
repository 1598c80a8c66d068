import type { Config } from './config.ts'
import type { HashKey } from './core/tokens.ts'
import type { Db } from './db/open.ts'
import type { Logger } from './log.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { RedisAddress } from './redis/connect.ts'
import type { Queue } from './redis/queue.ts'
import type { Mailer } from './resend/mailer.ts'
import type { Templates } from './templates/load.ts'

/** The open database of an installation, and what goes with it: enough for imports, questions, control of an edition. */
export type Store = {
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
export type App = Store & {
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

/** Keeps the time of an answer, and of the email that follows it, from telling whom they are about. */
export type Pace = {
  /** An answer about an address comes so long after its request, or after as many times that as its work takes. */
  answerMs: number
  /** How long an email that anybody may ask for waits, ms; another time for each. */
  emailDelayMs(): number
}

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
