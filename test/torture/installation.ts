import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { newPublicId } from '../../src/core/tokens.ts'
import type { Guard, Wait } from '../../src/failpoint.ts'
import { aDatabaseOn } from '../postgres/server.ts'
import { closeSync, syncDb } from '../postgres/sync.ts'
import { type Expectation, judge, type LedgerView, ledgerOf, type Verdict } from './judge.ts'
import {
  type Program,
  type ScratchRedis,
  type StandIn,
  startNode,
  startScratchRedis,
  startStandIn,
  until,
} from './programs.ts'
import type { Context, Row, Sabotage } from './scenario.ts'
import { DAY_MS, seed } from './seed.ts'

const CLI = join(import.meta.dirname, '../../src/cli.ts')

export const LINK_SECRET = 'a link secret for the torture that is long enough'
export const WEBHOOK_SECRET = `whsec_${Buffer.from('a webhook secret for torture').toString('base64')}`

/** Everything that one scenario works with: a database, a provider, and a Redis of its own. */
export type Installation = {
  context: Context
  folder: string
  /** The database file. */
  file: string
  /** The environment of each program. */
  settings: Record<string, string>
  standIn: StandIn
  /** Null: REDIS_URL is not set, so the programs share a private Redis. */
  redis: ScratchRedis | null
  /** The edition that is due as soon as a worker starts. */
  editionId: string
  subscribers: number
  /** All programs that were started. */
  programs: Program[]
  /** A read-only connection that stays open. */
  ledger: Database.Database
  startedAt: number
}

export type InstallationOptions = {
  /** Number of active readers; the edition has news for all of them. */
  subscribers: number
  /** `false`: the private Redis of the program. */
  redis?: boolean
  settings?: Record<string, string>
  /** Flags of the stand-in. */
  standIn?: readonly string[]
}

/**
 * Creates an installation in the scratch folder of the scenario: a migrated database with sessions and readers, whose
 * edition is due when a worker first starts; the stand-in; and a Redis without persistence. Always close it.
 */
export async function makeInstallation(
  context: Context,
  { subscribers, redis = true, settings: given = {}, standIn: flags = [] }: InstallationOptions,
): Promise<Installation> {
  const folder = join(context.scratch, newPublicId())
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'openseat.db')
  const standIn = await startStandIn(folder, flags)
  const scratchRedis = redis ? await startScratchRedis(join(folder, 'redis')) : null
  const url = context.postgres ? await aDatabaseOn(context.postgres) : null
  const database = url ? { DATABASE_URL: url } : {}
  const more = { ...database, ...given }
  const settings = settingsFor({ file, standIn, redis: scratchRedis, more, cache: context.scratch })
  const editionId = await seed(settings, subscribers, context.removed?.sql ?? null)
  return {
    context,
    folder,
    file,
    settings,
    standIn,
    redis: scratchRedis,
    editionId,
    subscribers,
    programs: [],
    ledger: url
      ? (syncDb(url).$client as unknown as Database.Database)
      : new Database(file, { timeout: 10_000 }),
    startedAt: performance.now(),
  }
}

/** Stops everything that was started for it. */
export async function closeInstallation(installation: Installation): Promise<void> {
  await Promise.all(installation.programs.map((program) => program.kill()))
  await installation.standIn.program.kill()
  await installation.redis?.close()
  const { DATABASE_URL: url } = installation.settings
  if (url) closeSync(url)
  else installation.ledger.close()
}

/** Shortens the program's waits from minutes to seconds, and changes nothing else. Leases still outlast requests. */
export const QUICKER: Waits = {
  request: 2_000,
  lease: 6_000,
  retry: 1_500,
  sweep: 2_000,
  'look-after': 1_000,
}

export type Waits = { readonly [wait in Wait]?: number }

type Start = {
  /** `name` or `name:nth`. */
  failpoint?: string
  env?: Record<string, string>
  waits?: Waits
  /** A guard to do without, beside the one that this run removes. */
  off?: Guard
}

/** The setting that switches these guards off; none if there are none. */
export function guardsOff(removed: Sabotage | null, ...more: Guard[]): Record<string, string> {
  const names = removed ? [removed.guard, ...more] : more
  return names.length > 0 ? { GUARD_OFF: names.join() } : {}
}

/** Starts `openseat ARGS` as a process of this installation, without the guard that this run removes. */
export function startProgram(
  installation: Installation,
  args: readonly string[],
  { failpoint, env = {}, waits = {}, off }: Start = {},
): Program {
  const shorter = Object.entries(waits).map(([wait, ms]) => `${wait}:${ms}`)
  const program = startNode([CLI, ...args], {
    cwd: installation.folder,
    env: {
      ...installation.settings,
      ...env,
      ...(failpoint && { FAILPOINT: failpoint }),
      ...(shorter.length > 0 && { WAITS: shorter.join() }),
      ...guardsOff(installation.context.removed, ...(off ? [off] : [])),
    },
  })
  installation.programs.push(program)
  return program
}

/** Starts a worker (`openseat worker`). */
export function startWorker(installation: Installation, start: Start = {}): Program {
  return startProgram(installation, ['worker'], start)
}

/** Runs a command to its end. */
export async function runProgram(installation: Installation, args: readonly string[], start: Start = {}) {
  const program = startProgram(installation, args, start)
  return { ...(await program.ended), output: program.output(), stdout: program.stdout() }
}

