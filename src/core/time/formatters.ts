import { lru } from '../lru.ts'
import { weighed } from '../weighed.ts'

/** How parts of a time are written: `Tue`, `Tuesday`, `Dec 1`, `Tue, Dec 1`, `Tuesday, December 1`, `December 1`, … */
const KINDS = {
  weekday: { weekday: 'short' },
  longWeekday: { weekday: 'long' },
  date: { month: 'short', day: 'numeric' },
  day: { weekday: 'short', month: 'short', day: 'numeric' },
  longDay: { weekday: 'long', month: 'long', day: 'numeric' },
  dateInWords: { month: 'long', day: 'numeric' },
  time: { hour: 'numeric', minute: '2-digit' },
  hour: { hour: 'numeric' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>

type Kind = keyof typeof KINDS

/** Formatters are slow to make and large, so only the most recently used ones are kept. */
const [FORMATTERS_KEPT, ZONE_NAMES_KEPT] = [80, 30]

// They serve every zone: they print UTC, and are given local time as if it were UTC.
const formatterOf = lru(
  FORMATTERS_KEPT,
  ({ kind, locale }: { kind: Kind; locale: string }) => `${kind} ${locale}`,
  ({ kind, locale }) => weighed(new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...KINDS[kind] })),
)

/** A part of `shown`, a local time as if it were UTC. */
export function written(kind: Kind, shown: Date, locale: string): string {
  const isTime = kind === 'time' || kind === 'hour'
  const text = formatterOf({ kind, locale: isTime ? locale : datesOf(locale) }).format(shown)
  return isTime ? withSpaces(text, locale) : withoutComma(text, locale)
}

/** The same with the year. Few dates need it, so these formatters are not kept. */
export function writtenWithYear(
  kind: 'date' | 'day' | 'longDay' | 'dateInWords',
  shown: Date,
  locale: string,
) {
  const parts = { timeZone: 'UTC', year: 'numeric', ...KINDS[kind] } as const
  return withoutComma(weighed(new Intl.DateTimeFormat(datesOf(locale), parts)).format(shown), locale)
}

/** Whether clocks show 12 hours and `AM` or `PM`. */
export const hasTwelveHours = (locale: string): boolean =>
  formatterOf({ kind: 'time', locale }).resolvedOptions().hour12 === true

const zoneNameFormatter = lru(
  ZONE_NAMES_KEPT,
  ({ timeZone, locale }: { timeZone: string; locale: string }) => `${timeZone} ${locale}`,
  ({ timeZone, locale }) => zoneFormatter(timeZone, locale, 'short'),
)

/** The abbreviation of a zone on that day: `EST`, `GMT+11`. */
export const zoneAbbreviation = (at: Date, timeZone: string, locale: string): string =>
  zoneNameBy(zoneNameFormatter({ timeZone, locale }), at) ?? timeZone

/** `New York Time`, `Colombia Time`; in most languages `Eastern Time` if it is that. Slow: keep the result. */
export const zoneNameByPlace = (timeZone: string, locale: string): string =>
  zoneNameBy(zoneFormatter(timeZone, locale, 'shortGeneric'), ANY_DAY) ?? timeZone

/** Names by place are the same on every day. */
const ANY_DAY = new Date('2026-12-01T12:00:00Z')

const zoneFormatter = (
  timeZone: string,
  locale: string,
  timeZoneName: 'short' | 'shortGeneric',
): Intl.DateTimeFormat => weighed(new Intl.DateTimeFormat(locale, { timeZone, timeZoneName }))

const zoneNameBy = (formatter: Intl.DateTimeFormat, at: Date): string | undefined =>
  formatter.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value

const isSpanish = (locale: string): boolean => /^es\b/.test(locale)

/** All of Spanish writes dates alike; only Mexico's have no comma and keep `de` before a short month. Times differ. */
const datesOf = (locale: string): string => (isSpanish(locale) ? 'es-MX' : locale)

/** Spanish has no comma between a weekday and its date, though CLDR puts one. */
const withoutComma = (day: string, locale: string): string =>
  isSpanish(locale) ? day.replace(/^(\p{L}+), /u, '$1 ') : day

/** Which space Intl puts into a time depends on the version of its data. Spanish has one within `p. m.` too. */
function withSpaces(time: string, locale: string): string {
  if (/^en\b/.test(locale)) return time.replace(/\s/g, ' ')
  const spaced = isSpanish(locale) ? time.replace(/\b([ap])\.\s?m\./, '$1. m.') : time
  return spaced.replace(/\s/g, '\u00a0')
}
