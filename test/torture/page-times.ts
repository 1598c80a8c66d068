import { readFileSync } from 'node:fs'
import { plainRow, type Row } from './scenario.ts'

const LIMIT_MS = 100
/** If the bare server is slower than this, the machine is too busy to judge response times. */
const BUSY_MS = 20
export const NOTHING = 'a bare server'

export type Phase = 'planning' | 'sending'
/** `ms`: from when the request was due until its answer was read. */
export type Sample = { kind: string; phase: Phase; at: number; ms: number; status: number }
/** The event loop was blocked for `ms` of CPU time, until `at`. */
type Hold = { at: number; ms: number }

/** `watched`: the output file of `loop-watch.ts`. */
type Run = { count: number; accepted: number; seconds: number; watched: string }

/** A row for each phase, or one for both if planning takes only a moment. */
export function rowsFor(samples: readonly Sample[], run: Run): Row[] {
  const during = (phase: Phase) => samples.filter((sample) => sample.phase === phase)
  if (during('planning').length < 200) return [rowOf('planning and sending', samples, run)]
  return [
    rowOf('planning', during('planning'), { ...run, accepted: 0 }),
    rowOf('sending', during('sending'), run),
  ]
}

/**
 * The 99th percentile of each kind of request, from when it was due until its answer was read. On a machine that is busy
 * with other work, that says nothing about us; then the row is judged by how long our own work blocked the event loop.
 */
function rowOf(what: string, samples: readonly Sample[], run: Run): Row {
  const kinds = Map.groupBy(samples, ({ kind }) => kind)
  const figures = [...kinds].map(([kind, those]) => {
    const times = those.map(({ ms }) => ms)
    const refused = those.find(({ status }) => status !== 200)?.status ?? null
    return { kind, p99: percentile(times, 0.99), most: Math.max(...times), refused }
  })
  const ours = figures.filter(({ kind }) => kind !== NOTHING)
  const machine = figures.find(({ kind }) => kind === NOTHING)?.p99 ?? Number.POSITIVE_INFINITY
  const { late, longest } = lateByHolds(samples, holdsIn(run.watched))
  const inTime = machine > BUSY_MS ? late <= 0.01 : ours.every(({ p99 }) => p99 <= LIMIT_MS)
  const lines = figures.map(({ kind, p99, most }) => `${kind} ${p99.toFixed(0)} (at most ${most.toFixed(0)})`)
  const held = `the loop was held for ${longest.toFixed(0)} ms of CPU at most, ${(late * 100).toFixed(1)} % would wait over 100 ms`
  const problems = ours.flatMap(({ kind, refused }) => (refused ? [`${kind} answered ${refused}`] : []))
  if (machine > BUSY_MS) problems.push('THIS MACHINE IS BUSY: judged by the loop alone')
  return plainRow({
    scenario: `pages while ${what} ${run.count / 1000}k`,
    recipients: run.count,
    once: run.accepted,
    seconds: run.seconds,
    passed: inTime && ours.length === 3 && ours.every(({ refused }) => refused === null),
    note: [`p99 in ms of ${samples.length}: ${lines.join(', ')}`, held, ...problems].join('; '),
  })
}

/** The share of requests, arriving at random moments, that would wait longer than the limit for the event loop. */
function lateByHolds(samples: readonly Sample[], holds: readonly Hold[]) {
  const from = samples[0]?.at ?? 0
  const to = samples.at(-1)?.at ?? 0
  const mine = holds.filter(({ at }) => at >= from && at <= to)
  const over = mine.reduce((sum, { ms }) => sum + Math.max(0, ms - LIMIT_MS), 0)
  return { late: over / Math.max(1, to - from), longest: Math.max(0, ...mine.map(({ ms }) => ms)) }
}

function holdsIn(file: string): Hold[] {
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [at = 0, ms = 0] = line.split(' ').map(Number)
    return { at, ms }
  })
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? Number.POSITIVE_INFINITY
}
