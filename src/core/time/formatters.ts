import { lru } from '../lru.ts'
import { weighed } from '../weighed.ts'

/** Formatters are slow to make and large, so only the most recently used ones are kept. */
const [LOCALES_KEPT, ZONE_NAMES_KEPT] = [16, 30]

export const LONG_DAY = { weekday: 'long', month: 'long', day: 'numeric' } as const

export const inUtc = (locale: string, parts: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  weighed(new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...parts }))

/** One set for every zone: they print UTC, so give them local time as if it were UTC. */
export const wallClockFormatters = lru(
  LOCALES_KEPT,
  (locale: string) => locale,
  (locale) => {
    const dates = datesOf(locale)
    return {
      weekday: inUtc(dates, { weekday: 'short' }),
      longWeekday: inUtc(dates, { weekday: 'long' }),
      date: inUtc(dates, { month: 'short', day: 'numeric' }),
      day: inUtc(dates, { weekday: 'short', month: 'short', day: 'numeric' }),
      longDay: inUtc(dates, LONG_DAY),
      dateInWords: inUtc(dates, { month: 'long', day: 'numeric' }),
      time: inUtc(locale, { hour: 'numeric', minute: '2-digit' }),
      hour: inUtc(locale, { hour: 'numeric' }),
    }
  },
)

type ZoneName = { style: 'short' | 'shortGeneric'; timeZone: string; locale: string }

const zoneNameFormatter = lru(
  ZONE_NAMES_KEPT,
  ({ style, timeZone, locale }: ZoneName) => `${style} ${timeZone} ${locale}`,
  ({ style, timeZone, locale }) =>
    weighed(new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: style })),
)

/** The name of a zone in a style of Intl. */
export function zoneNamed(style: ZoneName['style'], at: Date, timeZone: string, locale: string): string {
  const parts = zoneNameFormatter({ style, timeZone, locale }).formatToParts(at)
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? timeZone
}

export const isSpanish = (locale: string): boolean => /^es\b/.test(locale)

/** All of Spanish writes dates alike; only Mexico's have no comma and keep `de` before a short month. Times differ. */
export const datesOf = (locale: string): string => (isSpanish(locale) ? 'es-MX' : locale)

/** Spanish has no comma between a weekday and its date, though CLDR puts one. */
export const withoutComma = (day: string, locale: string): string =>
  isSpanish(locale) ? day.replace(/^(\p{L}+), /u, '$1 ') : day
