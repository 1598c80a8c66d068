import { expect, test } from '@jest/globals'
import { withIsoDates } from './iso-dates.ts'

test('instants also stand there as dates, at any depth, and everything else stays as it is', () => {
  const data = { at: 0, seenThrough: 7, status: 'x', list: [{ createdAt: 86_400_000, changedAt: null }] }
  expect(withIsoDates({ ...data, pausedUntil: 1_000, before: null })).toEqual({
    ...data,
    atIso: '1970-01-01T00:00:00.000Z',
    list: [{ createdAt: 86_400_000, createdAtIso: '1970-01-02T00:00:00.000Z', changedAt: null }],
    pausedUntil: 1_000,
    pausedUntilIso: '1970-01-01T00:00:01.000Z',
    before: null,
  })
})
