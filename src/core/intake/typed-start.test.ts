import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { typedStart } from './typed-start.ts'

test.each([
  ['2026-12-01T19:00', '2026-12-01T19:00'],
  ['2026-12-01T19:00:00', '2026-12-01T19:00'],
  ['2026-12-01 19:00', '2026-12-01T19:00'],
  ['2026-12-01 10:00', '2026-12-01T10:00'],
  ['2026-12-1 7 pm', '2026-12-01T19:00'],
  ['12/1/2026 7:00 PM', '2026-12-01T19:00'],
  ['12/01/2026 07:00 pm', '2026-12-01T19:00'],
  ['12/1/2026, 7 p.m.', '2026-12-01T19:00'],
  ['12/1/2026 at 7pm', '2026-12-01T19:00'],
  // As spreadsheets write it.
  ['12/1/2026 19:00', '2026-12-01T19:00'],
  ['12/1/2026 19:00:00', '2026-12-01T19:00'],
  ['12/1/2026 07:00', '2026-12-01T07:00'],
  ['12/1/2026 12:30', '2026-12-01T12:30'],
  ['12/1/2026 12 AM', '2026-12-01T00:00'],
  ['12/1/2026 12:00 PM', '2026-12-01T12:00'],
  ['Dec 1, 2026 7 PM', '2026-12-01T19:00'],
  ['december 1st 2026 @ 7:30pm', '2026-12-01T19:30'],
  ['Tue, Dec 1, 2026, 7:00 PM', '2026-12-01T19:00'],
  ['Tuesday 12/1/2026 7 PM', '2026-12-01T19:00'],
  ['1 Dec 2026 19:00', '2026-12-01T19:00'],
  ['Sept. 3, 2026 7 PM', '2026-09-03T19:00'],
  // Whether there is such a day is for the calendar to say.
  ['2/30/2026 7 PM', '2026-02-30T19:00'],
  ['2026-12-01T25:00', '2026-12-01T25:00'],
])('"%s" is %s', (text, local) => {
  expect(typedStart(text)).toEqual({ local })
})

test.each([
  ['13/1/2026', 'there is no month 13; write the month first, like 1/13/2026 7:00 PM'],
  ['13/1/2026 7:00 PM', 'write the month first, like 1/13/2026 7:00 PM, or 2026-12-01T19:00'],
  ['1/2/26', 'write the year with four digits'],
  ['1/2/26 7 PM', 'write the year with four digits'],
  ['Dec 1, 26 7 PM', 'write the year with four digits'],
  ['1.2.2026 19:00', 'could be two dates; write the month first, like 2026-12-01T19:00 or 12/1/2026 7:00 PM'],
  ['1-2-2026 19:00', 'could be two dates'],
  ['12/1/2026 7:00', 'say AM or PM: 12/1/2026 7:00 AM, or 12/1/2026 7:00 PM'],
  ['2026-12-01 7:00', 'say AM or PM'],
  ['Dec 1, 2026 10:30', 'say AM or PM: 12/1/2026 10:30 AM, or 12/1/2026 10:30 PM'],
  ['12/1/2026', 'the time is missing; write it like 12/1/2026 7:00 PM'],
  ['12/1/2026 7', 'write the time like 7:00 PM or 19:00'],
  ['12/1/2026 13:00 PM', '13 does not go with AM or PM'],
  ['12/1/2026 0:30 AM', '0 does not go with AM or PM'],
  ['12/1/2026 7:00 PM ET', 'without a zone'],
  ['2026-12-01T19:00Z', 'without a zone'],
  ['2026-12-01T19:00-05:00', 'without a zone'],
  ['Dec 1 7 PM', 'without a year'],
  ['12/1 7 PM', 'without a year'],
  ['Mon, Dec 1, 2026, 7 PM', 'that day is a Tuesday; correct the weekday or the date'],
  ['tomorrow', 'write the local start like 2026-12-01T19:00 or 12/1/2026 7:00 PM'],
  ['46357.7916666667', 'write the local start like'],
  ['mara@sample.test', 'is an address; write the local start like'],
])('"%s" is refused: %s', (text, says) => {
  expect(typedStart(text)).toEqual({ problem: expect.stringContaining(says) })
})

const minutes = fc.date({
  min: new Date('1970-01-01T00:00Z'),
  max: new Date('2099-12-31T23:59Z'),
  noInvalidDate: true,
})

/** Ways to write an instant as if UTC were local; each names one minute only. */
const WAYS: readonly ((date: Date) => string)[] = [
  (date) => date.toISOString().slice(0, 16),
  (date) => date.toISOString().slice(0, 16).replace('T', ' '),
  (date) => american(date, { dateStyle: undefined, month: 'numeric' }),
  (date) => american(date, { month: 'short' }),
  (date) => american(date, { month: 'long', weekday: 'long' }),
  (date) => american(date, { month: 'short', weekday: 'short' }).toLowerCase(),
]

function american(date: Date, options: Intl.DateTimeFormatOptions): string {
  const rest = {
    day: 'numeric',
    year: 'numeric',
    hour: 'numeric',
    minute: '2-digit',
    timeZone: 'UTC',
  } as const
  return date.toLocaleString('en-US', { ...rest, ...options }).replace(/\s/g, ' ')
}

test('whichever way a minute is written, it is read as that minute', () => {
  fc.assert(
    fc.property(minutes, fc.constantFrom(...WAYS), (date, write) => {
      expect(typedStart(write(date))).toEqual({ local: date.toISOString().slice(0, 16) })
    }),
  )
})

test('whatever is written, it is a minute or one sentence that is short and quotes no address', () => {
  const bits = fc.constantFrom(
    '12',
    '1',
    '/',
    '.',
    '-',
    '2026',
    ' ',
    ',',
    ':',
    '7',
    '00',
    'PM',
    'Dec',
    'Tue',
    'T',
    'Z',
    'a@b.test',
  )
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 12 }), (parts) => {
      const read = typedStart(parts.join(''))
      if ('local' in read) expect(read.local).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d$/)
      else {
        expect(read.problem.length).toBeLessThan(220)
        expect(read.problem).not.toContain('@b.test')
      }
    }),
  )
})
