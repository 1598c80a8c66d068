import { millisecondsInDay, millisecondsInMinute, millisecondsInWeek } from 'date-fns/constants'
import { lru } from '../lru.ts'
import { weighed } from '../weighed.ts'
import type { LocalDateTime } from './calendar.ts'
import { addDaysLocal, resolveLocal, toLocal, wallClockBetween } from './calendar.ts'

/**
 * When a session takes place. `startsAtLocal` is its first start, local time in `timeZone` (IANA). `occurrences` (1 or more;
 * null = no end) is the number of weeks of a weekly session; ignored for `once`.
 */
export type SessionTimes = {
  startsAtLocal: LocalDateTime
  timeZone: string
  repeats: 'weekly' | 'once'
  occurrences: number | null
  durationMinutes: number
}

/** `index` counts from 0; `local` is `at` in the session's own zone. */
export type Occurrence = { index: number; at: Date; endsAt: Date; local: LocalDateTime }

export type Availability = { status: 'open' | 'full' | 'cancelled'; seatsLeft: number | null }

/** One start as a reader sees it: `Tue`, `Dec 1`, `Tue, Dec 1`, `December 1`, `7:00 PM`, `EST`; `iso` is the instant in UTC. */
export type ReadableTime = {
  weekday: string
  date: string
  day: string
  dateInWords: string
  time: string
  zoneName: string
  iso: string
}

/**
 * The first occurrence that starts strictly after `after`, or null if the session is over. A weekly session keeps its local
 * time through clock changes (see `resolveLocal` for skipped and repeated hours).
 */
export function nextOccurrence(session: SessionTimes, after: Date): Occurrence | null {
  const elapsed = wallClockBetween(session.startsAtLocal, toLocal(after, session.timeZone))
  const count = occurrenceCount(session)
  // An estimate from local time. A clock change can make it one or two weeks too early, never too late.
  for (let index = Math.max(0, Math.floor(elapsed / millisecondsInWeek)); index < count; index++) {
    const at = startOf(session, index)
    if (at > after) return occurrence(session, index, at)
  }
  return null
}

/** The start of the last occurrence, or null if the session has no end. */
export function lastOccurrence(session: SessionTimes): Date | null {
  const count = occurrenceCount(session)
  return count === Infinity ? null : startOf(session, count - 1)
}

/** Whether the session could be booked at that instant: open, seats left (null = not counted), and a start after it. */
export function isBookable(session: SessionTimes & Availability, at: Date): boolean {
  return session.status === 'open' && session.seatsLeft !== 0 && nextOccurrence(session, at) !== null
}

/**
 * A start in the reader's zone and language (`locale` as BCP 47; plain `en` means the United States). Its dates have a year
 * if they are more than eleven months from `reference`: `Tue, Dec 1, 2027`. Throws if `zone` or `locale` is not valid.
 */
export function formatOccurrence(at: Date, zone: string, locale: string, reference: Date = at): ReadableTime {
  const { weekday, date, day, dateInWords, time } = wallClockFormatters(locale)
  const shown = new Date(`${toLocal(at, zone)}Z`)
  return {
    weekday: weekday.format(shown),
    date: date.format(shown),
    day: day.format(shown),
    dateInWords: dateInWords.format(shown),
    ...(isFar(at, reference) && datesWithYear(shown, locale)),
    // Intl puts a no-break space here; which one depends on the version of its data.
    time: time.format(shown).replace(/[\u00a0\u202f]/g, ' '),
    zoneName: zoneNameAt(at, zone, locale),
    iso: at.toISOString(),
  }
}

/** The name of the zone for winter and summer, in the year of `at`: `Eastern Time`, `hora oriental`. */
export function zoneTitle(timeZone: string, at: Date, locale: string): string {
  // The generic name of UTC would be an offset.
  return zoneNamed(timeZone === 'UTC' ? 'long' : 'longGeneric', at, timeZone, locale)
}

/** The hour of the day in `zone`, 0 to 23. */
export const hourIn = (at: Date, zone: string): number => Number(toLocal(at, zone).slice(11, 13))

/** Whether a date needs its year. Without it, readers could take a date more than eleven months away for a near one. */
export const isFar = (at: Date, reference: Date): boolean =>
  Math.abs(at.getTime() - reference.getTime()) > 335 * millisecondsInDay

// Few dates are that far away, so these formatters are not kept.
function datesWithYear(shown: Date, locale: string): Pick<ReadableTime, 'date' | 'day' | 'dateInWords'> {
  const written = (parts: Intl.DateTimeFormatOptions) =>
    inUtc(locale, { year: 'numeric', day: 'numeric', ...parts }).format(shown)
  return {
    date: written({ month: 'short' }),
    day: written({ month: 'short', weekday: 'short' }),
    dateInWords: written({ month: 'long' }),
  }
}

const occurrenceCount = ({ repeats, occurrences }: SessionTimes): number =>
  repeats === 'once' ? 1 : (occurrences ?? Infinity)

const startOf = ({ startsAtLocal, timeZone }: SessionTimes, index: number): Date =>
  resolveLocal(addDaysLocal(startsAtLocal, index * 7), timeZone).at

const occurrence = (session: SessionTimes, index: number, at: Date): Occurrence => ({
  index,
  at,
  endsAt: new Date(at.getTime() + session.durationMinutes * millisecondsInMinute),
  local: toLocal(at, session.timeZone),
})

type WallClockFormatters = Record<'weekday' | 'date' | 'day' | 'dateInWords' | 'time', Intl.DateTimeFormat>

/** Formatters are slow to make and large, so only the most recently used ones are kept. */
const [LOCALES_KEPT, ZONE_NAMES_KEPT] = [16, 30]

const inUtc = (locale: string, parts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  weighed(new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...parts }))

/** One set for every zone: they print UTC, so give them local time as if it were UTC. */
const wallClockFormatters = lru(
  LOCALES_KEPT,
  (locale: string) => locale,
  (locale): WallClockFormatters => ({
    weekday: inUtc(locale, { weekday: 'short' }),
    date: inUtc(locale, { month: 'short', day: 'numeric' }),
    day: inUtc(locale, { weekday: 'short', month: 'short', day: 'numeric' }),
    dateInWords: inUtc(locale, { month: 'long', day: 'numeric' }),
    time: inUtc(locale, { hour: 'numeric', minute: '2-digit' }),
  }),
)

const zoneNameAt = (at: Date, timeZone: string, locale: string): string =>
  zoneNamed('short', at, timeZone, locale)

type ZoneName = { style: 'short' | 'long' | 'longGeneric'; timeZone: string; locale: string }

const zoneNameFormatter = lru(
  ZONE_NAMES_KEPT,
  ({ style, timeZone, locale }: ZoneName) => `${style} ${timeZone} ${locale}`,
  ({ style, timeZone, locale }) =>
    weighed(new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: style })),
)

function zoneNamed(style: ZoneName['style'], at: Date, timeZone: string, locale: string): string {
  const parts = zoneNameFormatter({ style, timeZone, locale }).formatToParts(at)
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? timeZone
}
