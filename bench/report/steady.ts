import { linePlot } from '../plots/lines.ts'
import type { Idle, LimitRun } from '../results.ts'
import { number, percent, table, whole } from './tables.ts'

/** Workers at Resend's limit. */
export function limitSection(runs: readonly LimitRun[]): string {
  const rows = runs.map((run) => [
    String(run.workers),
    whole(run.mailsPerSecond),
    `${run.refusedEarly}, ${run.refusedLater}`,
    run.cpuShares.map(percent).join(', '),
    run.peakMegabytes.map(whole).join(', '),
  ])
  const head = ['workers', 'mails/s', '429: first 3 s, after', 'of one core, each', 'peak MB, each']
  return `## At Resend's limit

![Mails accepted in each second at ten requests a second](limit.svg)

The strict stand-in, set to ten requests a second: 1,000 mails a second are all there is. The rate is from the third second to
the last mail, by the stand-in's own clock.

${table(head, rows)}`
}

export function limitPlot(runs: readonly LimitRun[]): string {
  return linePlot({
    title: 'At ten requests a second',
    subtitle:
      'Mails that the provider accepted in each second. It allows 1,000, and a second’s worth at the start.',
    xName: 'seconds since the first mail was accepted',
    logarithmic: false,
    series: runs.map(({ workers, bySecond }) => ({
      name: workers === 1 ? 'one worker' : `${workers} workers`,
      points: bySecond.map((mails, second) => [second, mails] as const),
    })),
    goal: { value: 1000, name: 'allowed' },
  })
}

/** What doing nothing costs. */
export function idleSection({ subscribers, seconds, processes }: Idle): string {
  const rows = processes.map(({ name, megabytes, cpuShare }) => [name, number(megabytes), percent(cpuShare)])
  return `## Idle

\`start\` on ${whole(subscribers)} subscribers with nothing to do, over ${seconds} s, after it had settled.

${table(['process', 'resident MB', 'of one core'], rows)}`
}
