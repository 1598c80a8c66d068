import type { FieldError, Parsed } from '../../core/intake/fields.ts'
import { type Columns, columnErrors, unknownNames } from '../../core/intake/records.ts'
import type { Duplicate } from '../../db/imports/staging.ts'
import type { Entry } from '../../files/read-records.ts'

/** A field of the file that was not taken, and why; `message` goes on from the field's name. */
export type RowError = FieldError & { line: number }

export type ImportReport = { added: number; updated: number; unchanged: number; rejected: RowError[] }

/** `refused`: the file has invalid rows, and nothing was written. */
export type ImportResult = { kind: 'imported' | 'refused'; report: ImportReport }

/** How rows of one kind of file are checked and put aside. `stage` returns those that name an earlier row again. */
export type Intake<Row> = {
  columns: Columns
  parse: (record: Readonly<Record<string, unknown>>) => Parsed<Row>
  stage: (rows: readonly { line: number; row: Row }[]) => Promise<Duplicate[]>
}

/** What checking a file found. `broken`: what follows could not be read, so not even the rest may be imported. */
export type Findings = {
  invalid: RowError[]
  duplicates: Duplicate[]
  broken: boolean
}

/**
 * Reads all entries, checks each and stages what is valid, a chunk at a time: memory grows with what is wrong in the
 * file, up to a limit, and not with its length.
 */
export async function stageEntries<Row>(
  entries: AsyncIterable<Entry>,
  { columns, parse, stage }: Intake<Row>,
): Promise<Findings> {
  const findings: Findings = { invalid: [], duplicates: [], broken: false }
  let chunk: { line: number; row: Row }[] = []
  const flush = async () => {
    findings.duplicates.push(...(await stage(chunk)))
    chunk = []
  }
  for await (const entry of entries) {
    const checked = check(entry, columns, parse)
    if (checked.ok) chunk.push(...checked.rows)
    else findings.invalid.push(...checked.errors.map((error) => rowError(entry, error)))
    if (!checked.ok && checked.fatal) {
      findings.broken = true
      break
    }
    if (chunk.length >= CHUNK) await flush()
    if (findings.invalid.length + findings.duplicates.length > MOST_REJECTIONS) {
      const message = `has over ${MOST_REJECTIONS} problems up to here, so reading stopped; is it the right file?`
      findings.invalid.push({ line: entry.line, field: 'file', message })
      findings.broken = true
      break
    }
  }
  await flush()
  return findings
}

/** The report of a file that is not imported at all. */
export function refused(rejected: readonly RowError[]): ImportResult {
  return { kind: 'refused', report: { added: 0, updated: 0, unchanged: 0, rejected: byLine(rejected) } }
}

/** Rejections in the order of the file. */
export function byLine(rejected: readonly RowError[]): RowError[] {
  return rejected.toSorted((a, b) => a.line - b.line)
}

const CHUNK = 500
const MOST_REJECTIONS = 100_000

type Checked<Row> =
  | { ok: true; rows: { line: number; row: Row }[] }
  | { ok: false; errors: FieldError[]; fatal: boolean }

function check<Row>(entry: Entry, columns: Columns, parse: Intake<Row>['parse']): Checked<Row> {
  if (entry.kind === 'unreadable') return { ok: false, errors: [entry], fatal: entry.fatal }
  if (entry.kind === 'header') {
    // With a wrong header every row is wrong, so there is no use in going on.
    const errors = columnErrors(entry.columns, columns)
    return errors.length === 0 ? { ok: true, rows: [] } : { ok: false, errors, fatal: true }
  }
  const unknown = entry.item === null ? [] : unknownNames(entry.record, columns)
  const parsed = parse(entry.record)
  if (parsed.ok && unknown.length === 0) return { ok: true, rows: [{ line: entry.line, row: parsed.row }] }
  return { ok: false, errors: [...unknown, ...(parsed.ok ? [] : parsed.errors)], fatal: false }
}

function rowError(entry: Entry, { field, message }: FieldError): RowError {
  const inItem = entry.kind === 'record' && entry.item !== null ? `(item ${entry.item}) ` : ''
  return { line: entry.line, field, message: `${inItem}${message}` }
}
