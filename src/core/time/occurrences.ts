import { millisecondsInDay, millisecondsInMinute, millisecondsInWeek } from 'date-fns/constants'
import type { LocalDateTime } from './calendar.ts'
import { addDaysLocal, resolveLocal, toLocal, wallClockBetween } from './calendar.ts'
import { hasTwelveHours, written, writtenWithYear, zoneAbbreviation } from './formatters.ts'

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
  const shown = shownIn(zone, at)
  const dated = isFar(at, reference) ? writtenWithYear : written
  return {
    weekday: written('weekday', shown, locale),
    date: dated('date', shown, locale),
    day: dated('day', shown, locale),
    dateInWords: dated('dateInWords', shown, locale),
    time: written('time', shown, locale),
    zoneName: zoneAbbreviation(at, zone, locale),
    iso: at.toISOString(),
  }
}

/** A day within a sentence: `Wednesday, December 2`, `miércoles 2 de diciembre`; with its year if that `isFar`. */
export const longDay = (at: Date, zone: string, locale: string, reference: Date = at): string =>
  (isFar(at, reference) ? writtenWithYear : written)('longDay', shownIn(zone, at), locale)

/** A day as a heading: `longDay` with a capital letter. */
export function dayHeading(at: Date, zone: string, locale: string, reference: Date = at): string {
  const day = longDay(at, zone, locale, reference)
  return day.charAt(0).toLocaleUpperCase(locale) + day.slice(1)
}

/** A time of day: `7:00 PM`, `7:00 p. m.`, `19:00`. Outside English, its spaces do not break. */
export const timeOfDay = (at: Date, zone: string, locale: string): string =>
  written('time', shownIn(zone, at), locale)

/** A time without `:00`, where clocks have twelve hours: `11 AM`, `9:30 PM`, `11 a. m.`; others are as in `timeOfDay`. */
export function shortTime(at: Date, zone: string, locale: string): string {
  const shown = shownIn(zone, at)
  const isShort = shown.getUTCMinutes() === 0 && hasTwelveHours(locale)
  return written(isShort ? 'hour' : 'time', shown, locale)
}

/**
 * An end of a range in words: `Friday 11 AM`, `viernes 11 a. m.`; its date instead of its weekday where that is a week or
 * more after `reference`: `Dec 10, 9:30 PM`, `10 dic, 9:30 p. m.`.
 */
export function dayAndTime(at: Date, zone: string, locale: string, reference: Date): string {
  const shown = shownIn(zone, at)
  const today = shownIn(zone, reference).setUTCHours(0, 0, 0, 0)
  const time = shortTime(at, zone, locale)
  const isNear = shown.getTime() >= today && shown.getTime() < today + millisecondsInWeek
  return isNear
    ? `${written('longWeekday', shown, locale)} ${time}`
    : `${written('date', shown, locale)}, ${time}`
}

/** The hour of the day in `zone`, 0 to 23. */
export const hourIn = (at: Date, zone: string): number => Number(toLocal(at, zone).slice(11, 13))

/** Whether a date needs its year. Without it, readers could take a date more than eleven months away for a near one. */
export const isFar = (at: Date, reference: Date): boolean =>
  Math.abs(at.getTime() - reference.getTime()) > 335 * millisecondsInDay

/** What clocks in `zone` show, as if it were UTC: formatters that print UTC then serve every zone. */
const shownIn = (zone: string, at: Date): Date => new Date(`${toLocal(at, zone)}Z`)

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
