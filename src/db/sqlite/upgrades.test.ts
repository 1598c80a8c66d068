import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { dbOf } from '../../../test/db.ts'
import { EARLIER, makeAt } from '../../../test/earlier-database.ts'
import { openSqlite } from './open.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'openseat-upgrades-'))
  path = join(folder, 'openseat.db')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

test.each(EARLIER)(
  'from migration %i with a session: it has what a new one starts with, and the session is remembered as it stands',
  async (version) => {
    makeAt(path, version)
    addSession()
    const store = openSqlite(path)
    const fresh = openSqlite(':memory:')
    const { $client } = dbOf(store)
    $client.exec("update sessions set starts_at_local = '2027-01-16T20:00'")
    expect(remembered($client)).toEqual([{ ...asItStands($client), news: 'moved' }])
    $client.exec("delete from sessions; delete from groups; delete from topics where slug = 'own'")
    expect(startOf($client)).toEqual(startOf(dbOf(fresh).$client))
    await store.close()
    await fresh.close()
  },
)

function addSession(): void {
  const sqlite = new Database(path)
  sqlite.exec(`
    insert into topics (slug, name) values ('own', 'Our own');
    insert into groups (topic_id, title) select id, 'Steady Ground' from topics where slug = 'own';
    insert into sessions (external_id, group_id, therapist, starts_at_local, time_zone, booking_url)
      select 'x-1', id, 'Dr. X', '2027-01-15T19:00', 'UTC', 'https://book.sample.test/' from groups;`)
  sqlite.close()
}

const remembered = (sqlite: Database.Database) =>
  sqlite
    .prepare(
      `select external_id, open, last_date, face, times, history.news from known_sessions known
       join session_history history on history.session_id = known.session_id and history.seq = known.seq`,
    )
    .all()

const asItStands = (sqlite: Database.Database) =>
  sqlite.prepare<[], object>('select external_id, open, last_date, face, times from session_facts').get()

/** What a database has before anyone writes to it. */
function startOf(sqlite: Database.Database) {
  const column = (query: string) => sqlite.prepare(query).pluck().all()
  return {
    topics: column("select slug || ' ' || name || names from topics order by slug"),
    counters: column('select name from counters order by name'),
    timeZones: column('select name from time_zones order by name'),
    migrations: column('select created_at || hash from __drizzle_migrations order by created_at'),
    application: sqlite.pragma('application_id', { simple: true }),
  }
}
