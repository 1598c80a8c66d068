import type { AnswersOutcome } from './contenders/answers.ts'
import type { PipelineOutcome } from './contenders/pipeline.ts'
import type { Measured } from './measure.ts'
import type { Plan } from './plan.ts'
import type { SinkUsage } from './sinks.ts'
import type { Row as TortureRow } from './torture-rows.ts'

/** A contender's own numbers, with the sink's for the same time. */
export type Run<Outcome extends Measured = Measured> = Outcome & { sink: SinkUsage | null }

/** Several runs of each, taken in turns. */
export type PeerRuns = {
  pipeline: Run<PipelineOutcome>[]
  ceiling: Run[]
  smtp: Run[]
  reactEmail: Run[]
  /** With MJML's checks turned off, which no guide does. */
  tuned: Run[]
  textbook: Run[]
}

/** One list, from an empty database to the last receipt. */
export type ScaleRun = {
  subscribers: number
  imported: Run
  /** Of the file, after the import and at the end. */
  megabytes: { imported: number; submitted: number }
  pipeline: Run<PipelineOutcome>
}

export type Scale = { runs: ScaleRun[]; answers: AnswersOutcome; commands: CommandTime[] }

/** Wall time of a whole command, from start to exit. */
export type CommandTime = { command: string; milliseconds: number }

/** Workers at a provider that takes ten requests a second. */
export type LimitRun = {
  workers: number
  /** After the first seconds. */
  mailsPerSecond: number
  refusedEarly: number
  refusedLater: number
  /** Mails accepted in each whole second. */
  bySecond: number[]
  /** CPU seconds per second, of each worker. */
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

/** What a contender came to that was killed with SIGKILL in the middle and started again, so many times. */
export type KillRow = {
  who: string
  what: 'worker killed' | 'worker killed, Redis lost'
  kills: number
  recipients: number
  once: number
  twice: number
  never: number
  /** From the last start to its end. */
  seconds: number
}

/** What one run of the bench found; a part that was not run, or failed, is null. */
export type Results = {
  kind: 'full' | 'quick'
  plan: Plan
  date: string
  machine: string
  versions: string
  /** Of the minute before: on a busy machine the numbers say little. */
  loadBefore: number
  peers: PeerRuns | null
  scale: Scale | null
  limit: LimitRun[] | null
  idle: Idle | null
  kills: KillRow[] | null
  year: Year | null
  torture: TortureRow[]
}
