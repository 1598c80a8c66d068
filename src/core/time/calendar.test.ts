import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { SlotRule, Weekday } from './calendar.ts'
import {
  addDaysLocal,
  clockChangeBetween,
  cronPattern,
  isTimeZone,
  nextSlot,
  parseLocal,
  resolveLocal,
  sameWallClock,
  slotAtOrBefore,
  slotsBetween,
  toLocal,
  weekdayOf,
} from './calendar.ts'

const zones = [
  'UTC',
  'America/New_York',
  'America/Santiago',
  'America/Havana',
  'America/Nuuk',
  'America/St_Johns',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Antarctica/Troll',
  'Asia/Beirut',
  'Asia/Kolkata',
  'Atlantic/Azores',
  'Australia/Lord_Howe',
  'Australia/Sydney',
  'Europe/London',
  'Pacific/Apia',
]
const anyZone = fc.constantFrom(...zones)
const anyMinute = fc
  .integer({ min: Date.UTC(2000, 0, 1) / 60_000, max: Date.UTC(2038, 0, 1) / 60_000 })
  .map((minutes) => new Date(minutes * 60_000))
const anyTime = fc
  .integer({ min: 0, max: 24 * 60 - 1 })
  .map((minutes) => new Date(minutes * 60_000).toISOString().slice(11, 16))
const anyRule: fc.Arbitrary<SlotRule> = fc.record({
  weekday: fc.constantFrom<Weekday>(0, 1, 2, 3, 4, 5, 6),
  time: fc.oneof(anyTime, fc.constantFrom('00:00', '00:30', '01:30', '02:30', '23:30')),
  timeZone: anyZone,
})

const resolved = (local: string, zone: string) => {
  const { kind, at } = resolveLocal(local, zone)
  return `${kind} ${at.toISOString().slice(0, 16)}Z`
}

test.each([
  'UTC',
  'America/New_York',
  'US/Eastern',
  'Asia/Kolkata',
  'Europe/Kyiv',
  'America/Port-au-Prince',
  'Etc/GMT+5',
])('%s is a time zone', (name) => expect(isTimeZone(name)).toBe(true))

test.each([
  '',
  '+02:00',
  'EST',
  'EST5EDT',
  'utc',
  'america/new_york',
  'America/New_york',
  'asia/kolkata',
  'Mars/Olympus',
  '/',
  ' UTC',
])('"%s" is not a time zone', (name) => expect(isTimeZone(name)).toBe(false))

test('every zone this runtime lists is a time zone', () => {
  expect(Intl.supportedValuesOf('timeZone').filter((name) => !isTimeZone(name))).toEqual([])
})

test('a local time is read into its parts, with or without zero seconds', () => {
  const parts = { year: 2026, month: 12, day: 1, hour: 19, minute: 5 }
  expect(parseLocal('2026-12-01T19:05')).toEqual(parts)
  expect(parseLocal('2026-12-01T19:05:00')).toEqual(parts)
  expect(parseLocal('2028-02-29T00:00')).toEqual({ year: 2028, month: 2, day: 29, hour: 0, minute: 0 })
})

test.each([
  '2026-02-30T19:00',
  '2027-02-29T19:00',
  '2026-04-31T19:00',
  '2026-13-01T19:00',
  '2026-00-01T19:00',
  '2026-12-00T19:00',
  '2026-12-01T24:00',
  '2026-12-01T19:60',
  '2026-12-01T19:00:30',
  '2026-12-01T19:00Z',
  '2026-12-01T19:00+01:00',
  '2026-12-01 19:00',
  '2026-12-01',
  '26-12-01T19:00',
  '0026-12-01T19:00',
  '',
])('"%s" is not a local time', (text) => expect(parseLocal(text)).toBeNull())

