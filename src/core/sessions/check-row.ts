import { type FieldError, quote } from '../intake/fields.ts'
import { plain, webAddress } from '../mail/digest-page.ts'
import { isTimeZone, parseLocal } from '../time/calendar.ts'
import type { Session } from './offers.ts'

/** A row of `sessions` with its group and topic. Other programs may have written any value; null = no group or topic. */
export type WrittenSession = { [Field in keyof Session]?: unknown } & {
  /** The column with an invalid value among those that triggers write. */
  odd?: string | null
}

/**
 * Why this row cannot be used, or null. `field` is the name of the column. Triggers refuse such rows now, so this one is older
 * than the triggers or was written without them.
 */
export function rowError(row: WrittenSession): FieldError | null {
  for (const { field, value, sound, needs } of RULES) {
    const written = value(row)
    if (!sound(written)) return { field, message: `is ${shown(written)}; it needs ${needs}` }
  }
  if (row.odd)
    return {
      field: row.odd,
      message: `is not what the triggers write; it needs ${row.odd === 'news' ? 'new, reopened or moved' : 'a whole number, 0 or more'}`,
    }
  return null
}

type Rule = {
  field: string
  value: (row: WrittenSession) => unknown
  sound: (value: unknown) => boolean
  needs: string
}

const text = (value: unknown) => typeof value === 'string' && value.trim() !== ''
const whole = (from: number, to: number) => (value: unknown) =>
  Number.isInteger(value) && Number(value) >= from && Number(value) <= to
const orNull = (sound: (value: unknown) => boolean) => (value: unknown) => value === null || sound(value)
const oneOf =
  (...names: string[]) =>
  (value: unknown) =>
    names.includes(String(value))

const RULES: readonly Rule[] = [
  { field: 'external_id', value: (row) => row.externalId, sound: text, needs: 'an id' },
  { field: 'group_id', value: (row) => row.group, sound: text, needs: 'a group that exists and has a title' },
  {
    field: 'topic_id',
    value: (row) => row.topicName,
    sound: text,
    needs: 'a topic that exists and has a name',
  },
  { field: 'kind', value: (row) => row.kind, sound: oneOf('therapy', 'skills'), needs: 'therapy or skills' },
  { field: 'therapist', value: (row) => row.therapist, sound: text, needs: 'a name' },
  {
    field: 'starts_at_local',
    value: (row) => row.startsAtLocal,
    sound: (value) => typeof value === 'string' && parseLocal(value) !== null,
    needs: 'a date and time that exist, like 2026-12-01T19:00',
  },
  {
    field: 'time_zone',
    value: (row) => row.timeZone,
    sound: (value) => typeof value === 'string' && isTimeZone(value),
    needs: 'an IANA name like America/New_York',
  },
  {
    field: 'duration_minutes',
    value: (row) => row.durationMinutes,
    sound: whole(1, 1440),
    needs: 'a whole number from 1 to 1440',
  },
  { field: 'repeats', value: (row) => row.repeats, sound: oneOf('weekly', 'once'), needs: 'weekly or once' },
  {
    field: 'occurrences',
    value: (row) => row.occurrences,
    sound: orNull(whole(1, 520)),
    needs: 'a whole number from 1 to 520, or null',
  },
  {
    field: 'seats_total',
    value: (row) => row.seatsTotal,
    sound: orNull(whole(0, 10_000)),
    needs: 'a whole number from 0 to 10000, or null',
  },
  {
    field: 'seats_left',
    value: (row) => row.seatsLeft,
    sound: orNull(whole(0, 10_000)),
    needs: 'a whole number from 0 to 10000, or null',
  },
  {
    field: 'status',
    value: (row) => row.status,
    sound: oneOf('open', 'full', 'cancelled'),
    needs: 'open, full or cancelled',
  },
  {
    field: 'booking_url',
    value: (row) => row.bookingUrl,
    sound: (value) => typeof value === 'string' && webAddress(value) !== null,
    needs: 'a link like https://practice.org/reserve',
  },
]

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'missing'
  return typeof value === 'string' || typeof value === 'number' ? quote(plain(String(value))) : 'not text'
}
