import { expect, test } from '@jest/globals'
import ICAL from 'ical.js'
import { loadCatalogs } from '../../templates/catalogs.ts'
import { nextOccurrence } from '../time/occurrences.ts'
import { vtimezone } from '../time/vtimezone.ts'
import { translatorFor } from '../words/words.ts'
import { UNSAID } from './group.ts'
import { type DatedSession, privateCalendar, sessionCalendar } from './ics.ts'

const PUBLIC_URL = 'https://groups.harbor.test'
/** Before every session here: nothing of a series is over. */
const EPOCH = new Date(0)
const words = await loadCatalogs()
const translator = translatorFor(words, 'en')

const steadyGround: DatedSession = {
  id: 12,
  externalId: 'steady-ground',
  topicId: 1,
  topicSlug: 'anxiety',
  topicName: 'Anxiety',
  topicNames: {},
  groupId: 1,
  ...UNSAID,
  kind: 'therapy',
  group: 'Steady Ground',
  therapist: 'Dr. Mira Lee',
  startsAtLocal: '2026-12-01T19:00',
  timeZone: 'America/New_York',
  durationMinutes: 90,
  repeats: 'weekly',
  occurrences: null,
  seatsTotal: 8,
  seatsLeft: 3,
  status: 'open',
  bookingUrl: 'https://book.harbor.test/steady-ground?from=calendar;a,b',
  seq: 4,
  addedSeq: 4,
  news: 'new',
  revision: 0,
  revisedAt: Date.parse('2026-11-20T10:00:00Z'),
  newsAt: Date.parse('2026-11-20T09:00:00Z'),
}

const owner = {
  practice: 'Harbor Groups',
  publicUrl: PUBLIC_URL,
  discreet: false,
  timeZone: 'America/New_York',
  translator,
  now: EPOCH,
}

const eventsIn = (text: string) =>
  new ICAL.Component(ICAL.parse(text)).getAllSubcomponents('vevent').map((one) => new ICAL.Event(one))

/** The one event of the calendar, as another program reads it. */
function eventIn(text: string): ICAL.Event {
  const [event, ...more] = eventsIn(text)
  if (!event || more.length > 0) throw new Error('not exactly one event')
  return event
}

/** The first instants at which it takes place, worked out by the other program from the calendar alone. */
function instantsIn(text: string, count: number): string[] {
  const iterator = eventIn(text).iterator()
  return Array.from({ length: count }, () => iterator.next()?.toJSDate().toISOString() ?? 'over')
}

function ourInstants(session: DatedSession, count: number): string[] {
  const instants: string[] = []
  let after = new Date(0)
  while (instants.length < count) {
    const next = nextOccurrence(session, after)
    if (next) after = next.at
    instants.push(next?.at.toISOString() ?? 'over')
  }
  return instants
}

test('one session is one event, with what a calendar needs', () => {
  const event = eventIn(sessionCalendar(steadyGround, PUBLIC_URL, translator, EPOCH))
  expect(event.uid).toBe('session-12@groups.harbor.test')
  expect(event.summary).toBe('Steady Ground (not reserved yet)')
  expect(event.description).toBe(
    'Group with Dr. Mira Lee.\nNothing is reserved yet. This only shows when the group meets.\nTo reserve a spot: https://book.harbor.test/steady-ground?from=calendar;a,b',
  )
  expect(event.startDate.toString()).toBe('2026-12-01T19:00:00')
  expect(event.startDate.zone.tzid).toBe('America/New_York')
  expect(event.startDate.toJSDate()).toEqual(new Date('2026-12-02T00:00:00Z'))
  expect(event.duration.toSeconds()).toBe(90 * 60)
  const value = (name: string) => String(event.component.getFirstPropertyValue(name))
  expect(value('dtstamp')).toBe('2026-11-20T10:00:00Z')
  expect([value('status'), value('sequence'), value('rrule')]).toEqual(['TENTATIVE', '0', 'FREQ=WEEKLY'])
})