test.each([
  ['America/New_York', '2027-03-13T02:30', 'exact 2027-03-13T07:30Z'],
  ['America/New_York', '2027-03-14T01:59', 'exact 2027-03-14T06:59Z'],
  ['America/New_York', '2027-03-14T02:00', 'skipped 2027-03-14T07:00Z'],
  ['America/New_York', '2027-03-14T02:30', 'skipped 2027-03-14T07:30Z'],
  ['America/New_York', '2027-03-14T03:00', 'exact 2027-03-14T07:00Z'],
  ['America/New_York', '2026-11-01T00:59', 'exact 2026-11-01T04:59Z'],
  ['America/New_York', '2026-11-01T01:30', 'repeated 2026-11-01T05:30Z'],
  ['America/New_York', '2026-11-01T02:00', 'exact 2026-11-01T07:00Z'],
  ['Europe/London', '2027-03-28T01:30', 'skipped 2027-03-28T01:30Z'],
  ['Europe/London', '2026-10-25T01:30', 'repeated 2026-10-25T00:30Z'],
  ['Australia/Sydney', '2026-10-04T02:30', 'skipped 2026-10-03T16:30Z'],
  ['Australia/Sydney', '2027-04-04T02:30', 'repeated 2027-04-03T15:30Z'],
  ['Australia/Lord_Howe', '2026-10-04T02:15', 'skipped 2026-10-03T15:45Z'],
  ['Australia/Lord_Howe', '2027-04-04T01:45', 'repeated 2027-04-03T14:45Z'],
  ['Antarctica/Troll', '2027-03-28T02:30', 'skipped 2027-03-28T02:30Z'],
  ['Pacific/Apia', '2011-12-30T09:00', 'skipped 2011-12-30T19:00Z'],
  ['Asia/Kolkata', '2026-12-01T19:00', 'exact 2026-12-01T13:30Z'],
])('in %s, %s is %s', (zone, local, instant) => expect(resolved(local, zone)).toBe(instant))

test('a skipped time moves forward by the gap', () => {
  expect(toLocal(resolveLocal('2027-03-14T02:30', 'America/New_York').at, 'America/New_York')).toBe(
    '2027-03-14T03:30',
  )
  expect(toLocal(resolveLocal('2026-10-04T02:15', 'Australia/Lord_Howe').at, 'Australia/Lord_Howe')).toBe(
    '2026-10-04T02:45',
  )
})

test('an instant shown on clocks and read back is the same instant, or the first of a repeated hour', () => {
  const nearChange = fc.constantFrom(...clockChanges).chain(({ zone, at }) =>
    fc.record({
      zone: fc.constant(zone),
      at: fc.integer({ min: -180, max: 180 }).map((minutes) => new Date(at.getTime() + minutes * 60_000)),
    }),
  )
  fc.assert(
    fc.property(fc.oneof(fc.record({ zone: anyZone, at: anyMinute }), nearChange), ({ zone, at }) => {
      const back = resolveLocal(toLocal(at, zone), zone)
      expect(back.kind).not.toBe('skipped')
      expect(toLocal(back.at, zone)).toBe(toLocal(at, zone))
      if (back.kind === 'exact') expect(back.at).toEqual(at)
      else expect(back.at.getTime()).toBeLessThanOrEqual(at.getTime())
    }),
    { numRuns: 1000 },
  )
})

test('toLocal agrees with Intl, also within days on which clocks change', () => {
  for (const { zone, at } of clockChanges) {
    for (let minutes = -120; minutes <= 120; minutes += 15) {
      const instant = new Date(at.getTime() + minutes * 60_000)
      expect(toLocal(instant, zone)).toBe(shownByIntl(instant, zone))
    }
  }
})

test('a zone that was not whole minutes from UTC is shown to the second it was', () => {
  // 44 minutes and 30 seconds behind UTC until 1972
  expect(toLocal(new Date('1971-06-01T12:44:30Z'), 'Africa/Monrovia')).toBe('1971-06-01T12:00')
  expect(toLocal(new Date('1971-06-01T12:44:29Z'), 'Africa/Monrovia')).toBe('1971-06-01T11:59')
})

test('a local time or zone that does not exist is refused by name', () => {
  expect(() => resolveLocal('2026-02-30T19:00', 'UTC')).toThrow(
    '"2026-02-30T19:00" is not a local date and time',
  )
  expect(() => resolveLocal('2026-12-01T19:00', 'Mars/Olympus')).toThrow(
    '"Mars/Olympus" is not a known time zone',
  )
})

test('days are added on the calendar', () => {
  expect(addDaysLocal('2026-12-28T19:00', 7)).toBe('2027-01-04T19:00')
  expect(addDaysLocal('2028-03-01T00:15', -1)).toBe('2028-02-29T00:15')
  expect(addDaysLocal('2026-12-01T19:00:00', 0)).toBe('2026-12-01T19:00')
})

