import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, release } from 'node:os'
import { join } from 'node:path'
import type { PipelineOutcome } from './contenders/pipeline.ts'
import type { Measured } from './measure.ts'
import type { SinkUsage } from './sink.ts'

/** How much is run. */
export type Plan = {
  rounds: number
  mails: number
  textbookMails: number
  /** Batches of the pipeline's own that are kept for the bare loop to post. */
  recorded: number
  /** Subscribers in the run that memory is compared with. */
  /** How many readers the memory of `large` is compared with. */
  base: number
  large: number
  /** Subscribers in the runs that only plan. */
  planning: number[]
  imported: number
}

/** A contender's own numbers, with the sink's for the same time. */
export type Run<Outcome extends Measured = Measured> = Outcome & { sink: SinkUsage | null }

export type Results = {
  plan: Plan
  /** Of the minute before: on a busy machine the numbers say little. */
  loadBefore: number
  pipeline: Run<PipelineOutcome>[]
  bareLoop: Run[]
  textbook: Run[]
  /** The same with MJML's checks turned off. */
  tuned: Run[]
  base: Run<PipelineOutcome>
  large: Run<PipelineOutcome> | null
  planning: Run[]
  imported: Run | null
}

/** Writes the results into bench/README.md and returns them. */
export function writeReport(results: Results, kind: 'quick' | 'full'): string {
  const text = [
    intro(kind, results),
    ratios(results),
    speeds(results),
    memory(results),
    bulk(results),
    method(results),
  ].join('\n\n')
  writeFileSync(join(import.meta.dirname, 'README.md'), `${text}\n`)
  return text
}

function intro(kind: string, { loadBefore }: Results): string {
  const model = cpus()[0]?.model ?? 'unknown processor'
  return `# Bench

Written by \`npm run bench${kind === 'quick' ? ' -- --quick' : ''}\` on ${new Date().toISOString().slice(0, 10)}: ${availableParallelism()} cores of ${model},
Linux ${release()}, Node ${process.versions.node}, ${versions()}. Load average before it began: ${loadBefore.toFixed(1)}.
Compare ratios, not the numbers themselves: all contenders of a ratio ran in turns, in this one run.`
}

function ratios({ pipeline, bareLoop, textbook, tuned, base, large }: Results): string {
  const speed = medianOf(pipeline, perSecond)
  const cpu = medianOf(bareLoop, cpuPerThousand) / medianOf(pipeline, cpuPerThousand)
  const growth = (large?.peakRssMegabytes ?? Number.NaN) / base.peakRssMegabytes
  return table(
    ['ratio', 'measured', 'wanted', ''],
    [
      ratio('pipeline / bare loop, mails per second', speed / medianOf(bareLoop, perSecond), 'at least', 0.7),
      ['pipeline / bare loop, mails per CPU second', cpu.toFixed(2), '', ''],
      ratio(
        'pipeline / textbook worker, mails per second',
        speed / medianOf(textbook, perSecond),
        'at least',
        20,
      ),
      [
        'pipeline / the same with MJML’s checks turned off',
        (speed / medianOf(tuned, perSecond)).toFixed(2),
        '',
        '',
      ],
      ratio(`peak memory, ${count(large)} subscribers / ${count(base)}`, growth, 'at most', 1.3),
    ],
  )
}

function ratio(name: string, value: number, word: 'at least' | 'at most', wanted: number): string[] {
  const met = word === 'at least' ? value >= wanted : value <= wanted
  return [name, value.toFixed(2), `${word} ${wanted}`, met ? 'met' : '**missed**']
}

function speeds({ pipeline, bareLoop, textbook, tuned }: Results): string {
  const row = (name: string, runs: Run[]) => [
    name,
    count(runs[0]),
    runs.map((run) => Math.round(perSecond(run))).join(', '),
    String(Math.round(medianOf(runs, perSecond))),
    medianOf(runs, cpuPerThousand).toFixed(2),
    String(Math.round(medianOf(runs, peak))),
    `${Math.round(100 * medianOf(runs, (run) => (run.sink?.cpuSeconds ?? 0) / run.seconds))} %`,
  ]
  const head = ['', 'mails', 'mails/s, each round', 'median', 'CPU s per 1,000 mails', 'peak MB', 'sink busy']
  return table(head, [
    row('pipeline: plan, claim, render, freeze, submit, record', pipeline),
    row('bare loop: the same mails, ready-made, `resend.batch.send`', bareLoop),
    row('textbook worker: one job, one MJML compile, one `emails.send` per mail', textbook),
    row('the same with MJML’s checks turned off', tuned),
  ])
}