/**
 * Changes data behind the program's back, as booking systems and readers do: other therapists, seats, and names. Frozen
 * content must not change with it. `sql` replaces these changes.
 */
export function stir({ file, settings }: Pick<Installation, 'file' | 'settings'>, sql = STIRRED): void {
  if (settings.DATABASE_URL) return syncDb(settings.DATABASE_URL).$client.exec(sql)
  const db = new Database(file, { timeout: 10_000 })
  try {
    db.exec(sql)
  } finally {
    db.close()
  }
}

/** Adds someone who may approve editions, so that they wait for a person. */
export function addOperator(installation: Installation): void {
  stir(
    installation,
    "insert into operators (email, role, created_at, password_hash) values ('operator@sample.test', 'operator', 1, 'chosen')",
  )
}

const STIRRED = `update sessions set therapist = therapist || 'x', seats_left = 1 + length(therapist) % 9;
  update subscribers set name = name || 'x'`

/** The current ledger. */
export function ledgerNow({ ledger }: Installation): LedgerView {
  return ledgerOf(ledger)
}

/** Whether every edition has ended and no delivery waits; false if there is no edition yet. */
export function isThrough({ ledger }: Installation): boolean {
  const count = (sql: string) => Number(ledger.prepare(sql).pluck().get())
  return (
    count('select count(*) from editions') > 0 &&
    count("select count(*) from editions where state not in ('submitted','cancelled')") === 0 &&
    count("select count(*) from deliveries where state = 'waiting'") === 0
  )
}

/** Waits until every edition is finished (true) or time is up (false). Never throws. */
export async function awaitThrough(installation: Installation, withinMs?: number): Promise<boolean> {
  // Without a guard, the edition may never finish, so do not wait long.
  const patienceMs = withinMs ?? (installation.context.removed ? 45_000 : 120_000)
  return until(() => isThrough(installation), 'every edition is finished', patienceMs).then(
    () => true,
    () => false,
  )
}

/**
 * Stops the running workers with SIGTERM, so that their current work is finished before the judge looks. A worker that
 * does not stop in time is killed.
 */
export async function stopPrograms({ programs }: Installation): Promise<void> {
  const running = programs.filter((program) => !program.hasEnded())
  const impatience = setTimeout(() => running.forEach((program) => void program.kill()), STOP_WITHIN_MS)
  await Promise.all(running.map((program) => program.kill('SIGTERM')))
  clearTimeout(impatience)
}

/** Longer than the 30 s within which the program stops itself. */
const STOP_WITHIN_MS = 45_000

/** The outcome, judged only by the provider's counts and the ledger. */
export async function verdictOn(installation: Installation, expected?: Expectation): Promise<Verdict> {
  const { standIn, subscribers } = installation
  return judge(await standIn.counts(), ledgerNow(installation), expected ?? { recipients: subscribers })
}

/**
 * Judges the installation and makes the row. It fails on any of `problems`, and if any output contains an address.
 */
export async function rowFor(
  installation: Installation,
  scenario: string,
  options: { kills?: number; expected?: Expectation; problems?: readonly string[]; note?: string } = {},
): Promise<Row> {
  const { problems: found, ...counts } = await verdictOn(installation, options.expected)
  const problems = [...(options.problems ?? []), ...found, ...leaks(installation)]
  const { struck } = await installation.standIn.summary()
  return {
    scenario,
    kills: options.kills ?? 0,
    faults: struck,
    ...counts,
    seconds: (performance.now() - installation.startedAt) / 1000,
    passed: problems.length === 0,
    note: problems.length === 0 ? (options.note ?? '') : problems.join('; '),
  }
}

function leaks({ programs }: Installation): string[] {
  const telling = programs.filter((program) => /@sample\.test/.test(program.output())).length
  return telling === 0 ? [] : [`the output of ${telling} processes holds an address`]
}

type Parts = {
  file: string
  standIn: StandIn
  redis: ScratchRedis | null
  more: Record<string, string>
  cache: string
}

function settingsFor({ file, standIn, redis, more, cache }: Parts): Record<string, string> {
  // Due two days ago, whatever today is, and far from the next slot, so that no run crosses one.
  const day = new Date(Date.now() - 2 * DAY_MS).toLocaleDateString('en', { weekday: 'long', timeZone: 'UTC' })
  return {
    DATABASE_PATH: file,
    RESEND_API_KEY: 're_stand_in',
    RESEND_BASE_URL: standIn.url,
    RESEND_WEBHOOK_SECRET: WEBHOOK_SECRET,
    FIRST_WAVE: 'off',
    RESEND_REQUESTS_PER_SECOND: '200',
    MAIL_FROM: 'Harbor Groups <groups@mail.harbor.test>',
    MAIL_REPLY_TO: 'hello@harbor.test',
    POSTAL_ADDRESS: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
    PUBLIC_URL: 'https://groups.harbor.test',
    LINK_SECRET,
    DIGEST_DAY: day.toLowerCase(),
    DIGEST_TIME: '09:00',
    DIGEST_TIME_ZONE: 'UTC',
    DIGEST_CATCH_UP_HOURS: '167',
    PORT: '0',
    OPERATOR_PORT: 'off',
    LOG_LEVEL: 'info',
    NODE_COMPILE_CACHE: join(cache, 'compile-cache'),
    ...(redis && { REDIS_URL: redis.url }),
    ...more,
  }
}
