import { expect, test } from '@jest/globals'
import { aSession, testApp } from '../testing.ts'

// What a booking system may write by plain SQL, and whether readers must hear of it.
const CHANGES: [what: string, sql: string, news: string | null][] = [
  ['another start', "starts_at_local = '2026-12-01T20:00'", 'moved'],
  ['another zone', "time_zone = 'America/Chicago'", 'moved'],
  ['once instead of weekly', "repeats = 'once'", 'moved'],
  ['fewer seats', 'seats_left = 2', null],
  ['more seats', 'seats_left = 5', null],
  ['full', "status = 'full'", null],
  ['cancelled', "status = 'cancelled'", null],
  ['another therapist', "therapist = 'Dr. Someone Else'", null],
  ['another link', "booking_url = 'https://book.harbor.test/other'", null],
  ['the same written again', "starts_at_local = '2026-12-01T19:00', status = 'open'", null],
]

test.each(CHANGES)('%s (%s) is news: %s', async (_what, change, news) => {
  const app = await testApp()
  aSession(app, { seatsTotal: 8, seatsLeft: 3 })
  app.db.$client.exec(`update sessions set ${change}`)
  expect(standing(app)).toMatchObject(news === null ? { seq: 1, news: 'new' } : { seq: 2, news })
})

const BACK: [what: string, before: string, after: string][] = [
  ['full, then open', "status = 'full'", "status = 'open'"],
  ['cancelled, then open', "status = 'cancelled'", "status = 'open'"],
  ['none left, then some', 'seats_left = 0', 'seats_left = 1'],
  [
    'a series that had ended, then goes on',
    "starts_at_local = '2025-01-07T19:00', occurrences = 6",
    'occurrences = 300',
  ],
]

test.each(BACK)('%s: a place has reopened', async (_what, before, after) => {
  const app = await testApp()
  aSession(app, { seatsTotal: 8, seatsLeft: 3 })
  app.db.$client.exec(`update sessions set ${before}`)
  const seq = standing(app).seq
  app.db.$client.exec(`update sessions set ${after}`)
  expect(standing(app)).toMatchObject({ seq: seq + 1, news: 'reopened' })
})

test('a series extended while it still runs is no news', async () => {
  const app = await testApp()
  aSession(app, { startsAtLocal: '2099-01-06T19:00', occurrences: 6 })
  app.db.$client.exec('update sessions set occurrences = 12')
  expect(standing(app)).toMatchObject({ seq: 1, news: 'new' })
})

test('a deleted session gives its seq to nobody', async () => {
  const app = await testApp()
  aSession(app)
  app.db.$client.exec('delete from sessions')
  aSession(app)
  expect(standing(app).seq).toBe(2)
})

function standing(app: Parameters<typeof aSession>[0]): { seq: number; news: string } {
  return app.db.$client.prepare('select seq, news from sessions').get() as { seq: number; news: string }
}
