import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { addDaysLocal, resolveLocal, toLocal } from './calendar.ts'
import type { SessionTimes } from './occurrences.ts'
import {
  dayAndTime,
  dayHeading,
  formatOccurrence,
  isBookable,
  lastOccurrence,
  longDay,
  nextOccurrence,
  shortTime,
  timeOfDay,
} from './occurrences.ts'

const drLeeOnTuesdays: SessionTimes = {
  startsAtLocal: '2026-12-01T19:00',
  timeZone: 'America/New_York',
  repeats: 'weekly',
  occurrences: 3,
  durationMinutes: 75,
}
const seventhOfDecember = new Date('2026-12-07T12:00Z')
const justBefore = (at: Date) => new Date(at.getTime() - 1)

test('before a session begins, its first occurrence is next', () => {
  expect(nextOccurrence(drLeeOnTuesdays, new Date('2026-01-01T00:00Z'))).toEqual({
    index: 0,
    at: new Date('2026-12-02T00:00Z'),
    endsAt: new Date('2026-12-02T01:15Z'),
    local: '2026-12-01T19:00',
  })
})

test('an occurrence starting exactly then is not next', () => {
  const second = new Date('2026-12-09T00:00Z')
  expect(nextOccurrence(drLeeOnTuesdays, justBefore(second))).toMatchObject({ index: 1, at: second })
  expect(nextOccurrence(drLeeOnTuesdays, second)).toMatchObject({
    index: 2,
    at: new Date('2026-12-16T00:00Z'),
  })
})

test('a weekly session is over once its occurrences are used up', () => {
  const third = new Date('2026-12-16T00:00Z')
  expect(lastOccurrence(drLeeOnTuesdays)).toEqual(third)
  expect(nextOccurrence(drLeeOnTuesdays, justBefore(third))).toMatchObject({ index: 2 })
  expect(nextOccurrence(drLeeOnTuesdays, third)).toBeNull()
  expect(nextOccurrence(drLeeOnTuesdays, new Date('2036-01-01T00:00Z'))).toBeNull()
})

test('a session held once has one occurrence, whatever its count says', () => {
  const once: SessionTimes = { ...drLeeOnTuesdays, repeats: 'once' }
  const start = new Date('2026-12-02T00:00Z')
  expect(lastOccurrence(once)).toEqual(start)
  expect(nextOccurrence(once, justBefore(start))).toMatchObject({ index: 0, at: start })
  expect(nextOccurrence(once, start)).toBeNull()
  expect(nextOccurrence({ ...once, occurrences: null }, seventhOfDecember)).toBeNull()
})

test('a session without an end has no last occurrence and goes on', () => {
  const open: SessionTimes = { ...drLeeOnTuesdays, occurrences: null }
  expect(lastOccurrence(open)).toBeNull()
  expect(nextOccurrence(open, new Date('2046-12-01T12:00Z'))?.local).toMatch(/^2046-12-0\dT19:00$/)
})

test.each([
  ['America/New_York', ['2026-03-08', '2026-11-01', '2027-03-14', '2027-11-07'], ['23:00', '00:00']],
  ['Europe/London', ['2026-03-29', '2026-10-25', '2027-03-28', '2027-10-31'], ['18:00', '19:00']],
  ['Australia/Sydney', ['2026-04-05', '2026-10-04', '2027-04-04', '2027-10-03'], ['08:00', '09:00']],
  ['America/Phoenix', [], ['02:00']],
  ['Asia/Kolkata', [], ['13:30']],
])(
  'in %s a weekly session stays at 19:00 while its UTC time moves with the clocks',
  (timeZone, changes, utcTimes) => {
    const session: SessionTimes = {
      ...drLeeOnTuesdays,
      startsAtLocal: '2026-01-06T19:00',
      timeZone,
      occurrences: 104,
    }
    const occurrences = allOccurrences(session)
    expect(occurrences).toHaveLength(104)
    expect(new Set(occurrences.map(({ local }) => local.slice(11)))).toEqual(new Set(['19:00']))
    expect([...new Set(occurrences.map(({ at }) => at.toISOString().slice(11, 16)))].sort()).toEqual(
      [...utcTimes].sort(),
    )

    const moves = occurrences.filter(({ at }, i) => {
      const previous = occurrences[i - 1]
      return previous !== undefined && at.getTime() - previous.at.getTime() !== 7 * 24 * 3_600_000
    })
    // Clocks change on a Sunday; the first Tuesday after it is the one that moved.
    expect(moves.map(({ local }) => local.slice(0, 10))).toEqual(
      changes.map((sunday) => addDaysLocal(`${sunday}T00:00`, 2).slice(0, 10)),
    )
  },
)

