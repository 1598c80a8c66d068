import type { EngineRuns } from '../results.ts'
import { type Goal, medianOf, number, peak, perCpuSecond, perSecond, table, whole } from './tables.ts'

const NAMES: Record<keyof EngineRuns, string> = {
  sqlite: 'SQLite, one process',
  postgres: 'Postgres, one process',
  three: 'Postgres, with two `worker`s beside it',
}

export function engineGoals({ sqlite, postgres, three }: EngineRuns): Goal[] {
  const speed = (runs: EngineRuns[keyof EngineRuns]) => medianOf(runs, perSecond)
  return [
    {
      name: 'on Postgres / on SQLite, emails per second',
      value: speed(postgres) / speed(sqlite),
      atLeast: 0.5,
    },
    { name: 'three processes on Postgres / one', value: speed(three) / speed(postgres), atLeast: 1 },
    {
      name: 'longest pause on any engine',
      value: Math.max(...[...sqlite, ...postgres, ...three].map(({ sink }) => sink?.pauseSeconds ?? 0)),
      unit: ' s',
      atMost: 1,
    },
  ]
}

/** The same command on both engines. */
export function enginesSection(engines: EngineRuns): string {
  const kinds = ['sqlite', 'postgres', 'three'] as const
  const rows = kinds.map((kind) => {
    const runs = engines[kind]
    return [
      NAMES[kind],
      runs.map((run) => whole(perSecond(run))).join(', '),
      whole(medianOf(runs, perSecond)),
      number(1000 / medianOf(runs, perCpuSecond)),
      whole(medianOf(runs, peak)),
      number(Math.max(...runs.map(({ sink }) => sink?.pauseSeconds ?? 0))),
    ]
  })
  const head = [
    '',
    'emails/s, each round',
    'median',
    'CPU ms per email of the command',
    'peak MB',
    'longest pause, s',
  ]
  return `## Engines

\`edition send --wait\` to ${whole(engines.sqlite[0]?.mails ?? 0)} readers, from the start of the process to its exit. Postgres ran on the same
two cores, with its writes on the disk, and its list had been moved there with \`openseat move\`.

${table(head, rows)}`
}
