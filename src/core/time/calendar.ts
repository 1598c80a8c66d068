import { millisecondsInDay, millisecondsInMinute } from 'date-fns/constants'
import { lru } from '../lru.ts'
import { weighed } from '../weighed.ts'
import { zoneToday } from './time-zones.ts'

/** A local date and time without a zone, to the minute: `2026-12-01T19:00`. */
export type LocalDateTime = string
export type LocalParts = { year: number; month: number; day: number; hour: number; minute: number }

/** 0 is Sunday, as in `Date` and in cron. */
export type Weekday = 0 | 1 | 2 | 3 | 4 | 5 | 6

/** When editions are due: each `weekday` at `time` (`09:00`), local time in `timeZone` (IANA). */
export type SlotRule = { weekday: Weekday; time: string; timeZone: string }

/** `editionId` is the local date by the rule, even if a clock change moves `at` past midnight. */
export type Slot = { editionId: string; at: Date }

/**
 * Whether this is `UTC` or an `Area/Place` name exactly as IANA spells it, current or former.
 * Offsets (`+02:00`) and abbreviations (`EST5EDT`) are refused: they do not follow a place's clock changes.
 */
export const isTimeZone = (name: string): boolean => zoneToday(name) !== null

/** The parts of `2026-12-01T19:00` (`:00` for seconds is allowed), or null if there is no such date and time. */
export function parseLocal(text: string): LocalParts | null {
  const match = localPattern.exec(text)
  if (!match) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1).map(Number)
  // The pattern checks the rest. A day that its month does not have rolls over into the next month.
  const exists = new Date(Date.UTC(year, month - 1, day)).getUTCDate() === day
  return exists ? { year, month, day, hour, minute } : null
}

/**
 * The instant at which clocks in `zone` show `local`, by the rules of RFC 5545 §3.3.5: a time that occurs twice means the
 * first, and a skipped time uses the offset before the gap, so it moves forward by the gap. Throws if `local` or `zone` is
 * not valid. Does not use `TZDate`, which picks one of two repeated hours by the host's own zone.
 */
export function resolveLocal(
  local: LocalDateTime,
  zone: string,
): { kind: 'exact' | 'repeated' | 'skipped'; at: Date } {
  const wall = wallClock(local)
  // No offset exceeds a day, so these two are on either side of any clock change that affects `local`.
  const before = offsetAt(wall - millisecondsInDay, zone)
  const after = offsetAt(wall + millisecondsInDay, zone)
  const early = wall - before
  const late = wall - after
  if (before === after) return { kind: 'exact', at: new Date(early) }

  const showsEarly = offsetAt(early, zone) === before
  const showsLate = offsetAt(late, zone) === after
  if (showsEarly && showsLate) return { kind: 'repeated', at: new Date(early) }
  if (showsEarly || showsLate) return { kind: 'exact', at: new Date(showsEarly ? early : late) }
  return { kind: 'skipped', at: new Date(early) }
}

/** The local time in `zone` at an instant, without seconds. Throws if `zone` is unknown. */
export function toLocal(at: Date, zone: string): LocalDateTime {
  return localText(at.getTime() + offsetAt(at.getTime(), zone))
}

/** The same time of day, `days` calendar days later (or earlier, if negative). */
export function addDaysLocal(local: LocalDateTime, days: number): LocalDateTime {
  return localText(wallClock(local) + days * millisecondsInDay)
}

/** The difference between two local times in ms, ignoring clock changes in between. */
export function wallClockBetween(from: LocalDateTime, to: LocalDateTime): number {
  return wallClock(to) - wallClock(from)
}

export function weekdayOf(local: LocalDateTime): Weekday {
  return new Date(wallClock(local)).getUTCDay() as Weekday
}

/** Whether clocks in both zones show the same time at that instant. */
export function sameWallClock(at: Date, zoneA: string, zoneB: string): boolean {
  return offsetAt(at.getTime(), zoneA) === offsetAt(at.getTime(), zoneB)
}

/** When the clocks in `zone` change between `from` and `to`, to the offset that they have at `to`; null if they do not. */
export function clockChangeBetween(zone: string, from: Date, to: Date): Date | null {
  const then = offsetAt(to.getTime(), zone)
  let [before, after] = [from, to].map((at) => Math.floor(at.getTime() / millisecondsInMinute)) as [
    number,
    number,
  ]
  if (before >= after || offsetAt(from.getTime(), zone) === then) return null
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (offsetAt(middle * millisecondsInMinute, zone) === then) after = middle
    else before = middle
  }
  return new Date(after * millisecondsInMinute)
}

/** The current slot: the latest at or before `now`. There is one every week, even across clock changes. */
export function slotAtOrBefore(rule: SlotRule, now: Date): Slot {
  const today = `${toLocal(now, rule.timeZone).slice(0, 10)}T${rule.time}`
  // Start with the coming weekday: where clocks go back over midnight, its slot can be past on the day before.
  let local = addDaysLocal(today, (rule.weekday - weekdayOf(today) + 7) % 7)
  let slot = slotOn(local, rule)
  while (slot.at > now) {
    local = addDaysLocal(local, -7)
    slot = slotOn(local, rule)
  }
  return slot
}

