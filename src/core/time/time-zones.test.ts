import { expect, test } from '@jest/globals'
import { timeZones, zoneToday } from './time-zones.ts'

test.each([
  ['America/New_York', 'America/New_York'],
  ['UTC', 'UTC'],
  ['Asia/Calcutta', 'Asia/Kolkata'],
  ['Asia/Kolkata', 'Asia/Kolkata'],
  ['Europe/Kiev', 'Europe/Kyiv'],
  ['America/Indianapolis', 'America/Indiana/Indianapolis'],
  ['America/Coral_Harbour', 'America/Atikokan'],
  ['US/Eastern', 'America/New_York'],
  ['Etc/UTC', 'UTC'],
  ['Etc/GMT+5', 'Etc/GMT+5'],
  ['Etc/GMT-14', 'Etc/GMT-14'],
])('%s is %s today', (name, today) => expect(zoneToday(name)).toBe(today))

test.each(['', 'utc', 'EST5EDT', '+02:00', 'America/Argentina/CoMODRivadavia', 'Etc/GMT+13', 'toString'])(
  '"%s" is no name of a zone',
  (name) => expect(zoneToday(name)).toBeNull(),
)

test('whatever case a name is written in, only the exact one is read', () => {
  const exact = timeZones().flatMap((name) => [name.toLowerCase(), name.toUpperCase()])
  expect(exact.filter((name) => name !== 'UTC' && zoneToday(name) !== null)).toEqual([])
})

test('every name is one that this runtime reads, and none is of before', () => {
  const names = timeZones()
  expect(names.length).toBeGreaterThan(400)
  for (const name of names) expect(() => new Intl.DateTimeFormat('en', { timeZone: name })).not.toThrow()
  expect(names.filter((name) => zoneToday(name) !== name)).toEqual([])
  expect(names).toEqual([...names].sort())
})

test('a name of before has the clock of the name of today', () => {
  const listed = Intl.supportedValuesOf('timeZone')
  const months = [0, 3, 6, 9].map((month) => new Date(Date.UTC(2026, month, 15)))
  const clock = (timeZone: string) =>
    months.map((at) => new Intl.DateTimeFormat('en', { timeZone, timeStyle: 'long' }).format(at))
  for (const name of listed) expect(clock(zoneToday(name) ?? '')).toEqual(clock(name))
})
