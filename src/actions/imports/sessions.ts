import type { Installation } from '../../app.ts'
import { quote } from '../../core/intake/fields.ts'
import { parseSessionRow, SESSION_COLUMNS } from '../../core/intake/records.ts'
import { audit } from '../../db/audit.ts'
import { rehearseImport } from '../../db/imports/by-hand.ts'
import {
  type Applied,
  applySessions,
  type GroupConflict,
  type SeatConflict,
  stageSessions,
  stagingForSessions,
} from '../../db/imports/sessions.ts'
import { closeStaging, type Staging } from '../../db/imports/staging.ts'
import { allTopics } from '../../db/sessions/sessions.ts'
import { type Entry, type Place, readRecords } from '../../files/read-records.ts'
import { settleSeats } from '../sessions/seats.ts'
import { changedIn, type FieldChange, type Odd, oddIn, overIn } from './changes.ts'
import {
  byLine,
  type ImportReport,
  type ImportResult,
  isAlready,
  type RowError,
  refused,
  stageEntries,
} from './records.ts'

type ImportOptions = { skipInvalid: boolean; farAhead?: boolean }

/**
 * Adds and updates sessions from a CSV or JSON file, by `external_id`. Sessions and columns that the file does not have stay
 * as they are. All or nothing, unless `skipInvalid` leaves invalid rows out; a file that cannot be read to its end is always
 * refused. A start more than two years ahead is invalid without `farAhead`.
 */
export async function importSessions(
  { store, now }: Pick<Installation, 'store' | 'now'>,
  file: AsyncIterable<Uint8Array | string>,
  options: ImportOptions,
): Promise<ImportResult> {
  const result = await importEntries({ store, now }, readRecords(file), options, onRecord(now()))
  if (result.kind === 'refused') return refused(result.rejected)
  const { added, updated, unchanged } = result.applied
  return { kind: 'imported', report: { added, updated, unchanged, rejected: result.rejected } }
}

/** A preview of a file in words, for a terminal: what each session would become, and what to look at twice. */
export type FilePreview = ImportReport & {
  preview: true
  kept: number
  changes: { externalId: string; group: string; fields: FieldChange[] }[]
  /** The external ids of sessions that are over. */
  past: string[]
  odd: Odd
}

/** What importing the file would come to, field by field. Writes nothing. */
export async function previewSessionsFile(
  { store, now }: Pick<Installation, 'store' | 'now'>,
  file: AsyncIterable<Uint8Array | string>,
  options: ImportOptions,
): Promise<{ kind: 'previewed'; report: FilePreview } | { kind: 'refused'; report: ImportReport }> {
  const result = await importEntries({ store, now }, readRecords(file), options, rehearseImport)
  if (result.kind === 'refused') return { kind: 'refused', report: refused(result.rejected).report }
  const { added, updated, unchanged, kept } = result.applied
  const changed = changedIn(result.applied)
  return {
    kind: 'previewed',
    report: {
      ...{ added, updated, unchanged, rejected: result.rejected, preview: true, kept },
      changes: changed.map(({ row: { session, group }, fields }) => ({
        ...{ externalId: session.externalId, group: group.title, fields },
      })),
      past: overIn(result.applied, now()).map(({ session }) => session.externalId),
      odd: oddIn(changed, unchanged),
    },
  }
}

/** `applySessions`, on record. */
const onRecord =
  (at: Date) =>
  (staging: Staging, { skipInvalid }: { skipInvalid: boolean }) =>
    applySessions(staging, {
      skipInvalid,
      last: async (tx, { added, updated, unchanged }) => {
        const detail = `${added} added, ${updated} changed, ${unchanged} as before`
        if (added + updated > 0)
          await audit(tx, at, { action: 'sessions imported', subject: 'a file', detail })
      },
    })

/** `refused`: the rows that are wrong; nothing was written. */
type Entered<Result> =
  | { kind: 'refused'; rejected: RowError[] }
  | { kind: 'entered'; applied: Result; rejected: RowError[] }

/** Checks the entries of a file and stages them for `apply`, all or nothing unless `skipInvalid` leaves rows out. */
export async function importEntries<Result extends Applied>(
  { store, now }: Pick<Installation, 'store' | 'now'>,
  entries: AsyncIterable<Entry>,
  { skipInvalid, farAhead = false }: ImportOptions,
  apply: (staging: Staging, options: { skipInvalid: boolean }) => Promise<Result>,
): Promise<Entered<Result>> {
  const slugs = new Set((await allTopics(store)).map((topic) => topic.slug))
  const today = now().toISOString().slice(0, 10)
  await settleSeats({ store, now })
  const staging = await stagingForSessions(store)
  try {
    const { invalid, duplicates, broken, placeOf } = await stageEntries(entries, {
      columns: SESSION_COLUMNS,
      parse: (record) => parseSessionRow(record, slugs, { today, farAhead }),
      stage: (rows) => stageSessions(staging, rows),
    })
    const again = duplicates.map(({ line, firstLine }) => ({
      ...{ ...placeOf(line), field: 'external_id' },
      message: `${isAlready(placeOf(firstLine))}; keep one of the two rows`,
    }))
    const rejected = byLine([...invalid, ...again])
    if (broken || (rejected.length > 0 && !skipInvalid)) return { kind: 'refused', rejected }
    const applied = await apply(staging, { skipInvalid })
    const { conflicts, contradictions } = applied
    const all = byLine([
      ...rejected,
      ...conflicts.map((one) => ({ ...placeOf(one.line), ...overSeats(one) })),
      ...contradictions.map((one) => ({ ...placeOf(one.line), ...contradicts(one, placeOf(one.firstLine)) })),
    ])
    if (conflicts.length + contradictions.length > 0 && !skipInvalid)
      return { kind: 'refused', rejected: all }
    return { kind: 'entered', applied, rejected: all }
  } finally {
    await closeStaging(staging)
  }
}

function overSeats({ seatsLeft, seatsTotal, absent }: SeatConflict): RowError {
  return absent.includes(',seats_total,')
    ? {
        field: 'seats_left',
        message: `is ${seatsLeft}, over the ${seatsTotal} seats on record; add seats_total`,
      }
    : {
        field: 'seats_total',
        message: `is ${seatsTotal}, under the ${seatsLeft} seats left on record; add seats_left`,
      }
}

function contradicts({ column, group }: GroupConflict, first: Place): RowError {
  const earlier = 'item' in first ? `item ${first.item}` : `line ${first.line}`
  return {
    field: column,
    message: `is not what ${earlier} says of the group ${quote(group)}; write the same in both, or leave one empty`,
  }
}
