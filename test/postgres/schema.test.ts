import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { openSqlite } from '../../src/db/sqlite/open.ts'
import { aDatabase, dbOf, leaveDatabase, postgresAt } from '../db.ts'
import { type Catalog, PARTS, sayWith } from './catalog.ts'
import { drizzleCatalog } from './drizzle-catalog.ts'
import { postgresCatalog } from './postgres-catalog.ts'
import { sqliteCatalog } from './sqlite-catalog.ts'

type Alone = Partial<Record<keyof Catalog, Record<string, string>>>

/** Each engine keeps what was migrated in a table that no query of ours reads. */
const MIGRATIONS = '__drizzle_migrations'

/** What SQLite alone has, and why. A table stands for all that is in it. */
const SQLITE_ALONE: Alone = {
  tables: {
    replaced_parents:
      'what INSERT OR REPLACE deletes; Postgres has ON CONFLICT DO UPDATE, which updates the row',
    session_change: 'the variables of session_changes_judged; judge_session() on Postgres has its own',
  },
  views: { 'session_changes: (session_id)': 'for session_changes_judged alone' },
  triggers: {
    'session_changes_judged: instead of insert on session_changes': 'judge_session() on Postgres',
    'sessions_kept_checked: before update of added_seq, news, news_at, revised_at, revision, seq on sessions':
      'sessions_checked() looks at these columns too',
    'groups_replacing: before insert on groups': 'INSERT OR REPLACE',
    'groups_replaced: after insert on groups': 'INSERT OR REPLACE',
    'topics_replacing: before insert on topics': 'INSERT OR REPLACE',
    'topics_replaced: after insert on topics': 'INSERT OR REPLACE; it raises sessions_version too',
    'groups_row_versioned: after insert on groups':
      'a trigger of SQLite cannot change the row before it is written',
    'groups_row_versioned: after update of kind, language, place, price, summary, title, topic_id, url on groups':
      'a trigger of SQLite cannot change the row before it is written',
    'sessions_row_versioned: after insert on sessions':
      'a trigger of SQLite cannot change the row before it is written',
    'sessions_row_versioned: after update of booking_url, duration_minutes, external_id, group_id, occurrences, repeats, seats_left, seats_total, starts_at_local, status, therapist, time_zone on sessions':
      'a trigger of SQLite cannot change the row before it is written',
  },
}

/** What Postgres alone has, and why; beside it, `…_numbered` of every table whose rows get a number. */
const POSTGRES_ALONE: Alone = {
  triggers: {
    'topics_versioned: after insert on topics': 'topics_replaced raises sessions_version on SQLite',
    'groups_row_versioned: before insert on groups': 'it changes the row before it is written',
    'groups_row_versioned: before update of kind, language, place, price, summary, title, topic_id, url on groups':
      'it changes the row before it is written',
    'sessions_row_versioned: before insert on sessions': 'it changes the row before it is written',
    'sessions_row_versioned: before update of booking_url, duration_minutes, external_id, group_id, occurrences, repeats, seats_left, seats_total, starts_at_local, status, therapist, time_zone on sessions':
      'it changes the row before it is written',
  },
}

/** The triggers on Postgres that make an id of a null. */
const NUMBERED = /^\w+_numbered: /

/** On Postgres these fire at every update, and look themselves for what changed. */
const LOOK_THEMSELVES = /^((?:\w+_checked|deliveries_recounted): \w+ update) of .+( on \w+)$/

const sqlite = openSqlite(':memory:')
let url: string
let engines: Record<'sqlite' | 'postgres' | 'drizzle', Catalog>

beforeAll(async () => {
  url = await aDatabase()
  const store = await postgresAt(url)
  const postgres = dbOf(store).$client
  const say = sayWith(postgres)
  engines = {
    sqlite: sqliteCatalog(dbOf(sqlite).$client, say),
    postgres: postgresCatalog(postgres, say),
    drizzle: drizzleCatalog(say),
  }
  await store.close()
})

afterAll(async () => {
  await sqlite.close()
  await leaveDatabase(url)
})

test.each(PARTS)('SQLite and Postgres have the same %s', (part) => {
  expect(shared('postgres', part)).toEqual(shared('sqlite', part))
})

const DRIZZLE_KNOWS = PARTS.filter((part) => part !== 'views' && part !== 'triggers')

test.each(DRIZZLE_KNOWS)('both engines have the %s that drizzle knows, and no more', (part) => {
  // A column that came later is the last in its table, and in drizzle's where it belongs.
  const drizzle = engines.drizzle[part].toSorted()
  expect(shared('sqlite', part).sort()).toEqual(drizzle)
  expect(shared('postgres', part).sort()).toEqual(drizzle)
})

test('what one engine has alone is there, and not on the other', () => {
  for (const part of PARTS) {
    const onSqlite = engines.sqlite[part]
    const onPostgres = engines.postgres[part]
    const sqliteAlone = Object.keys(SQLITE_ALONE[part] ?? {})
    const postgresAlone = Object.keys(POSTGRES_ALONE[part] ?? {})
    expect(sqliteAlone.filter((line) => !onSqlite.includes(line) || onPostgres.includes(line))).toEqual([])
    expect(postgresAlone.filter((line) => !onPostgres.includes(line) || onSqlite.includes(line))).toEqual([])
  }
})

test('on Postgres every table whose rows get a number has the trigger for a null id', () => {
  const numbered = engines.postgres.columns.flatMap((line) => /^(\w+)\.id: .*numbered$/.exec(line)?.[1] ?? [])
  const triggers = engines.postgres.triggers.filter((line) => NUMBERED.test(line))
  const tables = numbered.filter((table) => table !== MIGRATIONS)
  expect(triggers).toEqual(tables.map((table) => `${table}_numbered: before insert on ${table}`).sort())
})

/** A part without what this engine has alone. */
function shared(engine: 'sqlite' | 'postgres', part: keyof Catalog): string[] {
  const alone = engine === 'sqlite' ? SQLITE_ALONE : POSTGRES_ALONE
  const tables = [MIGRATIONS, ...Object.keys(alone.tables ?? {})]
  return engines[engine][part]
    .filter((line) => !(line in (alone[part] ?? {})) && !tables.includes(/^\w+/.exec(line)?.[0] ?? ''))
    .filter((line) => engine === 'sqlite' || part !== 'triggers' || !NUMBERED.test(line))
    .map((line) => (part === 'triggers' ? line.replace(LOOK_THEMSELVES, '$1$2') : line))
}
