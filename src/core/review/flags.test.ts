import { expect, test } from '@jest/globals'
import { UNSAID } from '../sessions/group.ts'
import { offersAt, type Session } from '../sessions/offers.ts'
import { decide, flagsWhileWaiting, keysOf, UNREVIEWED } from './decision.ts'
import { type Facts, type Flag, flagsOf } from './flags.ts'

const SLOT = new Date('2026-11-30T14:00:00Z')
const LAST = { id: '2026-11-23', people: 100 }
const URL = 'https://book.harbor.org/a'

let ids = 0
type Given = Session & { newsAt: number }
const aSession = (given: Partial<Given> = {}): Given => ({
  ...UNSAID,
  ...{ id: (ids += 1), externalId: `s${ids}`, topicId: 1, topicSlug: 'anxiety', topicName: 'Anxiety' },
  ...{ topicNames: {}, groupId: 1, kind: 'therapy', group: 'Steady Ground', therapist: 'Dr. Mira Lee' },
  ...{ startsAtLocal: '2026-12-01T19:00', timeZone: 'America/New_York', durationMinutes: 90 },
  ...{ repeats: 'weekly', occurrences: null, seatsTotal: null, seatsLeft: null, status: 'open' },
  ...{ bookingUrl: URL, seq: 11, addedSeq: 11, news: 'new', newsAt: SLOT.getTime() - 86_400_000 },
  ...given,
})

/** An edition with nothing odd, ten after the last one's `seq`. */
function flagsFor(sessions: readonly Given[], given: Partial<Facts> = {}): Flag[] {
  return flagsOf({
    ...{ now: SLOT, slot: SLOT, throughSeq: 100, seenThrough: 10, people: 100, last: LAST },
    ...{ earlierNews: [2, 2, 2, 2], mailedHosts: new Set(['book.harbor.org']), answers: {}, failing: [] },
    offers: offersAt(sessions, SLOT),
    changed: sessions.filter(({ seq }) => seq > 10),
    ...given,
  })
}

const names = (flags: readonly Flag[]) => flags.map(({ name }) => name)
const six = () => Array.from({ length: 6 }, () => aSession())

test('an ordinary edition is clear', () => {
  expect(flagsFor(six())).toEqual([])
})

test('no news, and more than three times the usual, of which four editions must tell', () => {
  expect(flagsFor([aSession({ seq: 9 })])).toEqual([{ name: 'no-news' }])
  expect(flagsFor([])).toEqual([{ name: 'no-news' }])
  const seven = [...six(), aSession()]
  expect(flagsFor(seven)).toEqual([{ name: 'many-news', news: 7, usual: 2 }])
  expect(flagsFor(seven, { earlierNews: [1, 2, 3, 40] })).toEqual([]) // 2.5
  expect(flagsFor(seven, { earlierNews: [2, 2, 2] })).toEqual([])
  expect(flagsFor(six().slice(3), { earlierNews: [0, 0, 0, 0] })).toEqual([])
})

test.each([
  [81, []],
  [80, ['fewer-people']],
  [0, ['fewer-people']],
  [149, []],
  [150, ['more-people']],
])('%s people instead of 100: %j', (people, flags) => {
  expect(names(flagsFor(six(), { people }))).toEqual(flags)
  expect(flagsFor(six(), { people, last: null })).toEqual([])
})

test('a host that no email has led to, also one that only looks like ours', () => {
  const sessions = [aSession({ bookingUrl: 'https://book.harbor.org.evil.net/a' }), aSession()]
  expect(flagsFor(sessions)).toEqual([{ name: 'new-host', hosts: ['book.harbor.org.evil.net'] }])
  expect(flagsFor(sessions, { mailedHosts: new Set() })).toEqual([])
})

test.each([
  [404, true],
  [410, true],
  [500, true],
  [503, true],
  [200, false],
  [403, false],
  [429, false],
  [null, false],
])('a booking link that answers %s is flagged: %s', (status, is) => {
  const flag = { name: 'dead-link', links: [{ url: URL, status: status ?? 0 }] }
  expect(flagsFor(six(), { answers: { [URL]: status } })).toEqual(is ? [flag] : [])
})

