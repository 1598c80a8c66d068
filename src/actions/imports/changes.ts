import type { DatedSession } from '../../core/sessions/ics.ts'
import { isBookable } from '../../core/time/occurrences.ts'
import type { Changes, FileRow } from '../../db/imports/by-hand.ts'

/** One field of a session that a file changes. */
export type FieldChange = { field: string; before: string | null; after: string | null }

/** A session that a file changes, in the columns of a file. */
export type ChangedRow = { row: FileRow; fields: FieldChange[] }

/** Why a file should be looked at twice: more than a fifth of the known sessions change, or all starts move by the same. */
export type Odd = 'many' | 'shifted' | null

/** The sessions that a file changes, field by field. */
export const changedIn = ({ rows }: Pick<Changes, 'rows'>): ChangedRow[] =>
  rows.flatMap(({ before, after }) =>
    before === null ? [] : [{ row: after, fields: changedFields(before, after) }],
  )

/** The sessions of a file that are over, so that nobody is shown them. */
export function overIn({ rows, dated }: Pick<Changes, 'rows' | 'dated'>, now: Date): FileRow[] {
  const offered = new Set(dated.filter((one: DatedSession) => isBookable(one, now)).map(({ id }) => id))
  return rows
    .map(({ after }) => after)
    .filter(
      ({ session: { id, status, seatsLeft } }) => status === 'open' && seatsLeft !== 0 && !offered.has(id),
    )
}

const SESSION_FIELDS = {
  therapist: 'therapist',
  startsAtLocal: 'starts_at',
  timeZone: 'time_zone',
  durationMinutes: 'duration_minutes',
  repeats: 'repeats',
  occurrences: 'occurrences',
  seatsTotal: 'seats_total',
  seatsLeft: 'seats_left',
  status: 'status',
  bookingUrl: 'booking_url',
} as const
const GROUP_FIELDS = {
  title: 'group',
  kind: 'kind',
  summary: 'summary',
  url: 'group_url',
  language: 'language',
  place: 'place',
  price: 'price',
} as const

type Cells = Readonly<Record<string, string | number | null>>

function changedFields(before: FileRow, after: FileRow): FieldChange[] {
  return [
    ...between(SESSION_FIELDS, before.session, after.session),
    ...between(GROUP_FIELDS, before.group, after.group),
  ]
}

function between(names: Readonly<Record<string, string>>, one: Cells, other: Cells): FieldChange[] {
  const text = (value: string | number | null = null) => (value === null ? null : String(value))
  return Object.entries(names).flatMap(([key, field]) => {
    const [before, after] = [text(one[key]), text(other[key])]
    return before === after ? [] : [{ field, before, after }]
  })
}

const [FEWEST, FIFTH] = [10, 0.2]

/** What a file that was sorted by one column alone, or made in another zone, looks like. */
export function oddIn(changed: readonly ChangedRow[], unchanged: number): Odd {
  const moved = changed.flatMap(({ fields }) => fields.filter(({ field }) => field === 'starts_at'))
  const shifts = new Set(moved.map(({ before, after }) => Date.parse(`${after}Z`) - Date.parse(`${before}Z`)))
  if (moved.length >= 3 && moved.length > changed.length / 2 && shifts.size === 1) return 'shifted'
  const known = changed.length + unchanged
  return known >= FEWEST && changed.length > known * FIFTH ? 'many' : null
}
