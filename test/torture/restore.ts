import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import Database from 'better-sqlite3'
import {
  awaitThrough,
  closeInstallation,
  type Installation,
  type InstallationOptions,
  makeInstallation,
  QUICKER,
  rowFor,
  runProgram,
  startWorker,
  stopPrograms,
} from './installation.ts'
import { type Program, until } from './programs.ts'
import { type Context, plainRow, type Row, type Scenario } from './scenario.ts'

const READERS = 400
const WHOLE_COPY = "last week's copy put in place"
/** More than two sweeps with the waits of QUICKER: long enough for a mistake to show. */
const LOOK_ON_MS = 5_000

export const scenarios: Scenario[] = [
  { name: WHOLE_COPY, group: 'restore', quick: true, run: lastWeek },
  { name: 'a backup made while sending', group: 'restore', quick: false, run: midway },
  { name: 'an older file over the newer', group: 'restore', quick: false, run: overwritten },
  { name: 'a copy of everything, both started', group: 'restore', quick: false, run: bothStarted },
  { name: 'killed and flushed, never held', group: 'restore', quick: false, run: neverHeld },
]

/** The provider has forgotten the keys: anything submitted again is a second email. */
const FORGETFUL = { subscribers: READERS, standIn: ['--ignore-keys'] }

/** A backup is taken, the edition goes out, the backup is restored, checked, and released. */
async function lastWeek(context: Context): Promise<Row[]> {
  return within(context, FORGETFUL, async (installation) => {
    const problems: string[] = []
    const copy = await backUp(installation, 'copy.db', problems)
    await sendAll(installation, problems)
    const restored = restore(installation, copy)
    await lookOn(restored, READERS, problems)
    await releaseIt(restored, problems)
    await pause(LOOK_ON_MS)
    await stopPrograms(restored)
    const accepts = [...(await restored.standIn.counts()).values()]
    const once = accepts.filter((count) => count === 1).length
    const twice = accepts.length - once
    if (once !== READERS) problems.push(`${once} of ${READERS} were mailed once`)
    return { ...(await verdict(restored, WHOLE_COPY, problems)), recipients: READERS, once, twice }
  })
}

/** Backups while a worker sends: each must be intact. When all is sent, one of them is restored and released. */
async function midway(context: Context): Promise<Row[]> {
  const slow = { RESEND_REQUESTS_PER_SECOND: '1' }
  return within(context, { ...FORGETFUL, settings: slow }, async (installation) => {
    const problems: string[] = []
    const worker = startWorker(installation, { waits: QUICKER })
    await until(async () => (await installation.standIn.summary()).accepted > 0, 'mail goes out')
    const copy = await backUp(installation, 'midway.db', problems)
    problems.push(...damageOf(copy))
    if (!(await awaitThrough(installation))) problems.push('the edition was not through')
    await worker.kill('SIGTERM')
    const restored = restore(installation, copy)
    await lookOn(restored, READERS, problems)
    await releaseIt(restored, problems)
    await awaitThrough(restored)
    await stopPrograms(restored)
    const unknown = countIn(restored, "select count(*) from deliveries where state = 'unknown'")
    if (unknown === 0) problems.push('the backup was not made while sending, so this shows nothing')
    return rowFor(restored, 'a backup made while sending', {
      expected: { recipients: READERS, unknown },
      problems,
      note: `${unknown} unknown after the release`,
    })
  })
}

/** The bytes of an older state are written over the newer file, as `cp` does: the inode stays. */
async function overwritten(context: Context): Promise<Row[]> {
  return within(context, FORGETFUL, async (installation) => {
    const problems: string[] = []
    await runProgram(installation, ['sessions', 'list'])
    checkpoint(installation)
    const copy = join(installation.folder, 'older.db')
    copyFileSync(installation.file, copy)
    await sendAll(installation, problems)
    const restored = restore(installation, copy, { sameFile: true })
    await lookOn(restored, READERS, problems)
    await stopPrograms(restored)
    return verdict(restored, 'an older file over the newer', problems)
  })
}

/** Database and witness file are copied to another folder with the same Redis, and both are started: only one may send. */
async function bothStarted(context: Context): Promise<Row[]> {
  return within(context, { subscribers: READERS }, async (installation) => {
    const problems: string[] = []
    const [first] = [startWorker(installation, { failpoint: 'after-planned', waits: QUICKER })]
    await first.ended
    checkpoint(installation)
    const twin = join(installation.folder, 'twin.db')
    for (const suffix of ['', '.epoch']) copyFileSync(installation.file + suffix, twin + suffix)
    const copied = startWorker(installation, { waits: QUICKER, env: { DATABASE_PATH: twin } })
    await saysHeld(copied, problems)
    startWorker(installation, { waits: QUICKER })
    if (!(await awaitThrough(installation))) problems.push('the first one did not finish')
    const release = await runProgram(installation, ['release', '--yes'], { env: { DATABASE_PATH: twin } })
    if (release.code !== 0) problems.push(`release ends with ${release.code}: ${release.output.slice(-200)}`)
    const left = installation.programs.find((one) => !one.hasEnded() && one !== copied)
    if (left) await saysHeld(left, problems)
    await stopPrograms(installation)
    return rowFor(installation, 'a copy of everything, both started', { problems, kills: 1 })
  })
}