test('a start in a skipped hour moves forward that week only', () => {
  const session: SessionTimes = { ...drLeeOnTuesdays, startsAtLocal: '2027-03-07T02:30' }
  expect(allOccurrences(session).map(({ local }) => local)).toEqual([
    '2027-03-07T02:30',
    '2027-03-14T03:30',
    '2027-03-21T02:30',
  ])
})

test('a moved start is still ahead when clocks already show a later time than planned', () => {
  const session: SessionTimes = { ...drLeeOnTuesdays, startsAtLocal: '2027-03-14T02:30' }
  expect(nextOccurrence(session, new Date('2027-03-14T07:10Z'))).toMatchObject({
    index: 0,
    local: '2027-03-14T03:30',
  })
})

test('a start in a repeated hour is the first pass, and not next again in the second', () => {
  const session: SessionTimes = { ...drLeeOnTuesdays, startsAtLocal: '2026-11-01T01:30' }
  const first = new Date('2026-11-01T05:30Z')
  expect(nextOccurrence(session, justBefore(first))).toMatchObject({ index: 0, at: first })
  expect(nextOccurrence(session, new Date('2026-11-01T06:15Z'))).toMatchObject({
    index: 1,
    local: '2026-11-08T01:30',
  })
})

test('an end is counted in elapsed minutes, also across a clock change', () => {
  const session: SessionTimes = { ...drLeeOnTuesdays, startsAtLocal: '2026-11-01T00:30', durationMinutes: 90 }
  const first = nextOccurrence(session, new Date('2026-10-31T12:00Z'))
  expect(first?.endsAt).toEqual(new Date('2026-11-01T06:00Z'))
})

test('the next occurrence is the one a walk over every week finds', () => {
  const anySession = fc.record({
    startsAtLocal: fc
      .integer({ min: Date.UTC(2025, 0, 1) / 60_000, max: Date.UTC(2028, 0, 1) / 60_000 })
      .map((minutes) => new Date(minutes * 60_000).toISOString().slice(0, 16)),
    timeZone: fc.constantFrom(
      'America/New_York',
      'America/Santiago',
      'Australia/Lord_Howe',
      'Antarctica/Troll',
      'UTC',
    ),
    repeats: fc.constantFrom('weekly' as const, 'once' as const),
    occurrences: fc.option(fc.integer({ min: 1, max: 150 })),
    durationMinutes: fc.constant(60),
  })
  const nearTransition = fc
    .constantFrom(
      '2026-11-01T06:00Z',
      '2027-03-14T07:00Z',
      '2026-09-06T04:00Z',
      '2027-04-03T15:00Z',
      '2026-10-25T01:00Z',
    )
    .chain((change) =>
      fc.integer({ min: -120, max: 120 }).map((minutes) => Date.parse(change) + minutes * 60_000),
    )
  const anyTime = fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2029, 0, 1) })
  const anyMinutesAway = fc.option(fc.integer({ min: -90, max: 90 }), { freq: 2 })
  fc.assert(
    fc.property(
      anySession,
      fc.oneof(anyTime, nearTransition),
      anyMinutesAway,
      (session, time, minutesAway) => {
        const after = new Date(time)
        // Half the sessions start about the time of day asked about, where clock changes bite.
        const startsAtLocal =
          minutesAway === null ? session.startsAtLocal : threeWeeksBefore(after, session, minutesAway)
        const asked = { ...session, startsAtLocal }
        expect(nextOccurrence(asked, after)?.at ?? null).toEqual(walked(asked, after))
      },
    ),
    { numRuns: 2000 },
  )
})