test('a moved session keeps its UID under a higher SEQUENCE, and a cancelled one says so', () => {
  const moved = eventIn(
    sessionCalendar(
      { ...steadyGround, startsAtLocal: '2026-12-03T18:00', revision: 1 },
      PUBLIC_URL,
      translator,
      EPOCH,
    ),
  )
  const cancelled = eventIn(
    sessionCalendar({ ...steadyGround, status: 'cancelled', revision: 2 }, PUBLIC_URL, translator, EPOCH),
  )
  expect([moved.uid, cancelled.uid]).toEqual(Array(2).fill('session-12@groups.harbor.test'))
  expect([moved.sequence, cancelled.sequence]).toEqual([1, 2])
  expect(moved.startDate.toString()).toBe('2026-12-03T18:00:00')
  expect(cancelled.component.getFirstPropertyValue('status')).toBe('CANCELLED')
})

test.each([
  ['America/New_York', '2026-10-06T19:00'],
  ['Europe/London', '2026-09-30T18:30'],
  ['Australia/Sydney', '2026-03-02T07:15'],
  // Rules that are not "the second Sunday", and zones that have no rule.
  ['America/Santiago', '2026-03-03T19:00'],
  ['Asia/Jerusalem', '2026-03-01T19:00'],
  ['Africa/Cairo', '2026-03-01T19:00'],
  ['Africa/Casablanca', '2026-01-06T19:00'],
  ['Australia/Lord_Howe', '2026-03-01T19:00'],
  ['America/Mexico_City', '2022-03-01T19:00'],
  ['Asia/Kolkata', '2026-03-01T19:00'],
  ['UTC', '2026-03-01T19:00'],
])('in %s from %s, 60 weeks are the same to another program as to us', (timeZone, startsAtLocal) => {
  const session = { ...steadyGround, timeZone, startsAtLocal }
  expect(instantsIn(sessionCalendar(session, PUBLIC_URL, translator, EPOCH), 60)).toEqual(
    ourInstants(session, 60),
  )
})

test('far ahead the rule still holds', () => {
  const session = { ...steadyGround, startsAtLocal: '2026-07-07T19:00' }
  const weeks = 52 * 40
  expect(instantsIn(sessionCalendar(session, PUBLIC_URL, translator, EPOCH), weeks).at(-1)).toBe(
    ourInstants(session, weeks).at(-1),
  )
})

test('a series ends after its last meeting, and a single meeting has no rule', () => {
  const three = { ...steadyGround, occurrences: 3 }
  expect(instantsIn(sessionCalendar(three, PUBLIC_URL, translator, EPOCH), 4)).toEqual(ourInstants(three, 4))
  expect(instantsIn(sessionCalendar(three, PUBLIC_URL, translator, EPOCH), 4)).toContain('over')
  const once = sessionCalendar(
    { ...steadyGround, repeats: 'once', occurrences: 3 },
    PUBLIC_URL,
    translator,
    EPOCH,
  )
  expect(eventIn(once).isRecurring()).toBe(false)
})

test.each([
  // Winter and summer, the moment before a meeting is over and the moment after.
  ['2020-01-08T00:30:00Z', '2020-01-07T19:00:00', null],
  ['2026-11-25T01:29:00Z', '2026-11-24T19:00:00', null],
  ['2026-11-25T01:31:00Z', '2026-12-01T19:00:00', '2026-11-25T01:30:00Z'],
  ['2026-07-01T12:00:00Z', '2026-07-07T19:00:00', '2026-07-01T00:30:00Z'],
])('at %s a series of old is put into a calendar from %s on', (now, start, since) => {
  const old = { ...steadyGround, startsAtLocal: '2020-01-07T19:00', revisedAt: 0 }
  const event = eventIn(sessionCalendar(old, PUBLIC_URL, translator, new Date(now)))
  expect(event.startDate.toString()).toBe(start)
  expect(String(event.component.getFirstPropertyValue('rrule'))).toBe('FREQ=WEEKLY')
  const stamp = String(event.component.getFirstPropertyValue('dtstamp'))
  if (since) expect(stamp).toBe(since)
})

