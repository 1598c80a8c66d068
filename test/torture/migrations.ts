import { cpSync, existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import type { Failpoint } from '../../src/failpoint.ts'
import {
  awaitThrough,
  closeInstallation,
  type Installation,
  makeInstallation,
  QUICKER,
  rowFor,
  runProgram,
  startProgram,
  startWorker,
  stopPrograms,
} from './installation.ts'
import { until } from './programs.ts'
import { type Context, plainRow, type Row, type Scenario } from './scenario.ts'

const ROOT = join(import.meta.dirname, '../..')
const RELEASED = readMigrationFiles({ migrationsFolder: join(ROOT, 'drizzle') })
const READERS = 300
const KILLED_AT = 'migrations killed half-way'
const REFUSES = 'a newer database, an older program'

export const scenarios: Scenario[] = [
  { name: KILLED_AT, group: 'migrations', quick: false, run: everySchema },
  { name: 'the newest migration killed half-way', group: 'migrations', quick: true, run: lastSchema },
  { name: REFUSES, group: 'migrations', quick: true, run: olderProgram },
  { name: 'three programs migrate at once', group: 'migrations', quick: false, run: atOnce },
]

/** Where a process that migrates dies before its commit: nothing of the migration may be left. */
const DEATHS = ['before-copy', 'between-migrations', 'before-migrate'] as const

async function everySchema(context: Context): Promise<Row[]> {
  const rows: Row[] = []
  for (let version = 2; version < RELEASED.length; version += 1) rows.push(await from(context, version))
  return rows
}

async function lastSchema(context: Context): Promise<Row[]> {
  return [await from(context, RELEASED.length - 1)]
}

/**
 * A database of the release with `version` migrations, with its edition planned and nothing submitted. Processes that
 * migrate it die in four places. The fifth succeeds, and a worker emails everyone once.
 */
async function from(context: Context, version: number): Promise<Row> {
  const installation = await makeInstallation(context, { subscribers: READERS })
  const title = `from migration ${version}, killed half-way`
  try {
    const problems: string[] = []
    await planOnly(installation)
    await goBackTo(installation, version)
    const before = rowsIn(installation.file)
    let kills = 0
    for (const failpoint of DEATHS) {
      kills += await dies(installation, failpoint, problems)
      expectAsBefore(installation, version, before, problems)
    }
    kills += await dies(installation, 'after-migrate', problems)

    const after = await runProgram(installation, ['migrate'])
    if (after.code !== 0) problems.push(`migrate ends with ${after.code}: ${after.output.slice(-200)}`)
    problems.push(...problemsOf(installation, version, before))
    startWorker(installation, { waits: QUICKER })
    if (!(await awaitThrough(installation))) problems.push('the edition was not through')
    await stopPrograms(installation)
    return await rowFor(installation, title, { kills, problems })
  } finally {
    await closeInstallation(installation)
  }
}

/** A schema newer than the program: every command refuses, with the reason, and changes nothing. */
async function olderProgram(context: Context): Promise<Row[]> {
  const installation = await makeInstallation(context, { subscribers: 10 })
  try {
    const problems: string[] = []
    const { ledger } = installation
    ledger.exec('create table later (id integer primary key)')
    const later = (RELEASED.at(-1)?.folderMillis ?? 0) + 1
    ledger.prepare("insert into __drizzle_migrations (hash, created_at) values ('later', ?)").run(later)
    for (const args of [['start'], ['worker'], ['edition', 'list'], ['migrate']]) {
      const program = startProgram(installation, args)
      await until(() => program.hasEnded(), `${args.join(' ')} ends`, 15_000).catch(() => program.kill())
      const { code } = await program.ended
      if (code !== 1) problems.push(`${args.join(' ')} ends with ${code ?? 'a kill'}`)
      if (!program.output().includes('made by a newer release'))
        problems.push(`${args.join(' ')} says ${program.output().slice(-200)}`)
    }
    const { accepted } = await installation.standIn.summary()
    if (accepted > 0) problems.push(`${accepted} emails went out`)
    const seconds = (performance.now() - installation.startedAt) / 1000
    return [
      plainRow({ scenario: REFUSES, seconds, passed: problems.length === 0, note: problems.join('; ') }),
    ]
  } finally {
    await closeInstallation(installation)
  }
}

/** Three commands open the same old database. One migrates it, the others wait, and all continue. */
async function atOnce(context: Context): Promise<Row[]> {
  const installation = await makeInstallation(context, { subscribers: READERS })
  const scenario = 'three programs migrate at once'
  try {
    const problems: string[] = []
    await planOnly(installation)
    await goBackTo(installation, 2)
    const before = rowsIn(installation.file)
    const ends = await Promise.all([1, 2, 3].map(() => runProgram(installation, ['migrate'])))
    for (const { code, output } of ends)
      if (code !== 0) problems.push(`migrate ends with ${code}: ${output.slice(-200)}`)
    problems.push(...problemsOf(installation, 2, before))
    startWorker(installation, { waits: QUICKER })
    if (!(await awaitThrough(installation))) problems.push('the edition was not through')
    await stopPrograms(installation)
    return [await rowFor(installation, scenario, { problems })]
  } finally {
    await closeInstallation(installation)
  }
}

async function planOnly(installation: Installation): Promise<void> {
  await startWorker(installation, { failpoint: 'after-planned' }).ended
}

async function dies(installation: Installation, failpoint: Failpoint, problems: string[]): Promise<number> {
  const { signal, output } = await runProgram(installation, ['migrate'], { failpoint })
  if (signal === 'SIGKILL') return 1
  problems.push(`migrate was to die and did not: ${output.slice(-200)}`)
  return 0
}

/**
 * Turns the file into one of the release with `version` migrations: applies only those, and copies the data of the columns
 * that existed then. Removes the epoch, also from Redis, since those releases had none.
 */
async function goBackTo(installation: Installation, version: number): Promise<void> {
  const { file, ledger } = installation
  ledger.pragma('wal_checkpoint(TRUNCATE)')
  ledger.close()
  const newer = `${file}.newer`
  cpSync(file, newer)
  for (const suffix of ['', '-wal', '-shm', '.epoch']) rmSync(file + suffix, { force: true })
  const old = new Database(file)
  old.pragma('journal_mode = WAL')
  old.exec(
    'create table __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)',
  )
  const note = old.prepare('insert into __drizzle_migrations (hash, created_at) values (?, ?)')
  for (const { sql, hash, folderMillis } of RELEASED.slice(0, version)) {
    for (const statements of sql) old.exec(statements)
    note.run(hash, folderMillis)
  }
  fillFrom(old, newer)
  old.close()
  rmSync(newer)
  installation.ledger = new Database(file, { timeout: 10_000 })
  await installation.redis?.flush()
}

/** What a table of an earlier release is called now. */
const nameNow = (table: string): string => (table === 'templates' ? 'frozen_contents' : table)

function fillFrom(old: Database.Database, newer: string): void {
  old.pragma('foreign_keys = OFF')
  const triggers = old
    .prepare<[], { name: string; sql: string }>("select name, sql from sqlite_master where type = 'trigger'")
    .all()
  for (const { name } of triggers) old.exec(`drop trigger "${name}"`) // otherwise the copied data would count as news
  old.prepare('attach ? as newer').run(newer)
  for (const table of tablesIn(old)) {
    const columns = old
      .prepare<[string], string>('select name from pragma_table_info(?)')
      .pluck()
      .all(table)
      .map((name) => `"${name}"`)
      .join(', ')
    old.exec(
      `delete from main."${table}"; insert into main."${table}" (${columns}) select ${columns} from newer."${nameNow(table)}"`,
    )
  }
  old.exec("detach newer; delete from installation where name in ('epoch', 'held', 'copied')")
  for (const { sql } of triggers) old.exec(sql)
}

const tablesIn = (sqlite: Database.Database) =>
  sqlite
    .prepare<[], string>(
      "select name from main.sqlite_master where type = 'table' and name not like 'sqlite_%' and name <> '__drizzle_migrations'",
    )
    .pluck()
    .all()

type Rows = Record<string, number>

function rowsIn(file: string): Rows {
  const sqlite = new Database(file, { timeout: 10_000 })
  try {
    const count = (table: string) => Number(sqlite.prepare(`select count(*) from "${table}"`).pluck().get())
    return Object.fromEntries(
      tablesIn(sqlite)
        .filter((table) => table !== 'installation')
        .map((table) => [table, count(table)]),
    )
  } finally {
    sqlite.close()
  }
}

const versionOf = (file: string): number => {
  const sqlite = new Database(file, { timeout: 10_000 })
  try {
    return Number(sqlite.prepare('select count(*) from __drizzle_migrations').pluck().get())
  } finally {
    sqlite.close()
  }
}

/** After a death before the commit, nothing of the migration must be left. */
function expectAsBefore({ file }: Installation, version: number, before: Rows, problems: string[]): void {
  if (versionOf(file) !== version)
    problems.push(`killed half-way it is at ${versionOf(file)}, not ${version}`)
  if (JSON.stringify(rowsIn(file)) !== JSON.stringify(before)) problems.push('killed half-way, rows differ')
}

function problemsOf({ file, ledger }: Installation, version: number, before: Rows): string[] {
  const problems: string[] = []
  const now = rowsIn(file)
  for (const [table, count] of Object.entries(before))
    if (now[nameNow(table)] !== count)
      problems.push(`${table} had ${count} rows and has ${now[nameNow(table)] ?? 'none'}`)
  if (versionOf(file) !== RELEASED.length) problems.push(`it is at migration ${versionOf(file)}`)
  if (ledger.pragma('integrity_check', { simple: true }) !== 'ok')
    problems.push('integrity_check finds damage')
  if ((ledger.pragma('foreign_key_check') as unknown[]).length > 0) problems.push('foreign keys are broken')
  const copy = `${file}.migration-${version}`
  if (!existsSync(copy)) return [...problems, `there is no copy ${copy}`]
  if (versionOf(copy) !== version) problems.push(`the copy is at migration ${versionOf(copy)}`)
  if (JSON.stringify(rowsIn(copy)) !== JSON.stringify(before)) problems.push('the copy is not what was there')
  return problems
}
