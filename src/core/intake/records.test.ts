import { expect, test } from '@jest/globals'
import { UNSAID } from '../sessions/group.ts'
import {
  columnErrors,
  parseSessionRow,
  parseSubscriberRow,
  SESSION_COLUMNS,
  SUBSCRIBER_COLUMNS,
} from './records.ts'

const topics = new Set(['anxiety', 'grief-and-loss', 'ocd'])
const least = {
  external_id: 'tue-7',
  group: 'Calm together',
  topic: 'anxiety',
  therapist: 'Dr. Lee',
  starts_at: '2026-12-01T19:00',
  time_zone: 'America/New_York',
  booking_url: 'https://book.sample.test/tue-7',
}
const session = (fields: Record<string, unknown>) => parseSessionRow({ ...least, ...fields }, topics)
const subscriber = (fields: Record<string, unknown>) => parseSubscriberRow(fields, topics)

test('as many seats may be left as there are, and not one more', () => {
  expect(session({ seats_total: 8, seats_left: 8 })).toMatchObject({
    ok: true,
    row: { seatsTotal: 8, seatsLeft: 8 },
  })
  expect(session({ seats_total: 8, seats_left: 9 })).toMatchObject({ ok: false })
})

test('the least a session needs is enough, and the rest has its defaults', () => {
  expect(session({})).toEqual({
    ok: true,
    row: {
      ...{
        externalId: 'tue-7',
        group: 'Calm together',
        topic: 'anxiety',
        therapist: 'Dr. Lee',
        kind: 'therapy',
      },
      ...{ startsAtLocal: '2026-12-01T19:00', timeZone: 'America/New_York', durationMinutes: 90 },
      ...{ repeats: 'weekly', occurrences: null, seatsTotal: null, seatsLeft: null, status: 'open' },
      ...UNSAID,
      bookingUrl: 'https://book.sample.test/tue-7',
      absent: SESSION_COLUMNS.known.filter((column) => !SESSION_COLUMNS.required.includes(column)),
    },
  })
})

test('JSON may give numbers and null, and text is folded to one clean line', () => {
  const fields = { duration_minutes: 60, occurrences: null, seats_total: 8, seats_left: '3', kind: 'Skills' }
  expect(session({ ...fields, group: ' Calm\r\n together\t', therapist: '=HYPERLINK("x")' })).toMatchObject({
    row: {
      ...{ durationMinutes: 60, occurrences: null, seatsTotal: 8, seatsLeft: 3, kind: 'skills' },
      ...{ group: 'Calm together', therapist: '=HYPERLINK("x")' },
    },
  })
})

test('a word or number of more than forty characters is not repeated in the error', () => {
  for (const column of ['repeats', 'seats_total']) {
    const wrong = (length: number) => session({ [column]: 'x'.repeat(length) })
    expect(wrong(40)).toMatchObject({ errors: [{ message: expect.stringContaining('x'.repeat(40)) }] })
    expect(wrong(41)).toMatchObject({ errors: [{ message: expect.stringContaining('longer than 40') }] })
    expect(JSON.stringify(wrong(41))).not.toContain('xx')
  }
})

test('without a status, a session with no seats left is full', () => {
  expect(session({ seats_left: 0 })).toMatchObject({ row: { status: 'full' } })
  expect(session({ seats_left: 0, status: 'open' })).toMatchObject({ row: { status: 'open' } })
  expect(session({ seats_left: 1 })).toMatchObject({ row: { status: 'open' } })
})