test('a series of ten of which seven are over has three left, and one that has ended keeps its last', () => {
  const ten = { ...steadyGround, occurrences: 10 }
  const left = (now: string) => {
    const text = sessionCalendar(ten, PUBLIC_URL, translator, new Date(now))
    return instantsIn(text, 4).filter((at) => at !== 'over')
  }
  expect(left('2027-01-13T15:00:00Z')).toEqual(ourInstants(ten, 10).slice(7))
  expect(left('2027-06-01T15:00:00Z')).toEqual(ourInstants(ten, 10).slice(9))
  expect(left('2026-11-01T15:00:00Z')).toEqual(ourInstants(ten, 4))
})

test('every zone that an event names comes with its rules, once', () => {
  const zones = ['America/New_York', 'Europe/London', 'America/New_York', 'UTC']
  const text = privateCalendar(
    zones.map((timeZone, id) => ({ ...steadyGround, id, timeZone })),
    owner,
  )
  const told = new ICAL.Component(ICAL.parse(text))
    .getAllSubcomponents('vtimezone')
    .map((zone) => zone.getFirstPropertyValue('tzid'))
  expect(told).toEqual(['America/New_York', 'Europe/London'])
  expect(new Set(text.match(/(?<=TZID=)[^:]+/g))).toEqual(new Set(told))
  expect(eventsIn(text).map((event) => event.uid)).toEqual(
    zones.map((_, id) => `session-${id}@groups.harbor.test`),
  )
})

test('the rules are the ones that calendars know best', () => {
  expect(vtimezone('America/New_York', 2026).match(/RRULE:.*/g)).toEqual([
    'RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU',
    'RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU',
  ])
  expect(vtimezone('Europe/London', 2026).match(/RRULE:.*/g)).toEqual([
    'RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU',
    'RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU',
  ])
})

test.each([
  ['commas and semicolons', 'Calm, steady; and \\ "kind": a group', 'Calm, steady; and \\ "kind": a group'],
  ['line breaks', 'Calm\r\nSTATUS:CANCELLED\nEND:VEVENT\rX', 'Calm STATUS:CANCELLED END:VEVENT X'],
  ['emoji and half of one', '👩🏽‍⚕️ Calm \ud83d', '👩🏽‍⚕️ Calm \ufffd'],
  ['control characters', 'Ca\0l\x07m', 'Ca l m'],
  ['300 characters', '日本語ふくむ長い名前'.repeat(30), '日本語ふくむ長い名前'.repeat(30)],
])('a title with %s stays a title, in lines of 75 octets', (_, group, read) => {
  const hostile = { ...steadyGround, group, therapist: group, place: group }
  for (const text of [
    sessionCalendar(hostile, PUBLIC_URL, translator, EPOCH),
    privateCalendar([hostile], { ...owner, practice: group }),
  ]) {
    expect(eventIn(text).summary).toBe(`${read} (not reserved yet)`)
    expect(eventIn(text).location).toBe(read)
    expect(eventIn(text).component.getFirstPropertyValue('status')).toBe('TENTATIVE')
    const lines = text.split('\r\n')
    expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(75)
    expect(lines.join('')).not.toMatch(/[\r\n]/)
    expect(text.endsWith('END:VCALENDAR\r\n')).toBe(true)
    expect(text.isWellFormed()).toBe(true)
  }
  const named = new ICAL.Component(ICAL.parse(privateCalendar([], { ...owner, practice: group })))
  // The other program takes the name as it stands, as it does with any property that RFC 5545 lacks.
  const name = String(named.getFirstPropertyValue('name')).replace(/\\([\\;,])/g, '$1')
  expect(name).toBe(`${read}: open group times`)
})

