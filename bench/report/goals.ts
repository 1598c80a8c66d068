import type { LimitRun, PeerRuns, Results, Scale, ScaleRun } from '../results.ts'
import { engineGoals } from './engines.ts'
import { type Goal, goalRow, medianOf, peak, perCpuSecond, perSecond, table, whole } from './tables.ts'
import { yearGoals } from './year.ts'

/** All goals, with the measured values. */
export function goalsTable({ peers, engines, scale, limit, idle, kills, year }: Results): string {
  const goals = [
    ...(peers ? peerGoals(peers) : []),
    ...(engines ? engineGoals(engines) : []),
    ...(scale ? scaleGoals(scale) : []),
    ...(peers && scale ? [millionGoal(peers, scale)] : []),
    ...(limit ?? []).flatMap(limitGoals),
    ...(idle ? idleGoals(idle.processes) : []),
    ...(kills ? killGoals(kills) : []),
    ...(year ? yearGoals(year) : []),
  ]
  return table(['goal', 'measured', 'wanted', ''], goals.map(goalRow))
}

function peerGoals({ pipeline, ceiling, smtp, textbook }: PeerRuns): Goal[] {
  const pauses = pipeline.flatMap(({ sink }) => sink?.pauseSeconds ?? [])
  const [speed, cpu] = [medianOf(pipeline, perSecond), medianOf(pipeline, perCpuSecond)]
  return [
    {
      name: 'pipeline / ceiling, emails per second',
      value: speed / medianOf(ceiling, perSecond),
      atLeast: 1.2,
    },
    {
      name: 'pipeline / ceiling, CPU per email',
      value: medianOf(ceiling, perCpuSecond) / cpu,
      atMost: 1.25,
    },
    {
      name: 'pipeline / textbook worker, emails per second',
      value: speed / medianOf(textbook, perSecond),
      atLeast: 30,
    },
    {
      name: 'pipeline / nodemailer, emails per CPU second',
      value: cpu / medianOf(smtp, perCpuSecond),
      atLeast: 1,
    },
    // Older results do not include pauses.
    ...(pauses.length === 0
      ? []
      : [
          { name: '`edition send --wait`: longest pause', value: Math.max(...pauses), unit: ' s', atMost: 1 },
        ]),
  ]
}

function scaleGoals({ runs, answers }: Scale): Goal[] {
  const sizes = [...new Set(runs.map(({ subscribers }) => subscribers))]
  const [smallest, largest] = [sizes[0] ?? 0, sizes.at(-1) ?? 0]
  const of = (size: number) => runs.filter(({ subscribers }) => subscribers === size)
  const growth = (cost: (run: ScaleRun) => number) =>
    medianOf(of(largest), cost) / largest / (medianOf(of(smallest), cost) / smallest)
  const big = of(largest)[0]
  const over = `${whole(largest)} subscribers`
  const against = `${whole(largest)} / ${whole(smallest)} subscribers`
  if (!big) return []
  const { imported, pipeline, megabytes } = big
  const slowest = Math.max(...answers.answers.map((answer) => answer.slowest))
  return [
    { name: `import of ${over}`, value: imported.seconds, unit: ' s', atMost: 60 },
    { name: `planning for ${over}`, value: pipeline.planned.seconds, unit: ' s', atMost: 15 },
    { name: `peak memory, import of ${over}`, value: peak(imported), unit: ' MB', atMost: 250 },
    { name: `peak memory, planning for ${over}`, value: peak(pipeline.planned), unit: ' MB', atMost: 250 },
    { name: `peak memory, submitting to ${over}`, value: peak(pipeline), unit: ' MB', atMost: 250 },
    { name: `peak memory, answering about ${over}`, value: peak(answers), unit: ' MB', atMost: 250 },
    {
      name: `database of ${over} and their edition`,
      value: megabytes.submitted,
      unit: ' MB',
      atMost: 1000,
    },
    { name: `time per subscriber, ${against}`, value: growth(secondsOf), atMost: 1.2 },
    { name: `CPU per subscriber, ${against}`, value: growth(cpuSecondsOf), atMost: 1.2 },
    { name: `slowest answer about ${over}`, value: slowest, unit: ' ms', atMost: 50 },
  ]
}

/** From the import file to the last recorded answer. */
export const secondsOf = ({ imported, pipeline }: ScaleRun): number => imported.seconds + pipeline.seconds
export const cpuSecondsOf = ({ imported, pipeline }: ScaleRun): number =>
  imported.cpuSeconds + pipeline.cpuSeconds

function millionGoal({ ceiling }: PeerRuns, { runs }: Scale): Goal {
  const { subscribers, pipeline } = runs.at(-1) ?? { subscribers: 0, pipeline: null }
  const speed = pipeline ? perSecond(pipeline.submitted) : Number.NaN
  const name = `submitting to ${whole(subscribers)} / ceiling, emails per second`
  return { name, value: speed / medianOf(ceiling, perSecond), atLeast: 1.2 }
}

function limitGoals({ workers, mailsPerSecond, refusedLater, cpuShares }: LimitRun): Goal[] {
  const by = `ten requests a second, ${workers === 1 ? 'one worker' : `${workers} workers`}`
  return [
    { name: `${by}: emails per second`, value: mailsPerSecond, atLeast: 980 },
    { name: `${by}: refused (429) after the first seconds`, value: refusedLater, atMost: 0 },
    { name: `${by}: share of one core, each`, value: Math.max(...cpuShares), atMost: 0.25 },
  ]
}

function idleGoals(processes: NonNullable<Results['idle']>['processes']): Goal[] {
  const sum = (value: (one: (typeof processes)[number]) => number) =>
    processes.reduce((total, one) => total + value(one), 0)
  return [
    {
      name: 'idle `start` with its Redis: memory',
      value: sum(({ megabytes }) => megabytes),
      unit: ' MB',
      atMost: 120,
    },
    {
      name: 'idle `start` with its Redis: share of one core',
      value: 100 * sum(({ cpuShare }) => cpuShare),
      unit: ' %',
      atMost: 1,
    },
  ]
}

function killGoals(kills: NonNullable<Results['kills']>): Goal[] {
  const ours = kills.filter(({ who }) => who === 'openseat')
  const sum = (value: (row: (typeof ours)[number]) => number) =>
    ours.reduce((total, row) => total + value(row), 0)
  return [
    { name: 'killed in the middle: emailed twice', value: sum(({ twice }) => twice), atMost: 0 },
    { name: 'killed in the middle: never emailed', value: sum(({ never }) => never), atMost: 0 },
  ]
}
