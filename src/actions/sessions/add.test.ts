import { expect, test } from '@jest/globals'
import { type TestApp, testApp } from '../../../test/app.ts'
import { parseSessionRow, type SessionRow } from '../../core/intake/records.ts'
import { auditLog } from '../../db/schema/installation.ts'
import { groups, sessions } from '../../db/schema/sessions.ts'
import { addSession } from './add.ts'

function row(fields: Record<string, string>): SessionRow {
  const least = {
    ...{ external_id: 'steady', group: 'Steady Ground', topic: 'anxiety', therapist: 'Dr. Mira Lee' },
    ...{
      starts_at: '2026-12-01T19:00',
      time_zone: 'America/New_York',
      booking_url: 'https://book.sample.test/a',
    },
  }
  const parsed = parseSessionRow({ ...least, ...fields }, new Set(['anxiety']))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors))
  return parsed.row
}

const stored = (app: TestApp) => [
  app.db
    .select()
    .from(groups)
    .all()
    .map(({ title }) => title),
  app.db
    .select()
    .from(sessions)
    .all()
    .map(({ externalId, therapist }) => [externalId, therapist]),
  app.db
    .select()
    .from(auditLog)
    .all()
    .map(({ action, subject }) => [action, subject]),
]

test('a session is added once, as an import would; its external id is never taken over', async () => {
  const app = await testApp()
  const added = await addSession(app, row({}))
  expect(added).toMatchObject({
    externalId: 'steady',
    group: 'Steady Ground',
    durationMinutes: 90,
    news: 'new',
  })
  const once = stored(app)
  expect(once).toEqual([
    ['Steady Ground'],
    [['steady', 'Dr. Mira Lee']],
    [['session added', String(added?.id)]],
  ])
  expect(await addSession(app, row({ group: 'Another Group', therapist: 'Dr. Ann Roe' }))).toBeNull()
  expect(stored(app)).toEqual(once)
})
