/** How much to run. A full run takes about ten minutes, `--quick` under one. */
export type Plan = {
  peers: {
    rounds: number
    /** Emails of the pipeline and the ceiling. */
    mails: number
    /** How many batches of the pipeline are recorded for the ceiling to post. */
    recorded: number
    /** Emails of the peers that make each email from its source. */
    slow: number
    smtp: number
  }
  engines: { rounds: number; mails: number }
  scale: { subscribers: number; times: number }[]
  /** The same list is submitted by one worker, then by three. */
  limit: { mails: number; workers: number[] }
  idle: { subscribers: number; settle: number; seconds: number }
  /** Number of weekly editions, of which `kept` are younger than the retention. */
  year: { subscribers: number; weeks: number; kept: number }
  kills: {
    mails: number
    slow: number
    smtp: number
    /** Shares of the list at which the worker is killed, in turn. */
    at: number[]
    stalledMs: number
    /** False leaves out the case that takes a minute to finish. */
    patient: boolean
  }
}

export const FULL: Plan = {
  peers: { rounds: 3, mails: 30_000, recorded: 20, slow: 800, smtp: 6_000 },
  engines: { rounds: 3, mails: 30_000 },
  scale: [
    { subscribers: 10_000, times: 3 },
    { subscribers: 100_000, times: 1 },
    { subscribers: 1_000_000, times: 1 },
  ],
  limit: { mails: 16_000, workers: [1, 3] },
  idle: { subscribers: 20_000, settle: 10, seconds: 30 },
  year: { subscribers: 5_000, weeks: 14, kept: 8 },
  // BullMQ's own default for `lockDuration` and `stalledInterval`.
  kills: {
    mails: 40_000,
    slow: 400,
    smtp: 5_000,
    at: [0.2, 0.4, 0.6, 0.8],
    stalledMs: 30_000,
    patient: true,
  },
}

export const QUICK: Plan = {
  peers: { rounds: 1, mails: 4_000, recorded: 10, slow: 100, smtp: 1_000 },
  engines: { rounds: 1, mails: 3_000 },
  scale: [
    { subscribers: 1_000, times: 1 },
    { subscribers: 5_000, times: 1 },
  ],
  limit: { mails: 5_000, workers: [1, 3] },
  idle: { subscribers: 1_000, settle: 1, seconds: 3 },
  year: { subscribers: 500, weeks: 6, kept: 3 },
  kills: { mails: 4_000, slow: 100, smtp: 600, at: [0.3, 0.6], stalledMs: 1_000, patient: false },
}
