import type { Row } from './scenario.ts'

const COLUMNS = [
  ['kills', 6],
  ['faults', 7],
  ['recipients', 11],
  ['once', 6],
  ['twice', 6],
  ['never', 6],
  ['unknown', 8],
] as const
const NAME_WIDTH = 46

/** The head of the table: the meaning of the columns, and their names. */
export function headLines(): string[] {
  const names = COLUMNS.map(([name, width]) => name.padStart(width)).join('')
  return [
    'once, twice, never: recipients by how often the provider accepted mail for them, against the ledger',
    '',
    `     ${'scenario'.padEnd(NAME_WIDTH)}${names}  seconds`,
  ]
}

/** One row, with its note on a second line. */
export function rowLines(row: Row): string[] {
  const counts = COLUMNS.map(([name, width]) => String(row[name]).padStart(width)).join('')
  const mark = row.passed ? 'ok  ' : 'FAIL'
  const line = `${mark} ${row.scenario.padEnd(NAME_WIDTH)}${counts}${row.seconds.toFixed(1).padStart(9)}`
  return row.note ? [line, `       ${row.note}`] : [line]
}