function memory({ base, large }: Results): string {
  const row = (run: Run<PipelineOutcome> | null | undefined) => {
    if (!run) return []
    const megabytes = [run.peakRssAfterPlanning, run.peakRssMegabytes].map((size) => String(Math.round(size)))
    return [count(run), run.planSeconds.toFixed(1), String(Math.round(perSecond(run))), ...megabytes]
  }
  const head = [
    'subscribers, one worker process',
    'planning, s',
    'mails/s',
    'peak MB after planning',
    'peak MB at the end',
  ]
  return table(head, [row(base), row(large)])
}

function bulk({ planning, imported }: Results): string {
  const row = (name: string, run: Run) => [
    name,
    count(run),
    run.seconds.toFixed(1),
    run.cpuSeconds.toFixed(1),
    String(Math.round(peak(run))),
  ]
  const rows = planning.map((run) => row('planning an edition, in a process of its own', run))
  if (imported) rows.push(row('`subscribers import` of a CSV file into an empty list', imported))
  return table(['', 'subscribers', 's', 'CPU s', 'peak MB'], rows)
}

function method({ plan, pipeline }: Results): string {
  const sink = pipeline[0]?.sink
  const kilobytes = sink ? (1000 * sink.megabytes) / sink.mails : 0
  return `## What was measured

- Each contender is one process of its own; they ran in turns, ${plan.rounds} round(s), and medians count. CPU is user and system time of that process
  alone, with its collector and compiler threads; the sink, Redis and the kernel's share of the disk are not in it. Peak memory is the
  highest resident set since the process began; most of it is left behind by loading the modules.
- **Pipeline**: what \`worker\` runs, with a private Redis over a socket and a SQLite file in WAL mode with \`synchronous=FULL\`; from the
  first line of planning to the last receipt. The list: 15 sessions in five topics, ten time zones, three choices of topics, names;
  ${kilobytes.toFixed(1)} kB of JSON per mail. \`RESEND_REQUESTS_PER_SECOND\` is 1000, so that no limit waits; log lines are made, then dropped.
- **Bare loop**: ${plan.recorded} batches that the pipeline itself had submitted, parsed to objects beforehand, posted over and over with
  \`resend.batch.send\`, permissive, each under a new idempotency key, ${CONCURRENCY_WORDS}. No database, no queue.
- **Textbook worker** (\`peers/textbook.ts\`): BullMQ with 20 jobs at once in one process; sources read, Handlebars compiled, sessions read
  and statements prepared once, \`synchronous=NORMAL\`, jobs added in bulk; the same words, sessions and zones; MJML with its own
  defaults, as guides call it, and once more with its checks turned off. Over
  ${plan.textbookMails.toLocaleString('en')} mails, as it is slow.
- **Sink** (\`sink.ts\`): its own process, the same for all, over loopback. It counts mails and invents ids. The strict stand-in of the tests
  parses and hashes every body, which took 0.24 ms of CPU per mail where the bare loop took 0.22: on two cores it would be measured too.

## What was not

- Resend. It allows ten requests a second by default, so 1,000 mails a second at most: any number above is room to spare, not speed.
- Network, TLS, answers that take time, retries, web pages or webhooks beside the worker, and several workers.
- Other disks: one commit a batch waits for the disk, in the bare loop none.`
}

const CONCURRENCY_WORDS = 'as many at once as the worker has in flight (6)'

const perSecond = (run: Measured): number => run.mails / run.seconds
const cpuPerThousand = (run: Measured): number => (1000 * run.cpuSeconds) / run.mails
const peak = (run: Measured): number => run.peakRssMegabytes
const count = (run: Measured | null | undefined): string => (run?.mails ?? 0).toLocaleString('en')

function medianOf<One>(runs: readonly One[], value: (run: One) => number): number {
  const sorted = runs.map(value).sort((a, b) => a - b)
  const [low, high] = [
    sorted[Math.floor((sorted.length - 1) / 2)],
    sorted[Math.ceil((sorted.length - 1) / 2)],
  ]
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

function versions(): string {
  const { dependencies } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  return ['resend', 'bullmq', 'better-sqlite3', 'mjml']
    .map((name) => `${name} ${dependencies[name]}`)
    .join(', ')
}
