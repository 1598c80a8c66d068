import { expect, test } from '@jest/globals'
import { isTimeZone } from '../time/calendar.ts'
import { typedZone, unknownTypedZone } from './typed-zone.ts'

test.each([
  ['America/Denver', 'America/Denver'],
  ['Eastern', 'America/New_York'],
  ['Mountain time', 'America/Denver'],
  ['ET', 'America/New_York'],
  ['New York', 'America/New_York'],
  ['new york, ny', 'America/New_York'],
  ['Boston', 'America/New_York'],
  ['San Francisco', 'America/Los_Angeles'],
  ['St. Louis', 'America/Chicago'],
  ['Saint Louis, MO', 'America/Chicago'],
  ['Washington, D.C.', 'America/New_York'],
  ['Portland, ME', 'America/New_York'],
  ['Portland, Oregon', 'America/Los_Angeles'],
  ['Springfield, Massachusetts', 'America/New_York'],
  ['Dallas, TX', 'America/Chicago'],
  ['El Paso, TX', 'America/Denver'],
  ['Detroit, MI', 'America/Detroit'],
  ['Atlanta, Georgia', 'America/New_York'],
  ['London', 'Europe/London'],
])('%s means %s', (text, zone) => {
  expect(typedZone(text)).toBe(zone)
  expect(isTimeZone(zone)).toBe(true)
})

test.each([
  ['CST', 'did you mean "America/Chicago" or "Asia/Shanghai"?'],
  ['EST', 'did you mean "America/New_York" or "America/Panama"?'],
  ['Portland', 'could be in several zones; write "America/Los_Angeles" or "America/New_York"'],
  ['San Juan', 'write "America/Puerto_Rico" or'],
  ['Toronto, CA', 'write the IANA name of a big city'],
  ['Berlin, DE', 'write the IANA name of a big city'],
  ['Tbilisi, Georgia', 'write the IANA name of a big city'],
  ['Pensacola, FL', 'write the IANA name of a big city'],
  ['Nowhere', 'write the IANA name of a big city'],
  ['-05:00', 'write the IANA name of a big city'],
])('%s is refused: %s', (text, says) => {
  expect(typedZone(text)).toBeNull()
  expect(unknownTypedZone(text)).toContain(says)
})
