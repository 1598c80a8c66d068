import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { UNSAID } from '../sessions/group.ts'
import type { Offer } from '../sessions/offers.ts'
import { type JudgedEdition, type KnownCandidate, openJudge } from './judge.ts'
import { isUnchanged, type NewsState } from './news.ts'

const ADA: KnownCandidate = {
  id: 1,
  status: 'active',
  suppressed: false,
  pausedUntil: null,
  cadence: 'weekly',
  lastEditionId: null,
  seenThrough: 5,
  topicRows: [],
}

const GROUP: Offer = {
  id: 1,
  seq: 3,
  addedSeq: 3,
  news: 'new',
  topicId: 1,
  topic: 'Anxiety',
  topicNames: {},
  groupId: 1,
  ...UNSAID,
  group: 'Steady Ground',
  kind: 'therapy',
  therapist: 'Dr. Mira Lee',
  startsAt: '2026-12-02T00:00:00.000Z',
  lastStartsAt: null,
  durationMinutes: 60,
  timeZone: 'America/New_York',
  repeats: 'weekly',
  seatsLeft: null,
  bookingUrl: 'https://book.sample.test/1',
}

const EDITION: JudgedEdition = {
  id: '2026-11-23',
  throughSeq: 9,
  offers: [GROUP],
  at: new Date('2026-11-23T14:00:00Z'),
  max: 2,
  resend: null,
}

test('a resend of failed emails goes by what a reader has seen, and one that repeats by what they had seen then', () => {
  const judge = (again: boolean) => openJudge({ ...EDITION, resend: { again } })
  const candidate = { ...ADA, firstSeenThrough: 0 }
  expect(judge(false).exclude(candidate)).toBe('nothing-new')
  expect(judge(true).exclude(candidate)).toBeNull()
})

test('the months of a monthly reader count for the edition itself, not for a resend', () => {
  const monthly: KnownCandidate = {
    ...ADA,
    seenThrough: 0,
    cadence: 'monthly',
    lastEditionId: '2026-11-16',
  }
  expect(openJudge(EDITION).exclude(monthly)).toBe('monthly-not-due')
  expect(openJudge({ ...EDITION, resend: { again: false } }).exclude(monthly)).toBeNull()
})

test.each([
  [{ inDoubtIn: '2026-11-30', waitsIn: '2026-12-07' }, 'in-doubt'],
  [{ inDoubtIn: null, waitsIn: '2026-12-07' }, 'superseded'],
])('a resend leaves a reader with %j to the later edition; one that repeats does not', (facts, reason) => {
  const candidate = { ...ADA, seenThrough: 0, firstSeenThrough: 0, ...facts }
  expect(openJudge({ ...EDITION, resend: { again: false } }).exclude(candidate)).toBe(reason)
  expect(openJudge({ ...EDITION, resend: { again: true } }).exclude(candidate)).toBeNull()
})

// Planning asks `exclude`, the last checks and previews ask `select`: whom one lets pass the other must not leave out.
test('whether a reader gets an email, and what it shows, always agree', () => {
  fc.assert(
    fc.property(anEdition, fc.array(aCandidate, { minLength: 1, maxLength: 8 }), (edition, candidates) => {
      const judge = openJudge(edition)
      for (const candidate of candidates) {
        const judgment = judge.select(candidate, candidate.id)
        expect(judgment.exclusion).toBe(judge.exclude(candidate))
        if (judgment.exclusion === null) expect(judgment.selection.shown.length).toBeGreaterThan(0)
      }
    }),
    { numRuns: 1_000 },
  )
})

const aSeq = fc.integer({ min: 1, max: 12 })
const aTopic = fc.constantFrom(1, 2, 3)

const aState: fc.Arbitrary<NewsState> = fc.record({
  seq: aSeq,
  topicId: fc.option(aTopic),
  times: fc.constantFrom('Mon 9', 'Tue 9'),
  reopened: fc.integer({ min: 0, max: 2 }),
})

const anOffer = fc
  .record({
    topicId: aTopic,
    seq: aSeq,
    seatsLeft: fc.option(fc.integer({ min: 1, max: 5 })),
    history: fc.option(fc.array(aState, { minLength: 1, maxLength: 3 }), { freq: 2 }),
  })
  .map(({ history, ...offer }): Offer => {
    const states = history?.sort((a, b) => a.seq - b.seq)
    const seq = states?.at(-1)?.seq ?? offer.seq
    return { ...GROUP, ...offer, seq, addedSeq: states?.[0]?.seq ?? seq, ...(states && { history: states }) }
  })

const anEdition: fc.Arbitrary<JudgedEdition> = fc
  .record({
    offers: fc.array(anOffer, { maxLength: 6 }),
    throughSeq: aSeq,
    max: fc.integer({ min: 1, max: 3 }),
    resend: fc.option(fc.record({ again: fc.boolean() })),
  })
  .map(({ offers, ...edition }) => ({
    ...EDITION,
    ...edition,
    offers: offers
      .map((offer, index) => ({ ...offer, id: index + 1 }))
      .filter((offer) => isUnchanged(offer, edition.throughSeq)),
  }))

const aCandidate = fc
  .record({
    id: fc.integer({ min: 1, max: 99 }),
    status: fc.constantFrom(
      'active' as const,
      'active' as const,
      'pending' as const,
      'unsubscribed' as const,
    ),
    suppressed: fc.constantFrom(false, false, false, true),
    cadence: fc.constantFrom('weekly' as const, 'weekly' as const, 'monthly' as const),
    lastEditionId: fc.option(fc.constantFrom('2026-10-12', '2026-11-16')),
    seenThrough: fc.integer({ min: 0, max: 12 }),
    topicRows: fc.uniqueArray(
      fc.record({ topicId: aTopic, chosen: fc.boolean(), seenThrough: fc.option(aSeq) }),
      { selector: ({ topicId }) => topicId },
    ),
    firstSeenThrough: fc.integer({ min: 0, max: 12 }),
    inDoubtIn: fc.option(fc.constant('2026-11-30')),
    waitsIn: fc.option(fc.constant('2026-11-30')),
  })
  .map((candidate) => ({ ...candidate, pausedUntil: null }))
