import {
  copyFileSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import Database from 'better-sqlite3'
import {
  awaitThrough,
  closeInstallation,
  type Installation,
  isThrough,
  makeInstallation,
  QUICKER,
  rowFor,
  startWorker,
  stir,
  stopPrograms,
  type Waits,
} from './installation.ts'
import { type Program, until } from './programs.ts'
import { type Random, randomFrom } from './random.ts'
import { type Context, plainRow, type Row, type Scenario } from './scenario.ts'
import { commitsOf } from './write-ahead-log.ts'

const SEEDS = 20
const QUICK_SEEDS = 1
const WORKERS = 3
const FULL = { recipients: 1_500, kills: 12 }
const QUICK = { recipients: 500, kills: 3 }

export const scenarios: Scenario[] = [
  { name: 'random kills', group: 'kills', quick: true, onPostgres: true, run: randomKills },
  { name: 'power cut: unsynced commits are lost', group: 'kills', quick: false, run: powerCut },
]

/** BullMQ returns a dead worker's jobs after half a minute; here after seconds, like every other wait. */
export const KILL_WAITS: Waits = {
  ...QUICKER,
  'job-lock': 3_000,
  'stalled-job': 2_000,
  database: 3_000,
}

/** One row per seed; with `--minutes`, more seeds until the time is up. */
async function randomKills(context: Context): Promise<Row[]> {
  const seeds = context.quick ? QUICK_SEEDS : SEEDS
  const end = performance.now() + (context.minutes ?? 0) * 60_000
  const rows: Row[] = []
  for (let n = 0; n < seeds || performance.now() < end; n += 1) {
    const seed = context.seed + n
    const row = await killAtRandom(context, seed).catch((error: Error) =>
      plainRow({ scenario: `random kills, seed ${seed}`, passed: false, note: error.message }),
    )
    context.row(row)
    rows.push(row)
  }
  return rows
}

/** Three workers, kill -9 at random moments, a faulty provider. Every second seed also kills or empties Redis. */
async function killAtRandom(context: Context, seed: number): Promise<Row> {
  const random = randomFrom(seed)
  const withRedis = seed % 2 === 0
  const measure = context.quick ? QUICK : FULL
  const installation = await makeInstallation(context, {
    subscribers: measure.recipients,
    // Only a few requests a second, so that enough of the edition is left for every kill.
    standIn: ['--rps', '4'],
    settings: { RESEND_REQUESTS_PER_SECOND: '6' },
  })
  const calm = new AbortController()
  const troubles = Promise.all([
    troubleProvider(installation, random, calm.signal),
    withRedis ? troubleRedis(installation, random, calm.signal) : 0,
  ])
  try {
    const { kills, revive } = await killWorkers(installation, random, measure.kills)
    calm.abort()
    const [, redisTroubles] = await troubles
    revive()
    await installation.standIn.clearFaults()
    const through = await awaitThrough(installation)
    await stopPrograms(installation)
    const title = `random kills, seed ${seed}${withRedis ? `, Redis lost ${redisTroubles} times` : ''}`
    const problems = through ? [] : ['the edition was not through two minutes after the last kill']
    return await rowFor(installation, title, { kills, problems })
  } finally {
    calm.abort()
    await troubles.catch(() => {})
    await closeInstallation(installation)
  }
}

/**
 * Kills one of the three workers after another, and starts a new one each time. `revive` does what a service manager
 * does: it restarts a worker that exited because Redis was down when it started.
 */
async function killWorkers(installation: Installation, random: Random, most: number) {
  const start = () => startWorker(installation, { waits: KILL_WAITS })
  const workers: Program[] = Array.from({ length: WORKERS }, start)
  const revive = () => {
    for (const [place, worker] of workers.entries()) if (worker.hasEnded()) workers[place] = start()
  }
  await until(
    () => {
      revive()
      return Number(installation.ledger.prepare('select count(*) from editions').pluck().get()) > 0
    },
    'an edition is begun',
    120_000,
  )
  let kills = 0
  while (kills < most && !isThrough(installation)) {
    const place = random.below(WORKERS)
    const victim = workers[place]
    // Most die while they work, some while they start.
    if (random.chance(0.8)) await until(() => isAtWork(victim), 'a worker is at work').catch(() => {})
    await pause(random.between(20, 700))
    await victim?.kill()
    kills += 1
    if (random.chance(0.3)) stir(installation)
    workers[place] = start()
    revive()
  }
  return { kills, revive }
}

const isAtWork = (worker: Program | undefined): boolean =>
  worker === undefined || worker.hasEnded() || worker.output().includes('openseat is running')

const FAULTS = [
  { kind: 'status', status: 500 },
  { kind: 'rate-limit', ms: 1_000 },
  { kind: 'reset-before' },
  { kind: 'reset-after-accept' },
  { kind: 'hang' },
  { kind: 'hang-after-accept' },
  { kind: 'late', ms: 2_600 }, // after the worker's timeout
  { kind: 'html-502' },
  { kind: 'broken-json' },
  { kind: 'status-after-accept', status: 503 },
] as const

async function troubleProvider({ standIn }: Installation, random: Random, calm: AbortSignal): Promise<void> {
  while (!calm.aborted) {
    await standIn.inject({ ...random.of(FAULTS), times: 1 + random.below(2) })
    await pause(random.between(150, 700), null, { signal: calm }).catch(() => {})
  }
}

/** Kills or empties Redis a few times; returns how often. */
async function troubleRedis(installation: Installation, random: Random, calm: AbortSignal): Promise<number> {
  const { redis } = installation
  if (!redis) return 0
  let times = 0
  while (!calm.aborted && times < 3) {
    await pause(random.between(700, 2_500), null, { signal: calm }).catch(() => {})
    if (calm.aborted) break
    if (random.chance(0.5)) await redis.flush()
    else await redis.restart(random.between(0, 1_000))
    times += 1
  }
  return times
}

/**
 * A power cut: a worker dies with outcomes that were committed without waiting for the disk. SQLite's log is cut back to
 * what was surely on disk: the last commit that freezes or ends something.
 */
async function powerCut(context: Context): Promise<Row[]> {
  let installation = await makeInstallation(context, { subscribers: 600 })
  try {
    const worker = startWorker(installation, { failpoint: 'after-record:4' })
    await until(() => worker.hasEnded(), 'four batches are recorded')
    const { lost, cut } = cutPower(installation)
    installation = cut
    stir(installation)
    startWorker(installation)
    const through = await awaitThrough(installation)
    await stopPrograms(installation)
    const problems = through ? [] : ['the edition was not through within two minutes']
    if (lost === 0) problems.push('there was no unsynced commit to lose')
    const note = `${lost} commits lost`
    return [await rowFor(installation, 'power cut: unsynced commits are lost', { kills: 1, problems, note })]
  } finally {
    await closeInstallation(installation)
  }
}

/** Cuts the database back to the oldest state that a power cut may leave. Returns how many commits are lost. */
function cutPower(installation: Installation): { lost: number; cut: Installation } {
  const { file, ledger } = installation
  const full = syncedState(ledger)
  // Copy first: closing the last connection would write the log into the database.
  copyFileSync(file, `${file}.kept`)
  copyFileSync(`${file}-wal`, `${file}-wal.kept`)
  ledger.close()
  const commits = commitsOf(readFileSync(`${file}-wal.kept`))
  let lost = 0
  for (const end of commits.toReversed().slice(1)) {
    const trial = `${file}.trial`
    copyFileSync(`${file}.kept`, trial)
    copyFileSync(`${file}-wal.kept`, `${trial}-wal`)
    truncateSync(`${trial}-wal`, end)
    const db = new Database(trial)
    const same = syncedState(db) === full
    db.close()
    for (const tail of ['', '-wal', '-shm']) rmSync(`${trial}${tail}`, { force: true })
    if (!same) break
    lost += 1
  }
  for (const tail of ['-wal', '-shm']) rmSync(`${file}${tail}`, { force: true })
  // In place: a file with another inode would count as a copy and be put on hold.
  writeFileSync(file, readFileSync(`${file}.kept`), { flag: 'r+' })
  truncateSync(file, statSync(`${file}.kept`).size)
  renameSync(`${file}-wal.kept`, `${file}-wal`)
  truncateSync(`${file}-wal`, commits.at(-1 - lost))
  return { lost, cut: { ...installation, ledger: new Database(file, { timeout: 10_000 }) } }
}

/** State that only synced commits change: planning, freezing, editions. Without claims and outcomes. */
function syncedState(db: Database.Database): string {
  const sql = `select (select count(*) from deliveries), (select group_concat(state) from editions),
    (select group_concat(id) from batches where first_attempt_at is not null),
    (select group_concat(value) from installation)`
  return JSON.stringify(db.prepare(sql).raw().get())
}