/** The first slot strictly after `now`. */
export function nextSlot(rule: SlotRule, now: Date): Slot {
  return slotAfter(slotAtOrBefore(rule, now), rule)
}

/** Every slot with `from < slot <= to`, oldest first. */
export function slotsBetween(rule: SlotRule, from: Date, to: Date): Slot[] {
  const slots: Slot[] = []
  for (let slot = nextSlot(rule, from); slot.at <= to; slot = slotAfter(slot, rule)) slots.push(slot)
  return slots
}

/**
 * The rule as five cron fields. Only for wake-ups: cron-parser skips a whole week if clocks change at midnight, so
 * `slotAtOrBefore` decides what is due.
 */
export function cronPattern({ weekday, time }: SlotRule): string {
  const [hour, minute] = time.split(':').map(Number)
  return `${minute} ${hour} * * ${weekday}`
}

const slotAfter = ({ editionId }: Slot, rule: SlotRule): Slot =>
  slotOn(addDaysLocal(`${editionId}T${rule.time}`, 7), rule)

const slotOn = (local: LocalDateTime, { timeZone }: SlotRule): Slot => ({
  editionId: local.slice(0, 10),
  at: resolveLocal(local, timeZone).at,
})

const localPattern = /^([1-9]\d{3})-(0[1-9]|1[0-2])-(\d\d)T([01]\d|2[0-3]):([0-5]\d)(?::00)?$/

/** A local time in ms, as if it were UTC: days of 24 hours, no clock changes. For comparing and shifting. */
function wallClock(local: LocalDateTime): number {
  const parts = parseLocal(local)
  if (!parts) throw new Error(`"${local}" is not a local date and time; write it like 2026-12-01T19:00`)
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute)
}

const localText = (wall: number): LocalDateTime => new Date(wall).toISOString().slice(0, 16)

/** From `at` on, clocks are ahead of UTC by `offset`. Both in ms. */
type ClockChange = { at: number; offset: number }

/**
 * Offset from UTC in ms. Keeps the clock changes of each zone and year, because formatters are too large to keep one per
 * zone.
 */
function offsetAt(instant: number, zone: string): number {
  const year = new Date(instant).getUTCFullYear()
  const years = yearsOf(zone)
  const changes = years.get(year) ?? changesIn(year, zone)
  if (years.size >= YEARS_KEPT) years.clear()
  years.set(year, changes)
  return changes.findLast(({ at }) => at <= instant)?.offset ?? 0
}

/** More than the names of zones that exist, so that none is dropped. */
const ZONES_KEPT = 700
/** More years than `vtimezone` looks at. */
const YEARS_KEPT = 40

const yearsOf = lru(
  ZONES_KEPT,
  (zone: string) => zone,
  () => new Map<number, readonly ClockChange[]>(),
)

/** Since 1940 no clocks have changed twice within a week. Four days leave some room. */
const STEP_MS = 4 * millisecondsInDay

/** The offset at the start of a UTC year, and each change in it. */
function changesIn(year: number, zone: string): ClockChange[] {
  const start = new Date(0).setUTCFullYear(year, 0, 1)
  const end = new Date(0).setUTCFullYear(year + 1, 0, 1)
  const changes = [{ at: start, offset: askOffset(start, zone) }]
  for (let from = start; from < end; from += STEP_MS) {
    const to = Math.min(from + STEP_MS, end)
    const offset = askOffset(to, zone)
    while (changes.at(-1)?.offset !== offset) changes.push(nextChange(from, to, zone, changes))
  }
  return changes
}

/** The first instant, to the second, with another offset than after the latest of `changes`. */
function nextChange(from: number, to: number, zone: string, changes: readonly ClockChange[]): ClockChange {
  const { at = from, offset = 0 } = changes.at(-1) ?? {}
  let [before, after] = [Math.max(from, at) / 1000, to / 1000]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (askOffset(middle * 1000, zone) === offset) before = middle
    else after = middle
  }
  return { at: after * 1000, offset: askOffset(after * 1000, zone) }
}

function askOffset(instant: number, zone: string): number {
  // `GMT`, `GMT-05:00`, and before standard time `GMT-04:56:02`.
  const [, sign = '+', hours = 0, minutes = 0, seconds = 0] =
    /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(offsetFormatIn(zone).format(instant)) ?? []
  const size = (Number(hours) * 60 + Number(minutes)) * millisecondsInMinute + Number(seconds) * 1000
  return sign === '-' ? -size : size
}

/** A few are enough: all changes of a year are found in one go, and then kept. */
const FORMATTERS_KEPT = 8

// `tzOffset` of @date-fns/tz does the same, but keeps every formatter forever.
const offsetFormatIn = lru(
  FORMATTERS_KEPT,
  (zone: string) => zone,
  (zone) => {
    try {
      return weighed(new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' }))
    } catch {
      throw new Error(`"${zone}" is not a known time zone; write it like America/New_York`)
    }
  },
)
