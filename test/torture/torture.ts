import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { say, wholeNumber } from '../command-line.ts'
import { type PostgresServer, startPostgres } from '../postgres/server.ts'
import * as disk from './disk.ts'
import * as doubles from './doubles.ts'
import * as failpoints from './failpoints.ts'
import * as guards from './guards.ts'
import * as kills from './kills.ts'
import * as load from './load.ts'
import * as migrations from './migrations.ts'
import * as postgres from './postgres.ts'
import * as restore from './restore.ts'
import { sabotages } from './sabotage.ts'
import { type Context, plainRow, type Row, type Sabotage, type Scenario } from './scenario.ts'
import { headLines, rowLines } from './table.ts'
import * as time from './time.ts'
import * as waiting from './waiting.ts'

const PARTS = [failpoints, kills, guards, doubles, waiting, time, disk, restore, migrations, load, postgres]
const ALL: Scenario[] = PARTS.flatMap(({ scenarios }) => scenarios)

const HELP = `Tries to break the program's promises, with real processes, a real Redis, and real kills.

npm run torture [-- OPTIONS]
  --seed N          first seed of the random scenarios (default 1)
  --minutes M       how long open-ended scenarios run (default: depends on the scenario)
  --only TEXT       only scenarios whose group or name contains TEXT
  --quick           only the short part, as in .ci/run
  --sabotage NAME   switch one guard off and run the scenarios that should notice; "all" does each in turn
  --json FILE       write the rows to FILE
  --postgres        on Postgres, the scenarios that do not work on SQLite's file
  --list            list the scenarios and guards`

type Options = {
  seed: number
  minutes: number | null
  only: string
  quick: boolean
  postgres: PostgresServer | null
  json: string | null
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string' },
      only: { type: 'string', default: '' },
      quick: { type: 'boolean', default: false },
      sabotage: { type: 'string' },
      json: { type: 'string' },
      postgres: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return say(HELP, 0)
  if (values.list) return say(listing(), 0)
  const options: Options = {
    seed: wholeNumber('--seed', values.seed),
    minutes: values.minutes === undefined ? null : wholeNumber('--minutes', values.minutes),
    only: values.only,
    quick: values.quick,
    postgres: values.postgres ? await startPostgres({ safe: true, port: true }) : null,
    json: values.json ?? null,
  }
  const rows = await (values.sabotage ? sabotaged(values.sabotage, options) : honest(options))
  await options.postgres?.close()
  if (options.json) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`)
  const failed = rows.filter(({ passed }) => !passed).length
  return say(`${rows.length - failed} passed, ${failed} failed`, failed > 0 || rows.length === 0 ? 1 : 0)
}

/** Runs the unchanged program: every row must pass. */
async function honest({ seed, minutes, only, quick, postgres }: Options): Promise<Row[]> {
  const chosen = ALL.filter(
    ({ group, name, quick: short, onPostgres = false }) =>
      (!quick || short) &&
      `${group} ${name}`.includes(only) &&
      (postgres ? onPostgres !== false : onPostgres !== 'only'),
  )
  for (const line of headLines()) console.log(line)
  const rows: Row[] = []
  for (const scenario of chosen)
    rows.push(...(await runOne(scenario, { seed, minutes, quick, postgres, removed: null }, report)))
  return rows
}

/** Runs without one guard. The scenarios that should notice must fail; a row passes if they do. */
async function sabotaged(name: string, { seed, minutes, only, quick, postgres }: Options): Promise<Row[]> {
  const chosen = sabotages.filter(({ guard }) => name === 'all' || guard === name)
  if (chosen.length === 0)
    throw new Error(`no guard "${name}"; there are ${sabotages.map(({ guard }) => guard).join(', ')}`)
  const rows: Row[] = []
  for (const line of headLines()) console.log(line)
  for (const removed of chosen) {
    for (const caughtBy of removed.caughtBy) {
      const scenario = ALL.find((one) => one.name === caughtBy)
      if (!scenario) throw new Error(`${removed.guard} names the unknown scenario "${caughtBy}"`)
      if (!`${scenario.group} ${scenario.name} ${removed.guard}`.includes(only)) continue
      const found = await runOne(scenario, { seed, minutes, quick, postgres, removed }, () => {})
      rows.push(verdictOf(removed, scenario, found))
      report(rows.at(-1) as Row)
    }
  }
  return rows
}

function verdictOf({ guard }: Sabotage, { name }: Scenario, found: readonly Row[]): Row {
  const red = found.find(({ passed }) => !passed)
  const shown = red ?? found[0] ?? plainRow({ scenario: name, passed: false, note: '' })
  const note = red ? `red, as it must be: ${red.note}` : 'STAYED GREEN: nothing noticed'
  return { ...shown, scenario: `${guard} → ${name}`, passed: red !== undefined, note }
}

type Round = Pick<Context, 'seed' | 'minutes' | 'quick' | 'postgres' | 'removed'>

/** Runs one scenario in a folder of its own. If it throws, its row fails. */
async function runOne(scenario: Scenario, round: Round, done: (row: Row) => void): Promise<Row[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'openseat-torture-'))
  const say = (text: string) => {
    if (process.stderr.isTTY) process.stderr.write(`  … ${text}\n`)
  }
  const started = performance.now()
  const rows: Row[] = []
  // A scenario with many rows reports each as soon as it is known.
  const row = (one: Row) => {
    rows.push(one)
    done(one)
  }
  try {
    const rest = await scenario.run({ ...round, scratch, say, row })
    for (const one of rest) if (!rows.includes(one)) row(one)
  } catch (error) {
    const note = error instanceof Error ? error.message : String(error)
    const seconds = (performance.now() - started) / 1000
    row(plainRow({ scenario: scenario.name, passed: false, seconds, note }))
  } finally {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 10 })
  }
  return rows
}

const report = (row: Row): void => {
  for (const line of rowLines(row)) console.log(line)
}

function listing(): string {
  const scenarios = ALL.map(
    ({ group, name, quick }) => `  ${group.padEnd(11)} ${name}${quick ? ' (quick)' : ''}`,
  )
  const guards = sabotages.map(({ guard, removes }) => `  ${guard.padEnd(22)} ${removes}`)
  return ['Scenarios', ...scenarios, 'Guards', ...guards].join('\n')
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  console.log('0 passed, 1 failed')
  return 1
})
// Exit even if a scenario left a timer or socket open.
setTimeout(() => process.exit(), 5_000).unref()
