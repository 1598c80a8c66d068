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
  /** What went wrong, or what is worth knowing. */
  note: string
}

/** What a scenario is given. */
export type Context = {
  seed: number
  /** How long the open-ended scenarios go on; null = their own measure. */
  minutes: number | null
  /** A fresh folder, removed after the scenario. */
  scratch: string
  /** The guard that is removed in this run (a name of `Sabotage`), or null; `removed` is the same in full. */
  sabotage: string | null
  removed: Sabotage | null
  /** Only the short part is wanted, as in `.ci/run`. */
  quick: boolean
  /** Progress, one line. */
  say: (text: string) => void
  /** Tells a row as soon as it is known; a row that is also returned is told once. */
  row: (row: Row) => void
}

export type Scenario = {
  /** Unique; `--only TEXT` picks those whose group and name contain it. */
  name: string
  group: 'failpoints' | 'kills' | 'guards' | 'doubles' | 'time' | 'disk' | 'restore' | 'migrations' | 'load'
  /** Also part of the short run in `.ci/run`. */
  quick: boolean
  run: (context: Context) => Promise<Row[]>
}

/** A change of one source text as a worker process loads it; `from` must be found exactly once. */
export type Edit = { file: string; from: string; to: string }

/**
 * One guard removed, and the scenarios that must turn red without it. Any file with scenarios may export
 * `sabotages: Sabotage[]`; `startProgram` applies the edits, `makeInstallation` runs the SQL.
 */
export type Sabotage = {
  name: string
  /** What is removed, for the table. */
  removes: string
  edits?: Edit[]
  sql?: string
  /** Names of scenarios of which at least one row must fail. */
  caughtBy: string[]
}

/** A row that passed or failed without mail in it: every count 0. */
export function plainRow(row: Pick<Row, 'scenario' | 'passed' | 'note'> & Partial<Row>): Row {
  return { kills: 0, faults: 0, recipients: 0, once: 0, twice: 0, never: 0, unknown: 0, seconds: 0, ...row }
}
