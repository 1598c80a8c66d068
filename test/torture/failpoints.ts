import { FAILPOINTS, type Failpoint } from '../../src/failpoint.ts'
import type { Case } from './case.ts'
import { approving, importing, migrating, reporting, resending } from './failpoint-doors.ts'
import {
  awaitThrough,
  closeInstallation,
  type Installation,
  isThrough,
  makeInstallation,
  rowFor,
  startWorker,
  stir,
  stopPrograms,
} from './installation.ts'
import type { Expectation } from './judge.ts'
import type { Program } from './programs.ts'
import { until } from './programs.ts'
import type { Context, Row, Scenario } from './scenario.ts'

const RECIPIENTS = 250

/** What a scenario must do to reach a failpoint. */
type Way =
  | 'sending'
  | 'an answer that is no answer'
  | 'a conflict'
  | 'nobody left'
  | 'a resend'
  | 'an approval'
  | 'a report'
  | 'a new database'
  | 'an older database'
  | 'an import'

const WAYS: Record<Failpoint, Way> = {
  'before-copy': 'an older database',
  'between-migrations': 'a new database',
  'before-migrate': 'a new database',
  'after-migrate': 'a new database',
  'after-stage': 'an import',
  'before-import': 'an import',
  'after-import': 'an import',
  'before-review': 'sending',
  'after-review': 'sending',
  'before-approve': 'an approval',
  'after-approve': 'an approval',
  'after-supersede': 'sending',
  'before-begin': 'sending',
  'after-begin': 'sending',
  'before-verdicts': 'sending',
  'after-verdicts': 'sending',
  'before-planned': 'sending',
  'after-planned': 'sending',
  'before-claim': 'sending',
  'after-claim': 'an answer that is no answer',
  'before-freeze': 'sending',
  'after-freeze': 'sending',
  'before-submit': 'sending',
  'after-submit': 'sending',
  'before-record': 'sending',
  'after-record': 'sending',
  'before-release': 'an answer that is no answer',
  'after-release': 'an answer that is no answer',
  'before-close': 'nobody left',
  'after-close': 'nobody left',
  'before-unknown': 'a conflict',
  'after-unknown': 'a conflict',
  'before-finish': 'sending',
  'after-finish': 'sending',
  'before-resend': 'a resend',
  'after-resend': 'a resend',
  'before-webhook': 'a report',
  'after-webhook': 'a report',
}

const MAIN_ROAD = FAILPOINTS.filter((name) => WAYS[name] === 'sending')

/** Every failpoint once, with one process and with two; and for `.ci/run`, the main path in one run. */
export const scenarios: Scenario[] = [
  {
    name: 'killed all along the main road',
    group: 'failpoints',
    quick: true,
    onPostgres: true,
    run: mainRoad,
  },
  ...FAILPOINTS.filter((name) => WAYS[name] !== 'an older database').flatMap((name) =>
    ([1, 2] as const).map(
      (workers): Scenario => ({
        name: `${name}, ${workers === 1 ? 'one worker' : 'two workers'}`,
        group: 'failpoints',
        quick: false,
        onPostgres: !/migrate|migrations/.test(name),
        run: (context) => reach(context, name, workers),
      }),
    ),
  ),
]

async function reach(context: Context, name: Failpoint, workers: 1 | 2): Promise<Row[]> {
  const title = `${name}, ${workers === 1 ? 'one worker' : 'two workers'}`
  const one: Case = { context, name, workers, title }
  switch (WAYS[name]) {
    case 'an older database': // see migrations.ts
      return []
    case 'a new database':
      return [await migrating(one)]
    case 'an import':
      return [await importing(one)]
    case 'a report':
      return [await reporting(one)]
    case 'a resend':
      return [await resending(one)]
    case 'an approval':
      return [await approving(one)]
    case 'sending':
    case 'an answer that is no answer':
    case 'a conflict':
    case 'nobody left':
      return [await sending(one, WAYS[name])]
  }
}

/** Starts workers armed with the failpoint. A worker that dies is restarted unarmed, and the edition must finish. */
async function sending({ context, name, workers, title }: Case, way: Way): Promise<Row> {
  const installation = await makeInstallation(context, { subscribers: RECIPIENTS })
  try {
    const expected = await prepare(installation, way)
    const armed = Array.from({ length: workers }, () => startWorker(installation, { failpoint: name }))
    const kills = await restartTheKilled(installation, armed)
    const through = await awaitThrough(installation)
    await stopPrograms(installation)
    return await rowFor(installation, title, { kills, expected, problems: problemsOf(kills, through) })
  } finally {
    await closeInstallation(installation)
  }
}

async function prepare(installation: Installation, way: Way): Promise<Expectation> {
  const { standIn } = installation
  const everyone = { recipients: RECIPIENTS }
  if (way === 'an answer that is no answer') await standIn.inject({ kind: 'status', status: 500 })
  if (way === 'a conflict') {
    await standIn.inject({ kind: 'status', status: 409, name: 'invalid_idempotent_request' })
    return { ...everyone, unknown: 100 }
  }
  if (way === 'nobody left') {
    const planner = startWorker(installation, { failpoint: 'after-planned' })
    await until(() => planner.hasEnded(), 'the edition is planned')
    stir(installation, "update subscribers set status = 'unsubscribed'")
    return { recipients: 0, excluded: RECIPIENTS }
  }
  return everyone
}

/** Returns how many died at the failpoint. Changes data between death and restart; frozen content must not change. */
async function restartTheKilled(installation: Installation, armed: readonly Program[]): Promise<number> {
  const waiting = new Set(armed)
  let kills = 0
  const looked = async () => {
    for (const program of waiting) {
      if (!program.hasEnded()) continue
      waiting.delete(program)
      if ((await program.ended).signal !== 'SIGKILL')
        throw new Error(`a worker ended on its own: ${program.output().slice(-500)}`)
      kills += 1
      stir(installation)
      startWorker(installation)
    }
    return waiting.size === 0 || isThrough(installation)
  }
  await until(looked, 'the failpoint is reached or the edition is finished', 90_000)
  if (waiting.size > 0) await deathOf(armed)
  await looked()
  return kills
}

/** The last commit is visible a moment before the process dies. */
async function deathOf(armed: readonly Program[]): Promise<void> {
  await until(() => armed.some((one) => one.hasEnded()), 'one is dead', 10_000).catch(() => {})
}

function problemsOf(kills: number, through: boolean): string[] {
  return [
    ...(kills === 0 ? ['the failpoint was not reached'] : []),
    ...(through ? [] : ['the edition was not through within two minutes']),
  ]
}

/** One edition, with a kill and a restart at every failpoint on its path. */
async function mainRoad(context: Context): Promise<Row[]> {
  const installation = await makeInstallation(context, { subscribers: 400 })
  const missed: string[] = []
  try {
    for (const name of MAIN_ROAD) {
      const worker = startWorker(installation, { failpoint: name })
      const over = () => worker.hasEnded() || isThrough(installation)
      await until(over, `${name} is reached`, 60_000).catch(() => {})
      await deathOf([worker])
      await worker.kill()
      if (worker.killedByUs()) missed.push(name)
      stir(installation)
    }
    startWorker(installation)
    const through = await awaitThrough(installation)
    await stopPrograms(installation)
    const problems = missed.length > 0 ? [`not reached: ${missed.join(', ')}`] : []
    if (!through) problems.push('the edition was not through in time')
    const kills = MAIN_ROAD.length - missed.length
    return [await rowFor(installation, 'killed all along the main road', { kills, problems })]
  } finally {
    await closeInstallation(installation)
  }
}
