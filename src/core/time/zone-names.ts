import { distance } from 'fastest-levenshtein'
import { WINDOWS_TO_IANA_MAP } from 'windows-iana'
import { quote } from '../intake/fields.ts'
import { isTimeZone } from './calendar.ts'
import { formerNames, timeZones, zoneToday } from './time-zones.ts'

/** Common names that can mean only one zone. In lower case. */
const CLOCKS: Readonly<Record<string, string>> = {
  eastern: 'America/New_York',
  central: 'America/Chicago',
  mountain: 'America/Denver',
  pacific: 'America/Los_Angeles',
  alaska: 'America/Anchorage',
  hawaii: 'Pacific/Honolulu',
  arizona: 'America/Phoenix',
  atlantic: 'America/Halifax',
  newfoundland: 'America/St_Johns',
  et: 'America/New_York',
  ct: 'America/Chicago',
  mt: 'America/Denver',
  pt: 'America/Los_Angeles',
  utc: 'UTC',
}

/** Values of `TZ` on some machines (IEEE Std 1003.1). */
const POSIX = [
  ['EST5EDT', 'America/New_York'],
  ['CST6CDT', 'America/Chicago'],
  ['MST7MDT', 'America/Denver'],
  ['PST8PDT', 'America/Los_Angeles'],
] as const

/** By Windows name, in lower case. Territory 001 is the world: the default zone of a name if the country is not known. */
const WINDOWS = new Map(
  WINDOWS_TO_IANA_MAP.filter(({ territory }) => territory === '001').map(({ windowsName, iana }) => [
    windowsName.toLowerCase(),
    iana[0],
  ]),
)

/** Names that could mean several places, or apply to only half of the year, with what they may mean. In lower case. */
const UNSURE: Readonly<Record<string, readonly string[]>> = {
  est: ['America/New_York', 'America/Panama'],
  edt: ['America/New_York'],
  cst: ['America/Chicago', 'Asia/Shanghai'],
  cdt: ['America/Chicago'],
  mst: ['America/Denver', 'America/Phoenix'],
  mdt: ['America/Denver'],
  'mountain standard time': ['America/Denver', 'America/Phoenix'],
  pst: ['America/Los_Angeles', 'Asia/Manila'],
  pdt: ['America/Los_Angeles'],
  akst: ['America/Anchorage'],
  akdt: ['America/Anchorage'],
  hst: ['Pacific/Honolulu'],
  ast: ['America/Halifax', 'America/Puerto_Rico'],
  adt: ['America/Halifax'],
  gmt: ['Europe/London', 'UTC'],
  bst: ['Europe/London'],
  wet: ['Europe/Lisbon'],
  eet: ['Europe/Athens'],
  cet: ['Europe/Paris'],
  cest: ['Europe/Paris'],
  ist: ['Asia/Kolkata', 'Europe/Dublin', 'Asia/Jerusalem'],
  aest: ['Australia/Sydney', 'Australia/Brisbane'],
  aedt: ['Australia/Sydney'],
}

/**
 * The zone that a browser, a file, or a person means, as an `Area/Place` name or `UTC`; null if that is not certain. Returns a
 * name that `isTimeZone` accepts unchanged. Also understands common American names (`Pacific Time`), POSIX names
 * (`EST5EDT`), and Windows names (CLDR `windowsZones`).
 */
export function zoneMeant(name: string): string | null {
  if (isTimeZone(name)) return name
  const plain = name.toLowerCase()
  if (Object.hasOwn(UNSURE, plain)) return null
  const clock = plain
    .replace(/\s*\((?:us|us & canada|u\.s\.|usa|canada)\)$/, '')
    .replace(/^(?:us|u\.s\.)[ -]/, '')
    .replace(/[ -]time$/, '')
  const posix = POSIX.find(([one]) => one === name)
  if (posix) return posix[1]
  if (Object.hasOwn(CLOCKS, clock)) return CLOCKS[clock] ?? null
  const zone = WINDOWS.get(plain)
  return zone === undefined ? null : zoneToday(zone)
}

/** The zone that `zoneMeant` finds, under its current name, which pages list and store. */
export function canonicalZone(name: string): string | null {
  const zone = zoneMeant(name)
  return zone === null ? null : zoneToday(zone)
}

/** Other names that a browser may report for a zone. */
export const browserNames = (zone: string): string[] => [
  ...formerNames(zone),
  ...POSIX.filter(([, today]) => today === zone).map(([name]) => name),
]

/** The error for a name that `zoneMeant` does not understand; continues the field's name. */
export function unknownZone(name: string): string {
  const near = zonesLike(name).map((zone) => `"${zone}"`)
  if (near.length === 0)
    return `has the unknown time zone ${quote(name)}; write the IANA name of a big city with the same clocks, for example America/New_York`
  const choice = near.length === 1 ? near[0] : `${near.slice(0, -1).join(', ')} or ${near.at(-1)}`
  return `has the unknown time zone ${quote(name)}; did you mean ${choice}?`
}

/** Zones that a name may mean. Similar spelling alone is not enough: Boston is not Creston. */
function zonesLike(name: string): readonly string[] {
  if (/[+-]?\d/.test(name)) return [] // offsets do not follow clock changes
  const plain = letters(name)
  if (Object.hasOwn(UNSURE, name.toLowerCase())) return UNSURE[name.toLowerCase()] ?? []
  const known = timeZones()
  const same = known.filter((zone) => [letters(zone), letters(placeOf(zone))].includes(plain))
  if (same.length > 0) return same
  const slip = known.filter((zone) => sameStart(letters(zone), plain) && distance(letters(zone), plain) === 1)
  return slip.length === 1 ? slip : []
}

/** A name without the signs that people leave out. */
export const letters = (name: string): string => name.toLowerCase().replace(/[\s_.-]/gu, '')
/** `New_York` of `America/New_York`. */
export const placeOf = (zone: string): string => zone.slice(zone.lastIndexOf('/') + 1)

/** Whether the area and the first letter of the place are the same. */
const sameStart = (zone: string, other: string): boolean => {
  const start = zone.slice(0, zone.indexOf('/') + 2)
  return start.length > 1 && other.startsWith(start)
}