/** Everyday events must not cause a hold: kill -9, an emptied Redis, other host names. */
async function neverHeld(context: Context): Promise<Row[]> {
  return within(context, { subscribers: READERS }, async (installation) => {
    const problems: string[] = []
    for (let kills = 0; kills < 6; kills += 1) {
      const worker = startWorker(installation, { waits: QUICKER })
      await until(() => worker.output().includes('openseat is running'), 'the worker runs')
      await pause((kills * 137) % 400)
      await worker.kill()
      await installation.redis?.flush()
      if (worker.output().includes('nothing goes out')) problems.push('it was held after a kill')
    }
    startWorker(installation, { waits: QUICKER })
    if (!(await awaitThrough(installation))) problems.push('the edition was not through')
    await stopPrograms(installation)
    return rowFor(installation, 'killed and flushed, never held', { kills: 6, problems })
  })
}

async function within(
  context: Context,
  options: InstallationOptions,
  work: (installation: Installation) => Promise<Row>,
): Promise<Row[]> {
  const installation = await makeInstallation(context, options)
  try {
    return [await work(installation)]
  } finally {
    await closeInstallation(installation)
  }
}

async function backUp(installation: Installation, name: string, problems: string[]): Promise<string> {
  const file = join(installation.folder, name)
  const { code, output } = await runProgram(installation, ['backup', file])
  if (code !== 0) problems.push(`backup ends with ${code}: ${output.slice(-200)}`)
  return file
}

async function sendAll(installation: Installation, problems: string[]): Promise<void> {
  startWorker(installation, { waits: QUICKER })
  if (!(await awaitThrough(installation))) problems.push('the edition was not through')
  await stopPrograms(installation)
}

/** Restores the copy as the README says, or writes it over the bytes of the database. */
function restore(installation: Installation, copy: string, { sameFile = false } = {}): Installation {
  const { file, ledger } = installation
  ledger.close()
  for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true })
  if (!sameFile) rmSync(file)
  copyFileSync(copy, file)
  installation.ledger = new Database(file, { timeout: 10_000 })
  return installation
}

/** Starts it again, and watches for a while: nothing may go out. */
async function lookOn(installation: Installation, accepted: number, problems: string[]): Promise<void> {
  const worker = startWorker(installation, { waits: QUICKER })
  await saysHeld(worker, problems)
  await pause(LOOK_ON_MS)
  const shown = await runProgram(installation, ['release', '--json'])
  if (shown.code !== 0 || !shown.stdout.includes('"held": true'))
    problems.push(`release shows ${shown.output.slice(-200)}`)
  const { accepted: now } = await installation.standIn.summary()
  if (now !== accepted) problems.push(`while held, ${now - accepted} emails went out`)
}

async function saysHeld(worker: Program, problems: string[]): Promise<void> {
  const said = () => worker.output().split('nothing goes out').length - 1
  await until(() => said() > 0 || worker.hasEnded(), 'the log says that it is held', 15_000).catch(() => {})
  if (said() !== 1) problems.push(`the log said ${said()} times that nothing goes out`)
}

async function releaseIt(installation: Installation, problems: string[]): Promise<void> {
  const { code, output } = await runProgram(installation, ['release', '--yes'])
  if (code !== 0) problems.push(`release ends with ${code}: ${output.slice(-200)}`)
}

async function verdict(installation: Installation, scenario: string, problems: string[]): Promise<Row> {
  const { struck } = await installation.standIn.summary()
  const seconds = (performance.now() - installation.startedAt) / 1000
  const passed = problems.length === 0
  return plainRow({ scenario, faults: struck, seconds, passed, note: problems.join('; ') })
}

function damageOf(file: string): string[] {
  if (!existsSync(file)) return ['there is no backup']
  const copy = new Database(file, { readonly: true })
  try {
    const found = copy.pragma('integrity_check', { simple: true })
    const orphans = copy.pragma('foreign_key_check') as unknown[]
    const drift = copy
      .prepare(
        `select count(*) from (select edition_id, state, sum(count) n from edition_tally group by 1, 2) t
         where n <> (select count(*) from deliveries d where d.edition_id = t.edition_id and d.state = t.state)`,
      )
      .pluck()
      .get()
    return found === 'ok' && orphans.length === 0 && drift === 0
      ? []
      : [`the backup is unsound: ${String(found)}`]
  } finally {
    copy.close()
  }
}

const countIn = ({ ledger }: Installation, sql: string) => Number(ledger.prepare(sql).pluck().get())

const checkpoint = ({ ledger }: Installation) => ledger.pragma('wal_checkpoint(TRUNCATE)')