test.each([
  [{ external_id: '' }, 'external_id', 'is missing'],
  [{ therapist: null }, 'therapist', 'is missing'],
  [{ topic: 'anxeity' }, 'topic', 'unknown topic "anxeity"; did you mean "anxiety"?'],
  [{ topic: 'Grief' }, 'topic', 'did you mean "grief-and-loss"?'],
  [{ time_zone: 'America/NewYork' }, 'time_zone', 'did you mean "America/New_York"?'],
  [{ time_zone: 'Mars/Base' }, 'time_zone', 'write the IANA name'],
  [{ time_zone: 'MST' }, 'time_zone', 'did you mean "America/Denver" or "America/Phoenix"?'],
  [{ time_zone: 'America/Boston' }, 'time_zone', 'write the IANA name of a big city'],
  [{ topic: 'anxiety, ocd' }, 'topic', 'is "anxiety, ocd"; a group has one topic'],
  [{ topic: 'anxiety;ocd' }, 'topic', 'a group has one topic'],
  [{ starts_at: '2026-03-08T02:30' }, 'starts_at', 'the clocks in America/New_York skip that day'],
  [{ starts_at: '2027-02-29T19:00' }, 'starts_at', 'is 2027-02-29T19:00, a date or time that does not exist'],
  [{ starts_at: '2026-04-31T19:00:00' }, 'starts_at', 'a date or time that does not exist'],
  [{ starts_at: '2026-13-01T19:00' }, 'starts_at', 'a date or time that does not exist'],
  [{ starts_at: '2026-12-01T25:00' }, 'starts_at', 'a date or time that does not exist'],
  [{ starts_at: 'next Tuesday' }, 'starts_at', 'write the local start like 2026-12-01T19:00'],
  [{ starts_at: '13/1/2026 7pm' }, 'starts_at', 'there is no month 13; write the month first'],
  [{ starts_at: '3/8/2026 2:30 AM' }, 'starts_at', 'the clocks in America/New_York skip that day'],
  [{ starts_at: '2/29/2027 7 PM' }, 'starts_at', 'a date or time that does not exist'],
  [{ kind: 'support' }, 'kind', 'is "support"; write therapy or skills'],
  [{ repeats: 'every two weeks' }, 'repeats', 'write weekly or once'],
  [{ duration_minutes: '2 hours' }, 'duration_minutes', 'a whole number from 1'],
  [{ starts_at: '2026-12-01T19:00Z' }, 'starts_at', 'without a zone'],
  [{ seats_total: 8, seats_left: 9 }, 'seats_left', 'is 9, over seats_total (8)'],
  [{ seats_left: -1 }, 'seats_left', 'a whole number from 0'],
  [{ duration_minutes: '90.5' }, 'duration_minutes', 'a whole number from 1'],
  [{ duration_minutes: true }, 'duration_minutes', 'neither text nor a number'],
  [{ occurrences: 0 }, 'occurrences', 'a whole number from 1'],
  [{ repeats: 'once', occurrences: 4 }, 'occurrences', 'happens once'],
  [{ repeats: 'daily' }, 'repeats', 'write weekly or once'],
  [{ status: 'closed' }, 'status', 'write open or full or cancelled'],
  [{ booking_url: 'http://book.sample.test/' }, 'booking_url', 'https://'],
  [{ booking_url: 'javascript:alert(1)' }, 'booking_url', 'https://'],
  [{ booking_url: 'https://' }, 'booking_url', 'https://'],
  [{ booking_url: 'https:///x' }, 'booking_url', 'https://'],
  [{ booking_url: 'https://book.sample.test/"><b' }, 'booking_url', 'https://'],
  [{ booking_url: 'https://lee:secret@book.sample.test/' }, 'booking_url', 'user name or password'],
  [{ group: 'Calm\u0000together' }, 'group', 'control character'],
  [{ group: 'Calm \u202eyletarapes' }, 'group', 'control character'],
  [{ group: 'x'.repeat(121) }, 'group', 'longer than 120'],
  [{ group: '\ud800' }, 'group', 'plain text'],
  [{ group: ['Calm'] }, 'group', 'plain text'],
  [{ summary: 'x'.repeat(301) }, 'summary', 'longer than 300'],
  [{ group_url: 'http://sample.test/calm' }, 'group_url', 'https://'],
  [{ language: 'Klingon' }, 'language', 'unknown language "Klingon"; write it like es or Spanish'],
  [{ language: 'en, es' }, 'language', 'write it like es or Spanish'],
  [{ place: 'Room\u00002' }, 'place', 'control character'],
  [{ price: '$'.repeat(201) }, 'price', 'longer than 200'],
])('%j is refused at %s: %s', (fields, field, message) => {
  expect(session(fields)).toEqual({
    ok: false,
    errors: [{ field, message: expect.stringContaining(message) }],
  })
})

test.each([
  [{ starts_at: '12/1/2026 7:00 PM', time_zone: 'Eastern' }, {}],
  [{ starts_at: 'Dec 1, 2026 7 PM', time_zone: 'Boston' }, {}],
  [{ kind: 'Therapy group', repeats: 'Every week' }, {}],
  [
    { repeats: 'One time', kind: 'skills group' },
    { repeats: 'once', kind: 'skills' },
  ],
  [{ status: 'Canceled' }, { status: 'cancelled' }],
  [{ duration_minutes: '60 minutes' }, { durationMinutes: 60 }],
])('%j is understood as people write it', (fields, row) => {
  const plain = {
    startsAtLocal: '2026-12-01T19:00',
    timeZone: 'America/New_York',
    kind: 'therapy',
    repeats: 'weekly',
  }
  expect(session(fields)).toMatchObject({ ok: true, row: { ...plain, ...row } })
})

test('common names of clocks are understood, and stored as a zone', () => {
  expect(session({ time_zone: 'Pacific Time' })).toMatchObject({ row: { timeZone: 'America/Los_Angeles' } })
  expect(subscriber({ email: 'mara@sample.test', time_zone: 'EST5EDT' })).toMatchObject({
    row: { timeZone: 'America/New_York' },
  })
})

test.each([
  ['es', 'es'],
  ['ES', 'es'],
  ['es-MX', 'es'],
  ['Spanish', 'es'],
  ['español', 'es'],
  ['Espanol', 'es'],
  ['inglés', 'en'],
  ['Français', 'fr'],
  ['Haitian Creole', 'ht'],
  ['ASL', 'ase'],
  ['', null],
])('the language %j of a group is %j', (written, language) => {
  expect(session({ language: written })).toMatchObject({ row: { language } })
})

