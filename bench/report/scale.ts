import { linePlot } from '../plots/lines.ts'
import type { Scale, ScaleRun } from '../results.ts'
import { cpuSecondsOf, secondsOf } from './goals.ts'
import { medianOf, number, peak, perSecond, table, whole } from './tables.ts'

/** What a list costs at each length, and what questions to the longest take. */
export function scaleSection({ runs, answers, commands }: Scale): string {
  const lists = sizes(runs).map((size) => {
    const same = runs.filter(({ subscribers }) => subscribers === size)
    const median = (value: (run: ScaleRun) => number) => medianOf(same, value)
    const microseconds = (seconds: (run: ScaleRun) => number) => whole((1e6 * median(seconds)) / size)
    const peaks = PHASES.map(({ peakOf }) => whole(median(peakOf))).join(', ')
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
    'mails/s',
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
  const whole_commands = commands.map(({ command, milliseconds }) => [`\`${command}\``, whole(milliseconds)])
  return `## As the list grows

![Mails per second against the length of the list](throughput.svg)
![Peak memory against the length of the list](memory.svg)

${table(head, lists)}

Questions to the database of ${whole(runs.at(-1)?.subscribers ?? 0)} subscribers after its edition, in milliseconds. The first answer also loads
and compiles what is needed; then each was asked ${TIMES} times. The process that answered peaked at ${whole(peak(answers))} MB.

${table(['question', 'first', 'median', 'slowest', 'status'], asked)}

Whole commands on it, from start to exit, beside a Node that does nothing:

${table(['command', 'ms'], whole_commands)}`
}

const TIMES = 30

const PHASES = [
  { name: 'import', peakOf: ({ imported }: ScaleRun) => peak(imported) },
  { name: 'planning', peakOf: ({ pipeline }: ScaleRun) => peak(pipeline.planned) },
  { name: 'submitting', peakOf: ({ pipeline }: ScaleRun) => peak(pipeline) },
]

export function throughputPlot({ runs }: Scale): string {
  const speeds = [
    { name: 'import', speedOf: ({ imported }: ScaleRun) => perSecond(imported) },
    { name: 'planning', speedOf: ({ pipeline }: ScaleRun) => perSecond(pipeline.planned) },
    { name: 'submitting', speedOf: ({ pipeline }: ScaleRun) => perSecond(pipeline.submitted) },
  ]
  return linePlot({
    title: 'Throughput against the length of the list',
    subtitle: 'Subscribers a second in each phase, one process. Level is good.',
    xName: 'subscribers',
    logarithmic: true,
    steep: true,
    series: speeds.map(({ name, speedOf }) => ({
      name,
      points: points(runs, speedOf),
    })),
  })
}

export function memoryPlot({ runs }: Scale): string {
  return linePlot({
    title: 'Peak memory against the length of the list',
    subtitle: 'Highest resident megabytes of the process since its start. Level is good.',
    xName: 'subscribers',
    logarithmic: true,
    series: PHASES.map(({ name, peakOf }) => ({ name, points: points(runs, peakOf) })),
    goal: { value: 250, name: 'wanted: 250 MB' },
  })
}

const sizes = (runs: readonly ScaleRun[]): number[] => [
  ...new Set(runs.map(({ subscribers }) => subscribers)),
]

function points(runs: readonly ScaleRun[], value: (run: ScaleRun) => number): [number, number][] {
  return sizes(runs).map((size) => [
    size,
    medianOf(
      runs.filter(({ subscribers }) => subscribers === size),
      value,
    ),
  ])
}
