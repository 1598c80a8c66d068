import { expect, test } from '@jest/globals'
import { aSession, type TestApp, testApp } from '../../../test/app.ts'
import { onPostgres } from '../../../test/db.ts'
import { findDatedSession } from './sessions.ts'

const COLUMNS = 'external_id, group_id, starts_at_local, time_zone, therapist, booking_url'

function replaced(therapist: string): string {
  return `insert or replace into sessions (${COLUMNS})
    select ${COLUMNS.replace('therapist', therapist || 'therapist')} from sessions`
}

function deletedAndInserted(link: string): string {
  return `create temporary table kept as select ${COLUMNS} from sessions; delete from sessions;
    insert into sessions (${COLUMNS}) select ${COLUMNS.replace('booking_url', link || 'booking_url')} from kept; drop table kept`
}

/** What another program may do to a session; `rises`: a calendar shows it otherwise afterward. */
const WRITES: [what: string, sql: string, rises: boolean][] = [
  ['the same again', `update sessions set therapist = therapist`, false],
  ['another therapist', `update sessions set therapist = 'Dr. New'`, true],
  ['fewer seats', `update sessions set seats_left = 1`, false],
  ['full', `update sessions set status = 'full'`, false],
  ['cancelled', `update sessions set status = 'cancelled'`, true],
  ['replaced as it was', replaced(''), false],
  ['replaced with another therapist', replaced(`'Dr. New'`), true],
  ['deleted and inserted', deletedAndInserted(''), false],
  ['deleted and inserted in a transaction', `begin; ${deletedAndInserted('')}; commit`, false],
  ['deleted and inserted with another link', deletedAndInserted(`'https://b.test/new'`), true],
  ['another title of its group', `update groups set title = 'Evening'`, true],
  ['another kind of its group', `update groups set kind = 'skills'`, true],
  ['another place of its group', `update groups set place = 'Room 2'`, true],
  ['an empty place of its group', `update groups set place = ''`, false],
  [
    'what else is said of its group',
    `update groups set summary = 'For all.', price = '$40', language = 'es', url = 'https://b.test/g'`,
    false,
  ],
  [
    'its group replaced as it was',
    `insert or replace into groups (topic_id, kind, title) select topic_id, kind, title from groups`,
    false,
  ],
  [
    'its group replaced under its id',
    `insert or replace into groups (id, topic_id, kind, title) select id, topic_id, kind, 'Evening' from groups`,
    true,
  ],
  [
    'another group of the same title',
    `insert into groups (topic_id, title) select topic_id + 1, title from groups;
    update sessions set group_id = (select max(id) from groups)`,
    false,
  ],
]

// Postgres has no INSERT OR REPLACE.
const POSSIBLE = WRITES.filter(([, sql]) => !onPostgres || !sql.includes('or replace'))

test.each(POSSIBLE)('SEQUENCE and DTSTAMP: %s', async (_what, sql, rises) => {
  const app = await testApp()
  aSession(app, { externalId: 'a', group: 'Morning' })
  app.db.$client.exec(`update sessions set therapist = 'Dr. Before'`)
  const before = await stamps(app)
  expect(before).toMatchObject({ revision: 1 })
  // Two seconds ago by the clock would do; that the stamp is ahead of it must not let it fall either.
  app.db.$client.exec(`update sessions set revised_at = revised_at + 3600000`)
  app.db.$client.pragma('foreign_keys = OFF')
  app.db.$client.exec(sql)
  const [was, is] = [{ ...before, revisedAt: before.revisedAt + 3_600_000 }, await stamps(app)]
  expect(is).toEqual(rises ? { id: was.id, revision: 2, revisedAt: was.revisedAt + 1000 } : was)
})

test('a new session is stamped when it is added, whatever the writer put there', async () => {
  const app = await testApp()
  aSession(app, { revisedAt: 5, revision: 9 })
  const { revision, revisedAt } = await stamps(app)
  expect(revision).toBe(0)
  expect(Math.abs(Date.now() - revisedAt)).toBeLessThan(60_000)
})

async function stamps(app: TestApp) {
  const id = app.db.$client.prepare('select id from sessions').pluck().get() as number
  const { revision = -1, revisedAt = -1 } = (await findDatedSession(app.store, id)) ?? {}
  return { id, revision, revisedAt }
}
