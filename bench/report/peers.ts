import { barPlot } from '../plots/bars.ts'
import type { PeerRuns, Run } from '../results.ts'
import { medianOf, number, peak, perCpuSecond, percent, perSecond, table, whole } from './tables.ts'

const NAMES: Record<keyof PeerRuns, { short: string; long: string }> = {
  pipeline: {
    short: 'openseat, one worker',
    long: '**Openseat**: plan, claim, render, freeze, submit, record',
  },
  ceiling: {
    short: 'the ceiling: ready-made batches',
    long: 'the ceiling: the same bytes, ready-made, `resend.batch.send`',
  },
  smtp: {
    short: 'nodemailer, pooled SMTP',
    long: 'nodemailer: pooled SMTP, precompiled template',
  },
  reactEmail: {
    short: 'react-email worker',
    long: 'react-email worker: one job, one render, one `emails.send` per mail',
  },
  tuned: { short: 'textbook worker, MJML unchecked', long: 'textbook worker, MJML’s checks turned off' },
  textbook: {
    short: 'textbook worker',
    long: 'textbook worker: one job, one MJML compile, one `emails.send` per mail',
  },
}

/** The peers side by side, and how many times as fast ours is. */
export function peersSection(peers: PeerRuns): string {
  const [speed, cpu] = [medianOf(peers.pipeline, perSecond), medianOf(peers.pipeline, perCpuSecond)]
  const head = [
    '',
    'mails',
    'kB each',
    'mails/s, each round',
    'median',
    'CPU ms per mail',
    'peak MB',
    'sink busy',
    'ours is as fast',
    'per CPU second',
  ]
  const rows = runsOf(peers).map(([key, runs]) => [
    NAMES[key].long,
    whole(runs[0]?.mails ?? 0),
    number(medianOf(runs, kilobytes)),
    runs.map((run) => whole(perSecond(run))).join(', '),
    whole(medianOf(runs, perSecond)),
    number(1000 / medianOf(runs, perCpuSecond)),
    whole(medianOf(runs, peak)),
    percent(medianOf(runs, (run) => (run.sink?.cpuSeconds ?? 0) / run.seconds)),
    key === 'pipeline' ? '' : `${number(speed / medianOf(runs, perSecond))} ×`,
    key === 'pipeline' ? '' : `${number(cpu / medianOf(runs, perCpuSecond))} ×`,
  ])
  return `## Side by side

![Mails per second of each](peers.svg)

${table(head, rows)}`
}

export function peersPlot(peers: PeerRuns): string {
  const bars = runsOf(peers).map(([key, runs]) => {
    const value = medianOf(runs, perSecond)
    const milliseconds = number(1000 / medianOf(runs, perCpuSecond))
    const label = `${whole(value)}/s, ${milliseconds} ms`
    return { name: NAMES[key].short, value, label, ours: key === 'pipeline' }
  })
  const words = {
    title: 'Mails per second, one process',
    subtitle: 'Median of the rounds of one run, and milliseconds of CPU per mail. Longer is better.',
  }
  return barPlot(words, bars)
}

const kilobytes = ({ mails, sink }: Run): number => (1000 * (sink?.megabytes ?? Number.NaN)) / mails

const runsOf = (peers: PeerRuns) => Object.entries(peers) as [keyof PeerRuns, Run[]][]
