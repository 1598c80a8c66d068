const HOUR_MS = 3_600_000
/** From this many emails on, expect a report within an hour. */
const SURELY_REPORTED = 20

/** Of the newest edition, ms UTC. `reportedAt`: when Resend last reported anything. */
type Reported = {
  createdAt: number
  finishedAt: number | null
  submitted: number
  reportedAt: number | null
}

/** Whether Resend has reported about an edition: `early` to say, or `silent` though it should have by now. */
export function reportsOn(edition: Reported, now: Date): 'reported' | 'early' | 'silent' {
  const { finishedAt, submitted, reportedAt, createdAt } = edition
  if (finishedAt === null || submitted < SURELY_REPORTED) return 'early'
  if (reportedAt !== null && reportedAt >= createdAt) return 'reported'
  return now.getTime() - finishedAt < HOUR_MS ? 'early' : 'silent'
}