test('the weekday is that of the local date, with Sunday as 0', () => {
  expect(weekdayOf('2026-11-22T23:59')).toBe(0)
  expect(weekdayOf('2026-11-23T00:00')).toBe(1)
  expect(weekdayOf('2026-11-28T12:00')).toBe(6)
})

test('two zones share a wall clock only while their offsets agree', () => {
  const july = new Date('2026-07-01T12:00Z')
  const december = new Date('2026-12-01T12:00Z')
  expect(sameWallClock(december, 'America/New_York', 'America/Toronto')).toBe(true)
  expect(sameWallClock(december, 'America/Denver', 'America/Phoenix')).toBe(true)
  expect(sameWallClock(july, 'America/Denver', 'America/Phoenix')).toBe(false)
})

const monday: SlotRule = { weekday: 1, time: '09:00', timeZone: 'America/New_York' }

test('the slot itself is the current one, and the next is a week away', () => {
  const nine = new Date('2026-11-23T14:00Z')
  expect(slotAtOrBefore(monday, nine)).toEqual({ editionId: '2026-11-23', at: nine })
  expect(nextSlot(monday, nine)).toEqual({ editionId: '2026-11-30', at: new Date('2026-11-30T14:00Z') })
  expect(slotAtOrBefore(monday, new Date(nine.getTime() - 1)).editionId).toBe('2026-11-16')
  expect(nextSlot(monday, new Date(nine.getTime() - 1)).editionId).toBe('2026-11-23')
})

test('slots between two instants exclude the first and include the last', () => {
  const from = new Date('2026-10-26T13:00Z')
  const to = new Date('2026-11-09T14:00Z')
  expect(slotsBetween(monday, from, to)).toEqual([
    { editionId: '2026-11-02', at: new Date('2026-11-02T14:00Z') },
    { editionId: '2026-11-09', at: to },
  ])
  expect(slotsBetween(monday, to, to)).toEqual([])
  expect(slotsBetween(monday, to, from)).toEqual([])
})

test.each(zones)('a year of midnight slots in %s has every week once, on every weekday', (timeZone) => {
  for (const weekday of [0, 1, 2, 3, 4, 5, 6] as const) {
    const rule = { weekday, time: '00:00', timeZone }
    const slots = slotsBetween(rule, new Date('2026-01-01T12:00Z'), new Date('2027-01-01T12:00Z'))
    expect(slots.length).toBeGreaterThanOrEqual(52)
    expect(slots.length).toBeLessThanOrEqual(53)
    slots.forEach(({ editionId }, week) => {
      expect(weekdayOf(`${editionId}T00:00`)).toBe(weekday)
      expect(`${editionId}T00:00`).toBe(addDaysLocal(`${slots[0]?.editionId}T00:00`, 7 * week))
    })
  }
})

test.each([
  ['America/Santiago', 0, '2026-09-06', '2026-09-06T04:00Z'],
  ['America/Havana', 0, '2026-03-08', '2026-03-08T05:00Z'],
  ['Africa/Cairo', 5, '2026-04-24', '2026-04-23T22:00Z'],
  ['Asia/Beirut', 0, '2026-03-29', '2026-03-28T22:00Z'],
  ['Atlantic/Azores', 0, '2026-03-29', '2026-03-29T01:00Z'],
] as const)(
  'where midnight is skipped in %s, the slot is at 01:00 that day',
  (timeZone, weekday, editionId, at) => {
    const rule = { weekday, time: '00:00', timeZone }
    const slot = { editionId, at: new Date(at) }
    expect(toLocal(slot.at, timeZone)).toBe(`${editionId}T01:00`)
    expect(slotAtOrBefore(rule, new Date(slot.at.getTime() + 60_000))).toEqual(slot)
    expect(nextSlot(rule, new Date(slot.at.getTime() - 60_000))).toEqual(slot)
  },
)

test('a slot in a repeated hour is its first pass, and stays the current one through the second', () => {
  const rule: SlotRule = { weekday: 0, time: '01:30', timeZone: 'America/New_York' }
  const first = new Date('2026-11-01T05:30Z')
  expect(nextSlot(rule, new Date('2026-11-01T05:29Z')).at).toEqual(first)
  expect(slotAtOrBefore(rule, new Date('2026-11-01T06:15Z')).at).toEqual(first)
  expect(nextSlot(rule, new Date('2026-11-01T06:15Z')).editionId).toBe('2026-11-08')
})