test('a session can be booked while it is open, has seats and has a start ahead', () => {
  const open = { ...drLeeOnTuesdays, status: 'open' as const, seatsLeft: 2 }
  expect(isBookable(open, seventhOfDecember)).toBe(true)
  expect(isBookable({ ...open, seatsLeft: null }, seventhOfDecember)).toBe(true)
  expect(isBookable({ ...open, seatsLeft: 0 }, seventhOfDecember)).toBe(false)
  expect(isBookable({ ...open, status: 'full' }, seventhOfDecember)).toBe(false)
  expect(isBookable({ ...open, status: 'cancelled' }, seventhOfDecember)).toBe(false)
  expect(isBookable({ ...open, repeats: 'once' }, seventhOfDecember)).toBe(false)
})

const tuesdayEvening = new Date('2026-12-02T00:00Z')

test('a reader in New York sees the evening there', () => {
  expect(formatOccurrence(tuesdayEvening, 'America/New_York', 'en')).toEqual({
    weekday: 'Tue',
    date: 'Dec 1',
    day: 'Tue, Dec 1',
    dateInWords: 'December 1',
    time: '7:00 PM',
    zoneName: 'EST',
    iso: '2026-12-02T00:00:00.000Z',
  })
  expect(formatOccurrence(new Date('2026-07-01T16:30Z'), 'America/New_York', 'en')).toMatchObject({
    time: '12:30 PM',
    zoneName: 'EDT',
  })
})

test('a reader in Sydney sees the same instant as the next day', () => {
  expect(formatOccurrence(tuesdayEvening, 'Australia/Sydney', 'en')).toMatchObject({
    weekday: 'Wed',
    date: 'Dec 2',
    time: '11:00 AM',
    zoneName: 'GMT+11',
  })
})

test('a reader of Spanish sees Spanish', () => {
  expect(formatOccurrence(tuesdayEvening, 'Europe/Madrid', 'es')).toEqual({
    weekday: 'mié',
    date: '2 dic',
    day: 'mié 2 de dic',
    dateInWords: '2 de diciembre',
    time: '1:00',
    zoneName: 'CET',
    iso: '2026-12-02T00:00:00.000Z',
  })
})

test.each([
  ['en', '7:00 PM', '7 PM', '7:30 PM'],
  ['en-GB', '19:00', '19:00', '19:30'],
  ['es-US', '7:00 p. m.', '7 p. m.', '7:30 p. m.'],
  ['es-MX', '7:00 p. m.', '7 p. m.', '7:30 p. m.'],
  ['es-CO', '7:00 p. m.', '7 p. m.', '7:30 p. m.'],
  ['es-ES', '19:00', '19:00', '19:30'],
  ['fr', '19:00', '19:00', '19:30'],
  ['fr-CA', '19 h 00', '19 h 00', '19 h 30'],
  ['de', '19:00', '19:00', '19:30'],
])('in %s it is %s, briefly %s, and half an hour later %s', (locale, full, brief, later) => {
  const seven = new Date('2026-12-02T00:00Z')
  const halfPast = new Date('2026-12-02T00:30Z')
  // Outside English, no line ends within a time.
  const spaced = (text: string) => (locale.startsWith('en') ? text : text.replaceAll(' ', '\u00a0'))
  expect(timeOfDay(seven, 'America/New_York', locale)).toBe(spaced(full))
  expect(formatOccurrence(seven, 'America/New_York', locale).time).toBe(spaced(full))
  expect(shortTime(seven, 'America/New_York', locale)).toBe(spaced(brief))
  expect(shortTime(halfPast, 'America/New_York', locale)).toBe(spaced(later))
})

test('noon and midnight are 12, also briefly', () => {
  expect(shortTime(new Date('2026-12-02T17:00Z'), 'America/New_York', 'en')).toBe('12 PM')
  expect(shortTime(new Date('2026-12-02T05:00Z'), 'America/New_York', 'es-US')).toBe('12\u00a0a.\u00a0m.')
})

