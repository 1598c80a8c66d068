import { expect, test } from '@jest/globals'
import { columnIn, dayIn, numberIn, orderOf, startIn } from './spreadsheet.ts'

test.each([
  [['12/1/2026 7:00 PM', '12/25/2026 7:00 PM'], { kind: 'known', order: 'month-first' }],
  [['1.12.2026 19:00', '25.12.2026 19:00'], { kind: 'known', order: 'day-first' }],
  [['1/12/2026 19:00', '2/12/2026 19:00'], { kind: 'either', example: '1/12/2026 19:00' }],
  [['12/25/2026 19:00', '25/12/2026 19:00'], { kind: 'mixed', example: '25/12/2026 19:00' }],
  [['2026-12-01T19:00', 'Dec 1, 2026, 7 PM'], { kind: 'none' }],
])('the dates %j are %j', (starts, order) => expect(orderOf(starts)).toEqual(order))

test.each([
  ['1/12/2026 7:00 PM', 'month-first', '2026-01-12T19:00'],
  ['1/12/2026 7:00 PM', 'day-first', '2026-12-01T19:00'],
  ['01.12.2026 19:00', 'day-first', '2026-12-01T19:00'],
  ['2026-12-01T19:00', 'day-first', '2026-12-01T19:00'],
  ['1/12/2026', 'day-first', '1/12/2026'],
] as const)('%s, %s, is %s', (start, order, iso) => expect(startIn(start, order)).toBe(iso))

test('what a spreadsheet writes of columns, days and numbers', () => {
  expect(['Starts at', ' SEATS LEFT ', 'time-zone'].map(columnIn)).toEqual([
    'starts_at',
    'seats_left',
    'time_zone',
  ])
  expect([dayIn('1/12/2026', 'day-first'), dayIn('1/12/2026', 'month-first')]).toEqual([
    'December 1',
    'January 12',
  ])
  expect([' 8 ', '1\u00a0000', '8 spots'].map(numberIn)).toEqual(['8', '1000', '8 spots'])
})
