import type { Guard } from '../../src/failpoint.ts'
import type { PostgresServer } from '../postgres/server.ts'

/** One line of the table. `twice` = addresses accepted more often than their ledger rows allow. */
export type Row = {
  scenario: string
  kills: number
  faults: number
  recipients: number
  once: number
  twice: number
  never: number
  unknown: number
  seconds: number
  passed: boolean
  /** What went wrong, or other useful facts. */
  note: string
}

/** The input of a scenario. */
export type Context = {
  seed: number
  /** How long open-ended scenarios run; null = their default. */
  minutes: number | null
  /** A fresh folder, removed after the scenario. */
  scratch: string
  /** The guard that is switched off in this run, or null. */
  removed: Sabotage | null
  /** Run only the short part, as `.ci/run` does. */
  quick: boolean
  /** Reports one line of progress. */
  say: (text: string) => void
  /** The Postgres that installations of this run are on; null = SQLite. */
  postgres: PostgresServer | null
  /** Prints a row as soon as it is known. A row that is also returned is printed only once. */
  row: (row: Row) => void
}

export type Scenario = {
  /** Unique. `--only TEXT` selects scenarios whose group and name contain TEXT. */
  name: string
  group:
    | 'failpoints'
    | 'kills'
    | 'guards'
    | 'doubles'
    | 'waiting'
    | 'time'
    | 'disk'
    | 'restore'
    | 'migrations'
    | 'load'
    | 'postgres'
  /** Also part of the short run in `.ci/run`. */
  quick: boolean
  /** Also runs on Postgres (`--postgres`); the others work on the file of SQLite. `only`: on Postgres alone. */
  onPostgres?: boolean | 'only'
  run: (context: Context) => Promise<Row[]>
}

/** One guard switched off, and the scenarios that must turn red without it. */
export type Sabotage = {
  guard: Guard
  /** What is removed, for the table. */
  removes: string
  /** Removes a second guard from the database, if the first one is backed by it. */
  sql?: string
  /** Names of scenarios of which at least one row must fail. */
  caughtBy: string[]
}

/** A row without any emails: every count is 0. */
export function plainRow(row: Pick<Row, 'scenario' | 'passed' | 'note'> & Partial<Row>): Row {
  return { kills: 0, faults: 0, recipients: 0, once: 0, twice: 0, never: 0, unknown: 0, seconds: 0, ...row }
}
