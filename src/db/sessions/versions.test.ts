import { expect, test } from '@jest/globals'
import { aSession, type TestApp, testApp } from '../../../test/app.ts'
import { onPostgres } from '../../../test/db.ts'

const DELETED_AND_INSERTED = `create temporary table kept as select * from sessions; delete from sessions;
  insert into sessions select * from kept; drop table kept`
const REPLACED = `insert or replace into sessions (external_id, group_id, therapist, starts_at_local, time_zone, booking_url)
  select external_id, group_id, therapist, starts_at_local, time_zone, booking_url from sessions`

/** What another program may do, and whose version rises. */
const WRITES: [what: string, sql: string, rises: 'session' | 'group' | 'neither'][] = [
  ['the same again', `update sessions set therapist = therapist, seats_left = seats_left`, 'neither'],
  ['what triggers keep', `update sessions set seq = seq + 1, news_at = 0`, 'neither'],
  ['a seat', `update sessions set seats_left = 1`, 'session'],
  ['all seats', `update sessions set seats_total = 9`, 'session'],
  ['no end any more', `update sessions set occurrences = null`, 'session'],
  ['a version that the writer made up', `update sessions set therapist = 'Dr. New', version = 1`, 'session'],
  ['deleted and inserted', DELETED_AND_INSERTED, 'session'],
  ['replaced', onPostgres ? DELETED_AND_INSERTED : REPLACED, 'session'],
  ['a price of the group', `update groups set price = '$40'`, 'group'],
  ['the same price again', `update groups set price = price, title = title`, 'neither'],
]

test.each(WRITES)('a version rises with every change: %s', async (_what, sql, rises) => {
  const app = await testApp()
  aSession(app, { occurrences: 8 })
  app.db.$client.pragma('foreign_keys = OFF')
  const [session, group] = versions(app)
  app.db.$client.exec(sql)
  const [sessionNow, groupNow] = versions(app)
  expect({ session: sessionNow > session, group: groupNow > group }).toEqual({
    session: rises === 'session',
    group: rises === 'group',
  })
})

const versions = (app: TestApp) =>
  app.db.$client
    .prepare('select sessions.version from sessions union all select version from groups')
    .pluck()
    .all() as [number, number]
