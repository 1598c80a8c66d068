import { distance } from 'fastest-levenshtein'
import { WINDOWS_TO_IANA_MAP } from 'windows-iana'
import { quote } from '../intake/fields.ts'
import { isTimeZone } from './calendar.ts'
import { formerNames, timeZones, zoneToday } from './time-zones.ts'

/** What people and programs call the clocks of a country, where nothing else can be meant. In lower case. */
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

/** IEEE Std 1003.1 `TZ` values that a machine may be set to. */
const POSIX = [
  ['EST5EDT', 'America/New_York'],
  ['CST6CDT', 'America/Chicago'],
  ['MST7MDT', 'America/Denver'],
  ['PST8PDT', 'America/Los_Angeles'],
] as const

/** By their names in Windows, in lower case. 001 is the world: the zone that the name means where no country is known. */
const WINDOWS = new Map(
  WINDOWS_TO_IANA_MAP.filter(({ territory }) => territory === '001').map(({ windowsName, iana }) => [
    windowsName.toLowerCase(),
    iana[0],
  ]),
)

/** Names that leave open which place is meant, or name only half of a year: one of these is. In lower case. */
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
 * The zone that a browser, a file or a person means, as an `Area/Place` name or `UTC`; null where that is not certain. A
 * name that `isTimeZone` accepts is returned as it stands. Understood besides: what Americans call their clocks
 * (`Pacific Time`), POSIX names (`EST5EDT`), and the names that Windows uses (CLDR `windowsZones`).
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

/** The zone that `zoneMeant` finds, under its name of today: what pages list, offer and store. */
export function canonicalZone(name: string): string | null {
  const zone = zoneMeant(name)
  return zone === null ? null : zoneToday(zone)
}

/** The names that a browser may report for a zone in place of its name of today. */
export const browserNames = (zone: string): string[] => [
  ...formerNames(zone),
  ...POSIX.filter(([, today]) => today === zone).map(([name]) => name),
]

/** What to say of a name that `zoneMeant` does not understand; goes on from the field's name. */
export function unknownZone(name: string): string {
  const near = zonesLike(name).map((zone) => `"${zone}"`)
  if (near.length === 0)
    return `has the unknown time zone ${quote(name)}; write the IANA name of a big city with the same clocks, for example America/New_York`
  const choice = near.length === 1 ? near[0] : `${near.slice(0, -1).join(', ')} or ${near.at(-1)}`
  return `has the unknown time zone ${quote(name)}; did you mean ${choice}?`
}

/** Zones whose clocks may be meant. A name that only looks like one across the world is none: Boston is not Creston. */
function zonesLike(name: string): readonly string[] {
  if (/[+-]?\d/.test(name)) return [] // an offset follows no clock changes
  const plain = letters(name)
  if (Object.hasOwn(UNSURE, name.toLowerCase())) return UNSURE[name.toLowerCase()] ?? []
  const known = timeZones()
  const same = known.filter((zone) => [letters(zone), letters(placeOf(zone))].includes(plain))
  if (same.length > 0) return same
  const slip = known.filter((zone) => sameStart(letters(zone), plain) && distance(letters(zone), plain) === 1)
  return slip.length === 1 ? slip : []
}

const letters = (name: string): string => name.toLowerCase().replace(/[\s_.-]/gu, '')
const placeOf = (zone: string): string => zone.slice(zone.lastIndexOf('/') + 1)

/** The area and the first letter of the place. */
const sameStart = (zone: string, other: string): boolean => {
  const start = zone.slice(0, zone.indexOf('/') + 2)
  return start.length > 1 && other.startsWith(start)
}
