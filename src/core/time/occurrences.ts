import { millisecondsInDay, millisecondsInMinute, millisecondsInWeek } from 'date-fns/constants'
import { lru } from '../lru.ts'
import { weighed } from '../weighed.ts'
import type { LocalDateTime } from './calendar.ts'
import { addDaysLocal, resolveLocal, toLocal, wallClockBetween } from './calendar.ts'

/**
 * When a session takes place. `startsAtLocal` is its first start as clocks in `timeZone` (IANA) show it;
 * `occurrences` (1 or more; null = no end) counts the weeks of a weekly session and says nothing for `once`.
 */
export type SessionTimes = {
  startsAtLocal: LocalDateTime
  timeZone: string
  repeats: 'weekly' | 'once'
  occurrences: number | null
  durationMinutes: number
}

/** `index` counts from 0; `local` is what clocks in the session's own zone show at `at`. */
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
 * The first occurrence that starts strictly after `after`, or null when the session is over.
 * A weekly session keeps its wall-clock time through clock changes (see `resolveLocal` for the odd hours).
 */
export function nextOccurrence(session: SessionTimes, after: Date): Occurrence | null {
  const elapsed = wallClockBetween(session.startsAtLocal, toLocal(after, session.timeZone))
  const count = occurrenceCount(session)
  // A guess from the wall clock; a clock change can put it one or two weeks short, never too far.
  for (let index = Math.max(0, Math.floor(elapsed / millisecondsInWeek)); index < count; index++) {
    const at = startOf(session, index)
    if (at > after) return occurrence(session, index, at)
  }
  return null
}

/** The start of the final occurrence, or null when the session has no end. */
export function lastOccurrence(session: SessionTimes): Date | null {
  const count = occurrenceCount(session)
  return count === Infinity ? null : startOf(session, count - 1)
}

/** Whether someone could reserve a place at that instant: open, a seat left (null = not counted), and a start ahead. */
export function isBookable(session: SessionTimes & Availability, at: Date): boolean {
  return session.status === 'open' && session.seatsLeft !== 0 && nextOccurrence(session, at) !== null
}

/**
 * A start in the reader's zone and language (`locale` as BCP 47; plain `en` reads as in the United States). More than
 * eleven months from `reference`, its dates carry the year: `Tue, Dec 1, 2027`. Throws when `zone` or `locale` is not valid.
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
    // Intl puts no-break spaces here, and which one changes between versions of its data.
    time: time.format(shown).replace(/[\u00a0\u202f]/g, ' '),
    zoneName: zoneNameAt(at, zone, locale),
    iso: at.toISOString(),
  }
}

/** What the zone is called in winter and summer alike, in the year of `at`: `Eastern Time`, `hora oriental`. */
export function zoneTitle(timeZone: string, at: Date, locale: string): string {
  // UTC has no name of that kind but an offset.
  return zoneNamed(timeZone === 'UTC' ? 'long' : 'longGeneric', at, timeZone, locale)
}

/** The hour of the day, 0 to 23, that clocks in `zone` show. */
export const hourIn = (at: Date, zone: string): number => Number(toLocal(at, zone).slice(11, 13))

/** Whether a date needs its year: it is more than eleven months from `reference`, so day and month may be misread. */
export const isFar = (at: Date, reference: Date): boolean =>
  Math.abs(at.getTime() - reference.getTime()) > 335 * millisecondsInDay

// Few dates are that far, so these formatters are not kept.
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

/** Formatters are slow to build and large, so a few are kept: those of the languages and zones asked for of late. */
const [LOCALES_KEPT, ZONE_NAMES_KEPT] = [16, 30]

const inUtc = (locale: string, parts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  weighed(new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...parts }))

/** They print UTC, so that one set serves every zone: give them the wall clock as if it were UTC. */
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
