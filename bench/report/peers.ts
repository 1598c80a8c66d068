import type { PeerRuns, Run } from '../results.ts'
import { medianOf, number, peak, perCpuSecond, percent, perSecond, table, whole } from './tables.ts'

const NAMES: Record<keyof PeerRuns, string> = {
  pipeline: '**Openseat**: plan, claim, render, freeze, submit, record',
  ceiling: 'the ceiling: the same bytes, ready-made, `resend.batch.send`',
  smtp: 'nodemailer: pooled SMTP, precompiled template',
  reactEmail: 'react-email worker: one job, one render, one `emails.send` per email',
  tuned: 'textbook worker, with MJML’s checks turned off',
  textbook: 'textbook worker: one job, one MJML compile, one `emails.send` per email',
}

/** All contenders side by side, and how many times faster ours is. */
export function peersSection(peers: PeerRuns): string {
  const [speed, cpu] = [medianOf(peers.pipeline, perSecond), medianOf(peers.pipeline, perCpuSecond)]
  const head = [
    '',
    'emails',
    'kB each',
    'emails/s, each round',
    'median',
    'CPU ms per email',
    'peak MB',
    'sink busy',
    'ours is faster by',
    'per CPU second',
  ]
  const rows = runsOf(peers).map(([key, runs]) => [
    NAMES[key],
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

${table(head, rows)}`
}

const kilobytes = ({ mails, sink }: Run): number => (1000 * (sink?.megabytes ?? Number.NaN)) / mails

const runsOf = (peers: PeerRuns) => Object.entries(peers) as [keyof PeerRuns, Run[]][]
