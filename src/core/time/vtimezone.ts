import { millisecondsInMinute, millisecondsInWeek } from 'date-fns/constants'
import { toLocal } from './calendar.ts'

/** One clock change of a zone. `at` in ms UTC, offsets from UTC in ms. */
type Change = { at: number; from: number; to: number }

/** After 28 years, weekdays fall on the same dates again. So a rule that fits 28 years fits all. */
const YEARS = 28
const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']

/**
 * The clock changes of an IANA zone for a calendar file (VTIMEZONE, RFC 5545 §3.6.5), valid from the start of `fromYear`.
 * For zones without a yearly rule, lists the changes of 28 years one by one. Throws if `zone` is unknown.
 */
export function vtimezone(zone: string, fromYear: number): string {
  // Starts a year early, so that there is a change before the first time that is needed.
  const start = Date.UTC(fromYear - 1, 0, 1)
  const changes = changesOf(zone, start)
  const kinds = Object.values(Object.groupBy(changes, ({ from, to }) => `${from} ${to}`)).filter(
    (kind) => kind !== undefined,
  )
  const rules = kinds.map(yearlyRule)
  // One date per line: some programs read only the first of several.
  const observances = rules.every((rule) => rule !== null)
    ? kinds.map((kind, index) => observance(kind, `RRULE:${rules[index]}`))
    : kinds.map((kind) => observance(kind, kind.map((change) => `RDATE:${localText(change)}`).join('\r\n')))
  if (rules.length === 0 || rules.includes(null)) {
    const offset = offsetAt(start, zone)
    observances.unshift(observance([{ at: start - offset, from: offset, to: offset }]))
  }
  return ['BEGIN:VTIMEZONE', `TZID:${zone}`, ...observances.flat(), 'END:VTIMEZONE'].join('\r\n')
}

function changesOf(zone: string, start: number): Change[] {
  const end = Date.UTC(new Date(start).getUTCFullYear() + YEARS, 0, 1)
  const changes: Change[] = []
  for (let week = start; week < end; week += millisecondsInWeek) {
    const [from, to] = [offsetAt(week, zone), offsetAt(week + millisecondsInWeek, zone)]
    if (from !== to) changes.push({ at: changeWithin(week, zone, from), from, to })
  }
  return changes
}

/** The first minute of the week after `week` whose offset is no longer `from`. */
function changeWithin(week: number, zone: string, from: number): number {
  let [before, after] = [week, week + millisecondsInWeek]
  while (after - before > millisecondsInMinute) {
    const middle = before + Math.floor((after - before) / 2 / millisecondsInMinute) * millisecondsInMinute
    if (offsetAt(middle, zone) === from) before = middle
    else after = middle
  }
  return after
}

/** The yearly rule that fits all these changes, or null. */
function yearlyRule(changes: readonly Change[]): string | null {
  const local = changes.map((change) => localText(change))
  const dates = changes.map(wallClock)
  const days = dates.map((date) => date.getUTCDate())
  const [first, last] = [Math.min(...days), Math.max(...days)]
  const shapes = new Set(
    dates.map((date, n) => `${date.getUTCMonth()} ${date.getUTCDay()} ${local[n]?.slice(8)}`),
  )
  const [date] = dates
  if (!date || changes.length !== YEARS || shapes.size > 1 || last - first > 6) return null
  const month = date.getUTCMonth() + 1
  return `FREQ=YEARLY;BYMONTH=${month};${whichDay(WEEKDAYS[date.getUTCDay()] ?? '', first, last, month)}`
}

/** Prefers `2SU` and `-1SU`, which all calendars support. The Sunday on or after the 2nd needs a list of days. */
function whichDay(weekday: string, first: number, last: number, month: number): string {
  if (first % 7 === 1) return `BYDAY=${(first + 6) / 7}${weekday}`
  if (month !== 2 && last === new Date(Date.UTC(2001, month, 0)).getUTCDate()) return `BYDAY=-1${weekday}`
  const days = Array.from({ length: 7 }, (_, n) => first + n)
  return `BYDAY=${weekday};BYMONTHDAY=${days.join(',')}`
}

function observance(changes: readonly Change[], recurs?: string): string[] {
  const [first] = changes
  if (!first) return []
  const name = first.to > first.from ? 'DAYLIGHT' : 'STANDARD'
  return [
    `BEGIN:${name}`,
    `DTSTART:${localText(first)}`,
    `TZOFFSETFROM:${offsetText(first.from)}`,
    `TZOFFSETTO:${offsetText(first.to)}`,
    ...(recurs === undefined ? [] : [recurs]),
    `END:${name}`,
  ]
}

/** Local time just before the change, as if it were UTC. */
const wallClock = ({ at, from }: Change): Date => new Date(at + from)

const localText = (change: Change): string =>
  wallClock(change)
    .toISOString()
    .replace(/[-:]|\.\d+Z/g, '')

function offsetText(offset: number): string {
  const minutes = Math.abs(offset) / millisecondsInMinute
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0')
  return `${offset < 0 ? '-' : '+'}${two(minutes / 60)}${two(minutes % 60)}`
}

/** Offset from UTC in ms. `at` must be a whole minute. */
const offsetAt = (at: number, zone: string): number => Date.parse(`${toLocal(new Date(at), zone)}Z`) - at
