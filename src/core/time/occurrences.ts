import { millisecondsInDay, millisecondsInMinute, millisecondsInWeek } from 'date-fns/constants'
import type { LocalDateTime } from './calendar.ts'
import { addDaysLocal, resolveLocal, toLocal, wallClockBetween } from './calendar.ts'
import {
  datesOf,
  inUtc,
  isSpanish,
  LONG_DAY,
  wallClockFormatters,
  withoutComma,
  zoneNamed,
} from './formatters.ts'

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

/**
 * One start as a reader sees it: `Tue`, `Dec 1`, `Tue, Dec 1`, `December 1`, `7:00 PM`, `EST`; in Spanish `mar`, `1 dic`,
 * `mar 1 de dic`, `1 de diciembre`, `7:00 p. m.`. `iso` is the instant in UTC.
 */
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
  const shown = shownIn(zone, at)
  return {
    weekday: weekday.format(shown),
    date: date.format(shown),
    day: withoutComma(day.format(shown), locale),
    dateInWords: dateInWords.format(shown),
    ...(isFar(at, reference) && datesWithYear(shown, locale)),
    time: withSpaces(time.format(shown), locale),
    zoneName: zoneNamed('short', at, zone, locale),
    iso: at.toISOString(),
  }
}

/** A day within a sentence: `Wednesday, December 2`, `miércoles 2 de diciembre`; with its year if that `isFar`. */
export function longDay(at: Date, zone: string, locale: string, reference: Date = at): string {
  const shown = shownIn(zone, at)
  const written = isFar(at, reference)
    ? inUtc(datesOf(locale), { ...LONG_DAY, year: 'numeric' })
    : wallClockFormatters(locale).longDay
  return withoutComma(written.format(shown), locale)
}

/** A day as a heading: `longDay` with a capital letter. */
export function dayHeading(at: Date, zone: string, locale: string, reference: Date = at): string {
  const day = longDay(at, zone, locale, reference)
  return day.charAt(0).toLocaleUpperCase(locale) + day.slice(1)
}

/** A time of day: `7:00 PM`, `7:00 p. m.`, `19:00`. Only English may break its line. */
export function timeOfDay(at: Date, zone: string, locale: string): string {
  return withSpaces(wallClockFormatters(locale).time.format(shownIn(zone, at)), locale)
}

/** A time without `:00`, where clocks have twelve hours: `11 AM`, `9:30 PM`, `11 a. m.`; others are as in `timeOfDay`. */
export function shortTime(at: Date, zone: string, locale: string): string {
  const { time, hour } = wallClockFormatters(locale)
  const shown = shownIn(zone, at)
  const isShort = shown.getUTCMinutes() === 0 && time.resolvedOptions().hour12 === true
  return withSpaces((isShort ? hour : time).format(shown), locale)
}

/**
 * An end of a range in words: `Friday 11 AM`, `viernes 11 a. m.`; its date instead of its weekday where that is a week or
 * more after `reference`: `Dec 10, 9:30 PM`, `10 dic, 9:30 p. m.`.
 */
export function dayAndTime(at: Date, zone: string, locale: string, reference: Date): string {
  const shown = shownIn(zone, at)
  const today = shownIn(zone, reference).setUTCHours(0, 0, 0, 0)
  const time = shortTime(at, zone, locale)
  const { longWeekday, date } = wallClockFormatters(locale)
  const isNear = shown.getTime() >= today && shown.getTime() < today + millisecondsInWeek
  return isNear ? `${longWeekday.format(shown)} ${time}` : `${date.format(shown)}, ${time}`
}

/** The hour of the day in `zone`, 0 to 23. */
export const hourIn = (at: Date, zone: string): number => Number(toLocal(at, zone).slice(11, 13))

/** Whether a date needs its year. Without it, readers could take a date more than eleven months away for a near one. */
export const isFar = (at: Date, reference: Date): boolean =>
  Math.abs(at.getTime() - reference.getTime()) > 335 * millisecondsInDay

// Few dates are that far away, so these formatters are not kept.
function datesWithYear(shown: Date, locale: string): Pick<ReadableTime, 'date' | 'day' | 'dateInWords'> {
  const written = (parts: Intl.DateTimeFormatOptions) =>
    inUtc(datesOf(locale), { year: 'numeric', day: 'numeric', ...parts }).format(shown)
  return {
    date: written({ month: 'short' }),
    day: withoutComma(written({ month: 'short', weekday: 'short' }), locale),
    dateInWords: written({ month: 'long' }),
  }
}

/** What clocks in `zone` show, as if it were UTC: formatters that print UTC then serve every zone. */
const shownIn = (zone: string, at: Date): Date => new Date(`${toLocal(at, zone)}Z`)

/** Which space Intl puts into a time depends on the version of its data. Spanish has one within `p. m.` too. */
function withSpaces(time: string, locale: string): string {
  if (/^en\b/.test(locale)) return time.replace(/\s/g, ' ')
  const spaced = isSpanish(locale) ? time.replace(/\b([ap])\.\s?m\./, '$1. m.') : time
  return spaced.replace(/\s/g, '\u00a0')
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