test('a date that was past when it was entered, and one more than a year ahead', () => {
  const once = (startsAtLocal: string) => aSession({ repeats: 'once', startsAtLocal, group: startsAtLocal })
  // Entered on Sunday: one for the Saturday before, one that was on Sunday evening, one of last year's spring.
  const sessions = [once('2026-11-28T19:00'), once('2026-11-29T19:00'), once('2025-04-01T19:00'), aSession()]
  const [flag] = flagsFor(sessions)
  expect(flag).toMatchObject({
    name: 'past-date',
    sessions: [{ date: '2026-11-28' }, { date: '2025-04-01' }],
  })
  expect(names(flagsFor([once('2027-11-30T19:00')]))).toEqual([])
  expect(names(flagsFor([once('2027-12-02T19:00')]))).toEqual(['far-date'])
  expect(names(flagsFor([aSession({ startsAtLocal: '2036-12-01T19:00' })]))).toEqual(['far-date'])
})

test('more than half of the sessions moved by the same time, also over the end of a week', () => {
  const moved = (before: string, after: string) => {
    const state = (seq: number, times: string) => ({ seq, times, topicId: 1, reopened: 0 })
    return aSession({ news: 'moved', history: [state(5, before), state(11, after)] })
  }
  const later = moved('weekly 2 19:00 America/New_York', 'weekly 2 19:00 America/Chicago')
  const overMidnight = moved('weekly 6 23:30 America/New_York', 'weekly 0 00:30 America/New_York')
  const once = moved('once 2026-12-12 18:00 America/New_York', 'once 2026-12-12 19:00 America/New_York')
  const otherwise = moved('weekly 2 19:00 America/New_York', 'weekly 3 19:00 America/New_York')
  const known = () => aSession({ seq: 9 })
  expect(flagsFor([later, overMidnight, once, known(), otherwise])).toEqual([
    { name: 'shifted', moved: 3, of: 5, minutes: 60 },
  ])
  expect(flagsFor([later, overMidnight, known(), known()])).toEqual([])
  expect(flagsFor([later])).toEqual([])
  // Those that are new were nowhere before.
  expect(flagsFor([later, overMidnight, ...six().slice(2)])).toMatchObject([{ name: 'shifted', of: 2 }])
})

test('an edition waits for whoever may approve it, as APPROVAL says', () => {
  const flags: Flag[] = [{ name: 'no-news' }]
  const reviewed = { ...UNREVIEWED, reviewedAt: 1 }
  const [before, due] = [new Date(SLOT.getTime() - 1), SLOT].map((now) => ({ at: SLOT, now }))
  const asked = { approval: 'flagged', operators: true } as const
  const table = [
    [UNREVIEWED, asked, before, 'open', false],
    [reviewed, asked, due, 'clear', false],
    [{ ...reviewed, flags }, asked, before, 'flagged', true],
    [{ ...reviewed, flags }, asked, due, 'waiting', true],
    [{ ...reviewed, flags }, { ...asked, operators: false }, due, 'flagged', false],
    [{ ...reviewed, flags }, { ...asked, approval: 'off' }, due, 'flagged', false],
    [{ ...reviewed, flags, approved: ['no-news'] }, asked, due, 'approved', false],
    [{ ...reviewed, flags, approved: [] }, asked, due, 'waiting', true],
    [reviewed, { ...asked, approval: 'always' }, before, 'clear', true],
    [reviewed, { ...asked, approval: 'always' }, due, 'waiting', true],
    [{ ...reviewed, approved: [] }, { ...asked, approval: 'always' }, due, 'approved', false],
    [{ ...reviewed, heldAt: 1 }, { approval: 'off', operators: false }, due, 'held', true],
    [{ ...reviewed, heldAt: 1, approved: [] }, asked, due, 'held', true],
  ] as const
  for (const [row, rules, when, state, waits] of table)
    expect(decide(row, rules, when!)).toEqual({ state, waits })
})

test('an approval covers the flags that were seen, and each host, link and session of them by itself', () => {
  const host = (...hosts: string[]): Flag => ({ name: 'new-host', hosts })
  const approved = { ...UNREVIEWED, approved: keysOf(host('a.org')) }
  const state = (flags: Flag[]) =>
    decide({ ...approved, flags }, { approval: 'flagged', operators: true }, { at: SLOT, now: SLOT }).state
  expect([host('a.org'), host('b.org'), host('a.org', 'b.org')].map((flag) => state([flag]))).toEqual([
    'approved',
    'waiting',
    'waiting',
  ])
  expect(state([host('a.org'), { name: 'no-news' }])).toBe('waiting')
})

test('while an edition waits, what was odd stays odd, but for what is wrong at Resend', () => {
  const resend: Flag = { name: 'resend', checks: [] }
  expect(names(flagsWhileWaiting([{ name: 'no-news' }, resend], []))).toEqual(['no-news'])
  expect(names(flagsWhileWaiting([{ name: 'no-news' }], [resend]))).toEqual(['resend', 'no-news'])
})