test('a booking address that is not on the web is left out', () => {
  const { description } = eventIn(
    sessionCalendar({ ...steadyGround, bookingUrl: 'javascript:alert(1)' }, PUBLIC_URL, translator, EPOCH),
  )
  expect(description).toBe(
    'Group with Dr. Mira Lee.\nNothing is reserved yet. This only shows when the group meets.',
  )
})

test('a discreet calendar says when, and nothing else', () => {
  for (const text of [
    privateCalendar([steadyGround], { ...owner, discreet: true }),
    sessionCalendar(steadyGround, PUBLIC_URL, translator, EPOCH, { discreet: true }),
  ]) {
    expect(eventIn(text).summary).toBe('Possible appointment')
    expect(text).not.toMatch(/Steady|Mira|Anxiety|Group with|Harbor Groups|book\.harbor|therap/i)
  }
})

test('no event makes anyone busy or says that something is booked', () => {
  for (const discreet of [false, true])
    for (const text of [
      privateCalendar([steadyGround], { ...owner, discreet }),
      sessionCalendar(steadyGround, PUBLIC_URL, translator, EPOCH, { discreet }),
    ])
      expect(text.split('\r\n')).toEqual(
        expect.arrayContaining(['STATUS:TENTATIVE', 'TRANSP:TRANSPARENT', 'CLASS:PRIVATE']),
      )
})

test('a private calendar hides titles from others, and is fetched again', () => {
  const text = privateCalendar([steadyGround], owner)
  for (const line of ['CLASS:PRIVATE', 'X-PUBLISHED-TTL:PT4H', 'REFRESH-INTERVAL;VALUE=DURATION:PT4H'])
    expect(text.split('\r\n')).toContain(line)
})

test('a calendar without a time is still a valid one', () => {
  const calendar = new ICAL.Component(ICAL.parse(privateCalendar([], owner)))
  expect(calendar.getAllSubcomponents().map(({ name }) => name)).toEqual(['vtimezone'])
})

test('the same session makes the same bytes, and they have not changed by themselves', () => {
  const text = sessionCalendar(steadyGround, PUBLIC_URL, translator, EPOCH)
  expect(sessionCalendar({ ...steadyGround }, PUBLIC_URL, translator, EPOCH)).toBe(text)
  expect(text.replaceAll('\r\n', '\n')).toMatchInlineSnapshot(`
"BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Openseat//Openseat//EN
BEGIN:VTIMEZONE
TZID:America/New_York
BEGIN:DAYLIGHT
DTSTART:20250309T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20251102T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:session-12@groups.harbor.test
SEQUENCE:0
DTSTAMP:20261120T100000Z
DTSTART;TZID=America/New_York:20261201T190000
DTEND;TZID=America/New_York:20261201T203000
RRULE:FREQ=WEEKLY
SUMMARY:Steady Ground (not reserved yet)
TRANSP:TRANSPARENT
DESCRIPTION:Group with Dr. Mira Lee.\\nNothing is reserved yet. This only s
 hows when the group meets.\\nTo reserve a spot: https://book.harbor.test/st
 eady-ground?from=calendar\\;a\\,b
STATUS:TENTATIVE
CLASS:PRIVATE
END:VEVENT
END:VCALENDAR
"
`)
})

test('it speaks the language of who asked', () => {
  const spanish = translatorFor(words, 'es')
  const event = eventIn(sessionCalendar({ ...steadyGround, kind: 'skills' }, PUBLIC_URL, spanish, EPOCH))
  expect(event.description).toContain('Grupo de habilidades. Terapeuta: Dr. Mira Lee.')
  expect(event.description).toContain('Para reservar un lugar: https://book.harbor.test/')
  const discreet = privateCalendar([steadyGround], { ...owner, discreet: true, translator: spanish })
  expect(eventIn(discreet).summary).toBe('Posible cita')
  expect(new ICAL.Component(ICAL.parse(discreet)).getFirstPropertyValue('x-wr-calname')).toBe('Calendario')
})
