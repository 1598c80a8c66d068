import type { Scale, ScaleRun } from '../results.ts'
import { cpuSecondsOf, secondsOf } from './goals.ts'
import { medianOf, number, peak, perSecond, table, whole } from './tables.ts'

/** The cost of a list at each length, and the time of queries to the longest. */
export function scaleSection({ runs, answers, commands }: Scale): string {
  const lists = sizes(runs).map((size) => {
    const same = runs.filter(({ subscribers }) => subscribers === size)
    const median = (value: (run: ScaleRun) => number) => medianOf(same, value)
    const microseconds = (seconds: (run: ScaleRun) => number) => whole((1e6 * median(seconds)) / size)
    const peaks = PEAKS.map((peakOf) => whole(median(peakOf))).join(', ')
    return [
      whole(size),
      number(median(({ imported }) => imported.seconds)),
      number(median(({ pipeline }) => pipeline.planned.seconds)),
      number(median(({ pipeline }) => pipeline.submitted.seconds)),
      whole(median(({ pipeline }) => perSecond(pipeline.submitted))),
      microseconds(secondsOf),
      microseconds(cpuSecondsOf),
      peaks,
      `${whole(median(({ megabytes }) => megabytes.imported))}, ${whole(median(({ megabytes }) => megabytes.submitted))}`,
    ]
  })
  const head = [
    'subscribers',
    'import, s',
    'planning, s',
    'submitting, s',
    'emails/s',
    'µs each',
    'CPU µs each',
    'peak MB: import, planning, submitting',
    'database MB: imported, submitted',
  ]
  const asked = answers.answers.map(({ question, first, median, slowest, status }) => [
    question,
    number(first),
    number(median),
    number(slowest),
    status === null ? '' : String(status),
  ])
  const commandRows = commands.map(({ command, milliseconds }) => [`\`${command}\``, whole(milliseconds)])
  return `## As the list grows

${table(head, lists)}

Queries to the database of ${whole(runs.at(-1)?.subscribers ?? 0)} subscribers after its edition, in milliseconds. The first one also loads and compiles
code; then each ran ${TIMES} times. The process that answered peaked at ${whole(peak(answers))} MB.

${table(['query', 'first', 'median', 'slowest', 'status'], asked)}

Whole commands on it, from start to exit, compared with a Node that does nothing:

${table(['command', 'ms'], commandRows)}`
}

const TIMES = 30

/** Peak memory of each phase: import, planning, submitting. */
const PEAKS = [
  ({ imported }: ScaleRun) => peak(imported),
  ({ pipeline }: ScaleRun) => peak(pipeline.planned),
  ({ pipeline }: ScaleRun) => peak(pipeline),
]

const sizes = (runs: readonly ScaleRun[]): number[] => [
  ...new Set(runs.map(({ subscribers }) => subscribers)),
]