test.each([
  ['en', 'Wednesday, December 2', 'Wednesday, December 2', 'Wed, Dec 2'],
  ['en-GB', 'Wednesday 2 December', 'Wednesday 2 December', 'Wed 2 Dec'],
  ['es-US', 'miércoles 2 de diciembre', 'Miércoles 2 de diciembre', 'mié 2 de dic'],
  ['es-ES', 'miércoles 2 de diciembre', 'Miércoles 2 de diciembre', 'mié 2 de dic'],
  ['es-AR', 'miércoles 2 de diciembre', 'Miércoles 2 de diciembre', 'mié 2 de dic'],
  ['fr', 'mercredi 2 décembre', 'Mercredi 2 décembre', 'mer. 2 déc.'],
])('in %s a day is %s, as a heading %s, and briefly %s', (locale, day, heading, brief) => {
  const at = new Date('2026-12-03T02:00Z')
  expect(longDay(at, 'America/New_York', locale)).toBe(day)
  expect(dayHeading(at, 'America/New_York', locale)).toBe(heading)
  expect(formatOccurrence(at, 'America/New_York', locale).day).toBe(brief)
})

test('a heading carries the year of a day more than eleven months away', () => {
  const [at, now] = [new Date('2028-01-12T00:00Z'), new Date('2026-11-23T15:00Z')]
  expect(dayHeading(at, 'America/New_York', 'en', now)).toBe('Tuesday, January 11, 2028')
  expect(dayHeading(at, 'America/New_York', 'es-US', now)).toBe('Martes 11 de enero de 2028')
})

test('an end of a range is named by its weekday for a week, and then by its date', () => {
  const monday = new Date('2026-11-30T14:00Z')
  const ends = ['2026-11-30T16:00Z', '2026-12-07T02:30Z', '2026-12-07T14:00Z', '2026-11-29T14:00Z'].map(
    (at) => new Date(at),
  )
  const written = (locale: string) => ends.map((at) => dayAndTime(at, 'America/New_York', locale, monday))
  expect(written('en')).toEqual(['Monday 11 AM', 'Sunday 9:30 PM', 'Dec 7, 9 AM', 'Nov 29, 9 AM'])
  expect(written('es-US').map((text) => text.replaceAll('\u00a0', ' '))).toEqual([
    ...['lunes 11 a. m.', 'domingo 9:30 p. m.', '7 dic, 9 a. m.', '29 nov, 9 a. m.'],
  ])
})

function allOccurrences(session: SessionTimes) {
  const found = []
  let next = nextOccurrence(session, new Date(0))
  while (next && found.length < 200) {
    found.push(next)
    next = nextOccurrence(session, next.at)
  }
  return found
}

function walked(session: SessionTimes, after: Date): Date | null {
  const count = session.repeats === 'once' ? 1 : (session.occurrences ?? 500)
  for (let week = 0; week < count; week++) {
    const { at } = resolveLocal(addDaysLocal(session.startsAtLocal, 7 * week), session.timeZone)
    if (at > after) return at
  }
  return null
}

const threeWeeksBefore = (at: Date, { timeZone }: SessionTimes, minutesAway: number) => {
  const shown = Date.parse(`${addDaysLocal(toLocal(at, timeZone), -21)}Z`)
  return new Date(shown + minutesAway * 60_000).toISOString().slice(0, 16)
}

test.each([
  ['en', 'Tue, Jan 11, 2028', 'January 11, 2028'],
  ['es', 'mar 11 de ene de 2028', '11 de enero de 2028'],
])('in %s a date more than eleven months away carries its year', (locale, day, dateInWords) => {
  const at = new Date('2028-01-12T00:00:00Z')
  const far = formatOccurrence(at, 'America/New_York', locale, new Date('2026-11-23T15:00:00Z'))
  expect(far).toMatchObject({ day, dateInWords })
  expect(formatOccurrence(at, 'America/New_York', locale, new Date('2027-02-23T15:00:00Z')).day).not.toMatch(
    /20/,
  )
  expect(formatOccurrence(at, 'America/New_York', locale, new Date('2028-12-23T15:00:00Z')).day).toBe(day)
})
