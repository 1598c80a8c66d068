import { expect, test } from '@jest/globals'
import { isTimeZone } from './calendar.ts'
import { browserNames, canonicalZone, unknownZone, zoneMeant } from './zone-names.ts'

test.each([
  ['America/Denver', 'America/Denver'],
  ['UTC', 'UTC'],
  ['utc', 'UTC'],
  // What is stored under a name of old stays the same session.
  ['Asia/Calcutta', 'Asia/Calcutta'],
  ['US/Eastern', 'US/Eastern'],
  ['Pacific Time', 'America/Los_Angeles'],
  ['pacific time', 'America/Los_Angeles'],
  ['Pacific Time (US & Canada)', 'America/Los_Angeles'],
  ['Eastern', 'America/New_York'],
  ['US Eastern Time', 'America/New_York'],
  ['ET', 'America/New_York'],
  ['Central Time', 'America/Chicago'],
  ['Mountain Time', 'America/Denver'],
  ['Arizona', 'America/Phoenix'],
  ['Hawaii Time', 'Pacific/Honolulu'],
  ['EST5EDT', 'America/New_York'],
  ['PST8PDT', 'America/Los_Angeles'],
  // Names of Windows.
  ['Eastern Standard Time', 'America/New_York'],
  ['US Mountain Standard Time', 'America/Phoenix'],
  ['India Standard Time', 'Asia/Kolkata'],
  ['AUS Eastern Standard Time', 'Australia/Sydney'],
  ['GMT Standard Time', 'Europe/London'],
])('%s means %s', (name, zone) => {
  expect(zoneMeant(name)).toBe(zone)
  expect(isTimeZone(zone)).toBe(true)
})

test.each([
  ['EST', 'did you mean "America/New_York" or "America/Panama"?'],
  ['MST', 'did you mean "America/Denver" or "America/Phoenix"?'],
  ['Mountain Standard Time', 'did you mean "America/Denver" or "America/Phoenix"?'],
  ['IST', 'did you mean "Asia/Kolkata", "Europe/Dublin" or "Asia/Jerusalem"?'],
  ['america/new_york', 'did you mean "America/New_York"?'],
  ['America/New York', 'did you mean "America/New_York"?'],
  ['New York', 'did you mean "America/New_York"?'],
  ['America/Los_Angelos', 'did you mean "America/Los_Angeles"?'],
  ['kolkata', 'did you mean "Asia/Kolkata"?'],
  ['America/Managus', 'write the IANA name of a big city'], // Managua as well as Manaus
  ['America/Boston', 'write the IANA name of a big city with the same clocks'],
  ['Pacific/Seattle', 'write the IANA name of a big city with the same clocks'],
  ['+02:00', 'write the IANA name of a big city'],
  ['UTC-5', 'write the IANA name of a big city'],
  ['constructor', 'write the IANA name of a big city'],
])('%s is nobody’s zone: %s', (name, hint) => {
  expect(zoneMeant(name)).toBeNull()
  expect(unknownZone(name)).toContain(hint)
})

test('no city of the United States is taken for one across the world', () => {
  const cities =
    'Atlanta Austin Boston Dallas Houston Seattle Portland Salem Reno Eugene Memphis Miami Orlando Tampa Raleigh Richmond Madison Omaha Lincoln Tulsa Tucson Toledo Newark Albany Buffalo Aurora Mesa Irvine Fresno Santa_Ana San_Jose San_Diego San_Antonio El_Paso Las_Vegas Columbus Cleveland Concord'
  const suggested = cities
    .split(' ')
    .filter((city) => unknownZone(`America/${city}`).includes('did you mean'))
  expect(suggested).toEqual([])
})

test('pages know a zone by one name, whichever a browser has for it', () => {
  expect(
    ['Asia/Calcutta', 'Europe/Kiev', 'America/Indianapolis', 'EST5EDT', '+00:00'].map(canonicalZone),
  ).toEqual([...['Asia/Kolkata', 'Europe/Kyiv', 'America/Indiana/Indianapolis', 'America/New_York', null]])
  expect(browserNames('Asia/Kolkata')).toEqual(['Asia/Calcutta'])
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    const today = canonicalZone(zone) ?? ''
    expect(isTimeZone(today)).toBe(true)
    expect(offsets(today)).toEqual(offsets(zone))
  }
})

/** What clocks there show in winter and in summer. */
function offsets(timeZone: string): string[] {
  const clock = new Intl.DateTimeFormat('en', { timeZone, dateStyle: 'short', timeStyle: 'short' })
  return ['2027-01-15T12:00Z', '2027-07-15T12:00Z'].map((at) => clock.format(new Date(at)))
}