test('a slot moved past midnight keeps the date its rule names', () => {
  const rule: SlotRule = { weekday: 6, time: '23:30', timeZone: 'America/Nuuk' }
  const at = new Date('2026-03-29T01:30Z')
  expect(toLocal(at, rule.timeZone)).toBe('2026-03-29T00:30')
  expect(slotAtOrBefore(rule, at)).toEqual({ editionId: '2026-03-28', at })
  expect(slotAtOrBefore(rule, new Date('2026-03-29T01:10Z')).editionId).toBe('2026-03-21')
})

test('a slot already past is the current one where clocks fall back into the day before', () => {
  // Until 2011 Newfoundland went from 00:01 on Sunday back to 23:01 on Saturday.
  const rule: SlotRule = { weekday: 0, time: '00:00', timeZone: 'America/St_Johns' }
  const saturdayAgain = new Date('2010-11-07T03:00Z')
  expect(toLocal(saturdayAgain, rule.timeZone)).toBe('2010-11-06T23:30')
  expect(slotAtOrBefore(rule, saturdayAgain).editionId).toBe('2010-11-07')
  expect(nextSlot(rule, saturdayAgain).editionId).toBe('2010-11-14')
})

test('now always lies between the current slot and the next, which are a week apart', () => {
  fc.assert(
    fc.property(anyRule, anyMinute, (rule, now) => {
      const current = slotAtOrBefore(rule, now)
      const next = nextSlot(rule, now)
      expect(current.at.getTime()).toBeLessThanOrEqual(now.getTime())
      expect(next.at.getTime()).toBeGreaterThan(now.getTime())
      expect(`${next.editionId}T00:00`).toBe(addDaysLocal(`${current.editionId}T00:00`, 7))
      expect(weekdayOf(`${current.editionId}T00:00`)).toBe(rule.weekday)
      expect(slotAtOrBefore(rule, next.at)).toEqual(next)
    }),
    { numRuns: 1000 },
  )
})

test('the cron pattern has plain numbers in five fields', () => {
  expect(cronPattern(monday)).toBe('0 9 * * 1')
  expect(cronPattern({ ...monday, weekday: 0, time: '18:05' })).toBe('5 18 * * 0')
})

const clockChanges = [
  { zone: 'America/New_York', at: new Date('2026-03-08T07:00Z') },
  { zone: 'America/New_York', at: new Date('2026-11-01T06:00Z') },
  { zone: 'America/Santiago', at: new Date('2026-09-06T04:00Z') },
  { zone: 'America/St_Johns', at: new Date('2010-11-07T02:31Z') },
  { zone: 'Antarctica/Troll', at: new Date('2026-10-25T01:00Z') },
  { zone: 'Atlantic/Azores', at: new Date('2026-10-25T01:00Z') },
  { zone: 'Australia/Lord_Howe', at: new Date('2027-04-03T15:00Z') },
  { zone: 'Australia/Sydney', at: new Date('2026-10-03T16:00Z') },
  { zone: 'Europe/London', at: new Date('2026-10-25T01:00Z') },
  { zone: 'Pacific/Apia', at: new Date('2011-12-30T10:00Z') },
]

// Swedish writes dates the ISO way.
const shownByIntl = (at: Date, timeZone: string) =>
  new Intl.DateTimeFormat('sv', { timeZone, dateStyle: 'short', timeStyle: 'short' })
    .format(at)
    .replace(' ', 'T')

test('a change of clocks between two instants is found to the minute, and none where there is none', () => {
  const between = (zone: string, from: string, to: string) =>
    clockChangeBetween(zone, new Date(from), new Date(to))?.toISOString() ?? null
  expect(between('America/New_York', '2026-10-26', '2026-11-04')).toBe('2026-11-01T06:00:00.000Z')
  expect(between('Europe/London', '2027-03-01', '2027-04-01')).toBe('2027-03-28T01:00:00.000Z')
  expect(between('America/New_York', '2026-11-02', '2026-12-01')).toBeNull()
  expect(between('America/Phoenix', '2026-10-26', '2026-11-04')).toBeNull()
  expect(between('America/New_York', '2026-11-04', '2026-10-26')).toBeNull()
})
