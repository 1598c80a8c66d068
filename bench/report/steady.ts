import type { Idle, LimitRun } from '../results.ts'
import { number, percent, table, whole } from './tables.ts'

/** How workers do at Resend's rate limit. */
export function limitSection(runs: readonly LimitRun[]): string {
  const rows = runs.map((run) => [
    String(run.workers),
    whole(run.mailsPerSecond),
    rangeOf(run.bySecond.slice(1, -1)),
    `${run.refusedEarly}, ${run.refusedLater}`,
    run.cpuShares.map(percent).join(', '),
    run.peakMegabytes.map(whole).join(', '),
  ])
  const head = [
    'workers',
    'emails/s',
    'emails in a full second: least, most',
    '429: first 3 s, after',
    'of one core, each',
    'peak MB, each',
  ]
  return `## At Resend's limit

The strict stand-in, set to ten requests a second, so at most 1,000 emails a second. The rate is measured from the third second
to the last email, by the stand-in's clock.

${table(head, rows)}`
}

const rangeOf = (mails: readonly number[]): string =>
  mails.length === 0 ? 'none' : `${whole(Math.min(...mails))}, ${whole(Math.max(...mails))}`

/** Memory and CPU of an idle `start`. */
export function idleSection({ subscribers, seconds, processes }: Idle): string {
  const rows = processes.map(({ name, megabytes, cpuShare }) => [name, number(megabytes), percent(cpuShare)])
  return `## Idle

\`start\` on ${whole(subscribers)} subscribers with nothing to do, over ${seconds} s, measured once it had settled.

${table(['process', 'resident MB', 'of one core'], rows)}`
}
