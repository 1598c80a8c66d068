import type { AnswersOutcome } from './contenders/answers.ts'
import type { PipelineOutcome } from './contenders/pipeline.ts'
import type { Measured } from './measure.ts'
import type { Plan } from './plan.ts'
import type { SinkUsage } from './sinks.ts'
import type { Row as TortureRow } from './torture-rows.ts'

/** A contender's own numbers, and the sink's for the same time. */
export type Run<Outcome extends Measured = Measured> = Outcome & { sink: SinkUsage | null }

/** Several runs of each contender; they took turns. */
export type PeerRuns = {
  /** The command `edition send --wait`. */
  pipeline: Run[]
  ceiling: Run[]
  smtp: Run[]
  reactEmail: Run[]
  /** The textbook worker with MJML's checks turned off, which no guide does. */
  tuned: Run[]
  textbook: Run[]
}

/** The command `edition send --wait` on each engine; `three` with two workers beside it. */
export type EngineRuns = { sqlite: Run[]; postgres: Run[]; three: Run[] }

/** One list, from an empty database to the last recorded answer. */
export type ScaleRun = {
  subscribers: number
  imported: Run
  /** Size of the database file after the import and at the end. */
  megabytes: { imported: number; submitted: number }
  pipeline: Run<PipelineOutcome>
}

export type Scale = { runs: ScaleRun[]; answers: AnswersOutcome; commands: CommandTime[] }

/** Wall time of a whole command, from start to exit. */
export type CommandTime = { command: string; milliseconds: number }

/** Workers with a provider that accepts ten requests a second. */
export type LimitRun = {
  workers: number
  /** After the first seconds. */
  mailsPerSecond: number
  refusedEarly: number
  refusedLater: number
  /** Emails accepted in each second. */
  bySecond: number[]
  /** CPU seconds per second, for each worker. */
  cpuShares: number[]
  peakMegabytes: number[]
}

export type Idle = {
  subscribers: number
  seconds: number
  processes: { name: string; megabytes: number; cpuShare: number }[]
}

/** The file after each of many weeks, in MB, and how long each step of removing held it, ms. */
export type Year = { subscribers: number; kept: number; megabytes: number[]; steps: number[]; mails: number }

/** The result of a contender that was killed with SIGKILL and restarted `kills` times. */
export type KillRow = {
  who: string
  what: 'worker killed' | 'worker killed, Redis lost'
  kills: number
  recipients: number
  once: number
  twice: number
  never: number
  /** Duration of the last run, until all was done. */
  seconds: number
}

/** The results of one run of the bench. A part that was not run or failed is null. */
export type Results = {
  kind: 'full' | 'quick'
  plan: Plan
  date: string
  machine: string
  versions: string
  /** Load average of the minute before. On a busy machine, the numbers mean little. */
  loadBefore: number
  peers: PeerRuns | null
  engines: EngineRuns | null
  scale: Scale | null
  limit: LimitRun[] | null
  idle: Idle | null
  kills: KillRow[] | null
  year: Year | null
  torture: TortureRow[]
}
