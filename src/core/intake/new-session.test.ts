import { expect, test } from '@jest/globals'
import type { Session } from '../sessions/offers.ts'
import { completed, newExternalId, type Practice, problemWith, suggestionsFor } from './new-session.ts'

const known = {
  ...{ externalId: 'steady-ground-tue-1900', group: 'Steady Ground', topicSlug: 'anxiety', kind: 'skills' },
  ...{ therapist: 'Dr. Mira Lee', timeZone: 'America/Chicago', durationMinutes: 60, status: 'open' },
  bookingUrl: 'https://book.sample.test/steady',
} as Session
const practice: Practice = {
  sessions: [known],
  topics: new Set(['anxiety', 'ocd']),
  zone: 'America/New_York',
  limit: { today: '2026-11-23', farAhead: false },
}

test('a known group suggests its own values, and any other the usual ones', () => {
  expect(suggestionsFor({ group: ' steady ground' }, practice)).toEqual({
    ...{ topic: 'anxiety', kind: 'skills', therapist: 'Dr. Mira Lee', time_zone: 'America/Chicago' },
    ...{ repeats: 'weekly', duration_minutes: '60', booking_url: 'https://book.sample.test/steady' },
  })
  const usual = { time_zone: 'America/New_York', kind: 'therapy', repeats: 'weekly', duration_minutes: '90' }
  expect(suggestionsFor({ group: 'Steady' }, practice)).toEqual(usual)
  const ended = { ...practice, sessions: [{ ...known, status: 'cancelled' as const }] }
  expect(suggestionsFor({ group: 'Steady Ground' }, ended)).toEqual(usual)
})

test('without questions, a known group keeps its spelling and kind, and nothing else is guessed', () => {
  expect(completed({ group: 'STEADY ground', topic: 'Anxiety' }, practice)).toEqual({
    ...{ group: 'Steady Ground', topic: 'Anxiety', kind: 'skills', time_zone: 'America/New_York' },
  })
  expect(completed({ group: 'Steady Ground', topic: 'ocd', kind: 'therapy' }, practice)).toEqual({
    ...{ group: 'Steady Ground', topic: 'ocd', kind: 'therapy', time_zone: 'America/New_York' },
  })
})

test.each([
  ['topic', 'ocd', null],
  ['topic', 'odc', 'did you mean "ocd"?'],
  ['therapist', '', 'is missing'],
  ['starts_at', '3/14/2027 2:30 AM', 'skip that day'],
  ['starts_at', '12/1/2029 7 PM', 'more than two years ahead'],
  ['booking_url', 'book.sample.test', 'starts with https://'],
  ['seats_left', '', null],
])('an answer is checked by the rules of the import: %s "%s"', (column, answer, says) => {
  const problem = problemWith(column, { [column]: answer }, practice)
  if (says === null) expect(problem).toBeNull()
  else expect(problem).toEqual({ field: column, message: expect.stringContaining(says) })
})

test('an external id says which session it is, and no other session has it', () => {
  const at = { startsAtLocal: '2026-12-01T19:00' }
  expect(newExternalId({ group: 'Grief & Añoranza (new)', ...at }, [])).toBe('grief-anoranza-new-tue-1900')
  expect(newExternalId({ group: '静か', ...at }, [])).toBe('session-tue-1900')
  const taken = [known, { externalId: 'steady-ground-tue-1900-2' }]
  expect(newExternalId({ group: 'Steady Ground', ...at }, taken)).toBe('steady-ground-tue-1900-3')
})
