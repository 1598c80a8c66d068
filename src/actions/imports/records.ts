import { setImmediate } from 'node:timers/promises'
import type { FieldError, Parsed } from '../../core/intake/fields.ts'
import { type Columns, columnErrors, unknownNames } from '../../core/intake/records.ts'
import type { Duplicate } from '../../db/imports/staging.ts'
import type { Entry, Place } from '../../files/read-records.ts'

/** A rejected field of the file. `message` continues the field's name. */
export type RowError = FieldError & { line?: number; item?: number }

export type ImportReport = { added: number; updated: number; unchanged: number; rejected: RowError[] }

/** `refused`: the file has invalid rows, and nothing was written. */
export type ImportResult = { kind: 'imported' | 'refused'; report: ImportReport }

/** How rows of one kind of file are checked and staged. `stage` returns rows that repeat an earlier one. */
export type Intake<Row> = {
  columns: Columns
  parse: (record: Readonly<Record<string, unknown>>) => Parsed<Row>
  stage: (rows: readonly Staged<Row>[]) => Promise<Duplicate[]>
}

/** A valid row. Items of a JSON file are numbered in place of lines. */
type Staged<Row> = { line: number; row: Row }

/** The result of checking a file. `broken`: the rest could not be read, so nothing of the file may be imported. */
export type Findings = {
  invalid: RowError[]
  duplicates: Duplicate[]
  broken: boolean
  /** The place of a staged row in the file. */
  placeOf: (line: number) => Place
}

/**
 * Reads all entries, checks each, and stages the valid ones in chunks. Memory grows with the errors, up to a limit, and not
 * with the length of the file.
 */
export async function stageEntries<Row>(
  entries: AsyncIterable<Entry>,
  { columns, parse, stage }: Intake<Row>,
): Promise<Findings> {
  let isJson = false
  const findings: Findings = {
    invalid: [],
    duplicates: [],
    broken: false,
    placeOf: (number) => (isJson ? { item: number } : { line: number }),
  }
  let chunk: Staged<Row>[] = []
  const flush = async () => {
    findings.duplicates.push(...(await stage(chunk)))
    chunk = []
    // A file in memory is never waited for, and others must get their turn.
    await setImmediate()
  }
  for await (const entry of entries) {
    isJson ||= 'item' in entry
    const checked = check(entry, columns, parse)
    if (checked.ok) chunk.push(...checked.rows)
    else findings.invalid.push(...checked.errors.map((error) => rowError(error, entry)))
    if (!checked.ok && checked.fatal) {
      findings.broken = true
      break
    }
    if (chunk.length >= CHUNK) await flush()
    if (findings.invalid.length + findings.duplicates.length > MOST_REJECTIONS) {
      const message = `has over ${MOST_REJECTIONS} problems up to here, so reading stopped; is it the right file?`
      findings.invalid.push(rowError({ field: 'file', message }, entry))
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
  const numberOf = ({ line, item }: RowError) => line ?? item ?? 0
  return rejected.toSorted((a, b) => numberOf(a) - numberOf(b))
}

/** Why a row that repeats an earlier one is left out: `is on line 3 already`. */
export function isAlready(earlier: Place): string {
  return 'item' in earlier ? `is in item ${earlier.item} already` : `is on line ${earlier.line} already`
}

const CHUNK = 500
const MOST_REJECTIONS = 100_000

type Checked<Row> = { ok: true; rows: Staged<Row>[] } | { ok: false; errors: FieldError[]; fatal: boolean }

function check<Row>(entry: Entry, columns: Columns, parse: Intake<Row>['parse']): Checked<Row> {
  if (entry.kind === 'unreadable') return { ok: false, errors: [entry], fatal: entry.fatal }
  if (entry.kind === 'header') {
    // With a wrong header every row is wrong, so stop here.
    const errors = columnErrors(entry.columns, columns)
    return errors.length === 0 ? { ok: true, rows: [] } : { ok: false, errors, fatal: true }
  }
  const isItem = 'item' in entry
  const unknown = isItem ? unknownNames(entry.record, columns) : []
  const parsed = parse(entry.record)
  if (parsed.ok && unknown.length === 0)
    return { ok: true, rows: [{ line: isItem ? entry.item : entry.line, row: parsed.row }] }
  return { ok: false, errors: [...unknown, ...(parsed.ok ? [] : parsed.errors)], fatal: false }
}

function rowError({ field, message }: FieldError, entry: Entry): RowError {
  if ('item' in entry) return { item: entry.item, field, message }
  return 'line' in entry ? { line: entry.line, field, message } : { field, message }
}