test('invisible characters are dropped around and within every field', () => {
  const marked = Object.fromEntries(
    Object.entries(least).map(([field, text]) => [
      field,
      `\u200b\u202a${text.slice(0, 3)}\ufeff\u00ad${text.slice(3)}\u202c\u00a0`,
    ]),
  )
  expect(parseSessionRow(marked, topics)).toEqual(session({}))
  expect(session({ seats_left: '\u200e3', seats_total: '8\u200b' })).toMatchObject({
    row: { seatsLeft: 3, seatsTotal: 8 },
  })
  expect(
    subscriber({ email: '\u200bmara\u2060@sample.test', name: '\ufeffMara', topics: 'ocd;\u200banxiety' }),
  ).toMatchObject({ row: { email: 'mara@sample.test', name: 'Mara', topics: ['ocd', 'anxiety'] } })
  expect(session({ group: '\u200b\u3164' })).toMatchObject({
    errors: [{ field: 'group', message: expect.stringContaining('is missing') }],
  })
  // Persian spells with a joiner, and emoji are made with them.
  expect(session({ group: 'می\u200cخواهم 👩\u200d💻' })).toMatchObject({
    row: { group: 'می\u200cخواهم 👩\u200d💻' },
  })
})

test('an error says how to separate topics if they are separated by something else', () => {
  expect(subscriber({ email: 'mara@sample.test', topics: 'anxiety, ocd' })).toEqual({
    ok: false,
    errors: [
      {
        field: 'topics',
        message: 'has "anxiety, ocd"; separate topics with ; (for example anxiety;depression)',
      },
    ],
  })
})

test('every problem of a row is named, not only the first', () => {
  const result = session({ topic: 'x', time_zone: 'y', seats_left: 'z' })
  expect(result.ok ? [] : result.errors.map((error) => error.field).sort()).toEqual([
    ...['seats_left', 'time_zone', 'topic'],
  ])
})

test('a subscriber row gives a normalized address, and topics once each, from CSV or a JSON list', () => {
  const row = {
    email: 'mara@xn--bcher-kva.test',
    name: 'Mara',
    timeZone: null,
    locale: null,
    topics: ['ocd', 'anxiety'],
  }
  expect(subscriber({ email: ' MARA@bücher.test', name: 'Mara', topics: 'OCD; anxiety;;ocd' })).toEqual({
    ok: true,
    row,
  })
  expect(subscriber({ email: 'mara@bücher.test', name: 'Mara', topics: ['ocd', 'anxiety'] })).toEqual({
    ok: true,
    row,
  })
  expect(subscriber({ email: 'mara@sample.test', topics: '' })).toMatchObject({
    row: { name: null, topics: null },
  })
})

test('no message about a subscriber repeats an address, whichever column it slipped into', () => {
  const address = 'jonas@sample.test'
  const results = [
    subscriber({ email: `${address}, ${address}`, name: `${address}\u0000` }),
    subscriber({ email: address, time_zone: address, topics: `anxiety;${address}` }),
    { errors: columnErrors([address, 'x'], SUBSCRIBER_COLUMNS) },
  ]
  expect(JSON.stringify(results)).not.toContain('jonas')
})

test('columns may come in any order; unknown, repeated and missing ones are named', () => {
  expect(columnErrors(SESSION_COLUMNS.known.toReversed(), SESSION_COLUMNS)).toEqual([])
  expect(columnErrors(['emial', 'name', 'name'], SUBSCRIBER_COLUMNS)).toEqual([
    { field: 'emial', message: 'is not a known column; did you mean "email"?' },
    { field: 'name', message: expect.stringContaining('twice') },
    { field: 'email', message: expect.stringContaining('missing') },
  ])
})

test('a column name that is too long to be one is not quoted, because it may be what someone wrote', () => {
  const fieldOf = (column: string) => columnErrors(['email', column], SUBSCRIBER_COLUMNS)[0]?.field
  expect(fieldOf('n'.repeat(60))).toBe('n'.repeat(60))
  expect(fieldOf('n'.repeat(61))).toBe('column 2')
})

test.each([
  [['email;name']],
  [['email,name']],
  [[SESSION_COLUMNS.known.join(';')]],
  [[SESSION_COLUMNS.known.join('\t')]],
  [['email', 'name;time_zone']],
])('in %j the separator is the one problem named', (columns) => {
  expect(columnErrors(columns, SUBSCRIBER_COLUMNS)).toEqual([
    expect.objectContaining({ message: expect.stringContaining('separate the columns with commas') }),
  ])
})

test('a file without a header line is reported once, without quoting its content', () => {
  expect(columnErrors(['ann@sample.test', 'Ann'], SUBSCRIBER_COLUMNS)).toEqual([
    {
      field: 'header',
      message: 'has no known column; the first line must look like email,name,time_zone,locale,topics',
    },
  ])
})
