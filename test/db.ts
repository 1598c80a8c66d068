import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import pg from 'pg'
import { openPostgres } from '../src/db/postgres/open.ts'
import { openSqlite } from '../src/db/sqlite/open.ts'
import type { Store } from '../src/db/store.ts'
import { closeSync, syncDb } from './postgres/sync.ts'

const { drizzle } = createRequire(import.meta.url)(
  'drizzle-orm/better-sqlite3',
) as typeof import('drizzle-orm/better-sqlite3')

/** The database itself, with drizzle on it: for tests to put rows in and look at them, without waiting. */
export type Db = ReturnType<typeof drizzle>

/** Whether the tests run on Postgres (`npm run test:postgres`) instead of SQLite. */
export const onPostgres = process.env.OPENSEAT_TEST_ENGINE === 'postgres'

const urls = new WeakMap<Store, string>()

/** A migrated database of its own: in memory, in `file`, or on the Postgres of this run. */
export async function aStore(file?: string): Promise<Store> {
  return onPostgres ? postgresAt(await aDatabase()) : openSqlite(file ?? imageFromSetup())
}

/** The store at the address of a database, which `dbOf` then knows. */
export async function postgresAt(url: string): Promise<Store> {
  const store = await openPostgres(url)
  urls.set(store, url)
  return store
}

const free: string[] = []

/** The address of a database with what migrations make, and nothing else. Give it back with `leaveDatabase`. */
export async function aDatabase(): Promise<string> {
  const left = free.pop()
  if (left) return left
  const name = `test_${randomUUID().replaceAll('-', '')}`
  const template = fromSetup('OPENSEAT_TEST_POSTGRES')
  await ask(
    template.replace('/openseat_template?', '/postgres?'),
    `create database ${name} template openseat_template`,
  )
  return template.replace('/openseat_template?', `/${name}?`)
}

/** Empties a database for the next test of this file: that takes a tenth of making another. */
export async function leaveDatabase(url: string): Promise<void> {
  closeSync(url)
  await ask(url, EMPTY)
  free.push(url)
}

// As a replica no trigger fires and no reference is checked.
const EMPTY = `
  set session_replication_role = replica;
  do $$ declare one record; begin
    for one in select tablename from pg_tables where schemaname = 'public' and tablename not in ('__drizzle_migrations', 'time_zones')
    loop execute 'delete from ' || one.tablename; end loop;
    for one in select tablename from pg_tables where schemaname = 'public'
    loop execute 'alter table ' || one.tablename || ' enable trigger user'; end loop;
    for one in select sequencename from pg_sequences where schemaname = 'public' and sequencename <> '__drizzle_migrations_id_seq'
    loop perform setval(one.sequencename::regclass, 1, false); end loop;
  end $$;
  alter table subscribers drop constraint if exists broken;
  insert into topics select * from seed.topics;
  select setval('topics_id_seq', (select max(id) from topics));
  insert into counters select * from seed.counters;`

/** Keeps what migrations put in beside the tables, for `leaveDatabase`. */
export const KEEP_SEED =
  'create schema seed; create table seed.topics as table topics; create table seed.counters as table counters'

async function ask(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(text)
  await client.end()
}

/** The database of a store. */
export function dbOf(store: Store): Db {
  if (store.sqlite) return drizzle(store.sqlite.connection)
  const url = urls.get(store)
  if (!url) throw new Error('this store was not opened by a test')
  return syncDb(url) as unknown as Db
}

/** Lets anything into a table, as if its triggers were not there. */
export function uncheck({ $client }: Db, table: 'sessions' | 'groups' | 'topics' | 'subscribers'): void {
  if (onPostgres)
    return $client.exec(`alter table ${table} disable trigger ${table}_checked`) as unknown as void
  for (const when of ['insert', 'update']) $client.exec(`drop trigger ${table}_checked_${when}`)
  if (table === 'sessions') $client.exec('drop trigger sessions_kept_checked')
}

/** Every column of every table. */
export function columnsOf({ $client }: Db): { table: string; column: string; isNumber: boolean }[] {
  const source = onPostgres
    ? `select table_name as "table", column_name as "column", data_type = 'bigint' as "isNumber"
       from information_schema.columns join pg_tables on tablename = table_name where table_schema = 'public'`
    : `select m.name as "table", c.name as "column", upper(c.type) = 'INTEGER' as "isNumber"
       from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table' and m.name not like 'sqlite_%'`
  return $client.prepare(source).all() as { table: string; column: string; isNumber: boolean }[]
}

/** All that is in a database, as bytes; of SQLite, `openSqlite` takes them back without migrating. */
export async function imageOf(store: Store): Promise<Buffer> {
  if (store.sqlite)
    return store.sqlite.alone((connection) => {
      connection.pragma('journal_mode = DELETE') // an image in WAL mode cannot be opened from memory
      return connection.serialize()
    })
  const { $client } = dbOf(store)
  const tables = $client
    .prepare("select tablename from pg_tables where schemaname = 'public' order by 1")
    .pluck()
  const rows = (tables.all() as string[]).map((table) =>
    $client.prepare(`select json_agg(t order by t::text) from ${table} t`).pluck().get(),
  )
  return Buffer.from(JSON.stringify(rows))
}

/** An opened installation or app, with its database itself. */
export function withDb<Opened extends { store: Store; config: { DATABASE_URL?: string | undefined } }>(
  opened: Opened,
): Opened & { db: Db } {
  const { DATABASE_URL: url } = opened.config
  if (url && !urls.has(opened.store)) urls.set(opened.store, url)
  return { ...opened, db: dbOf(opened.store) }
}

const imageFromSetup = (): Buffer => readFileSync(fromSetup('OPENSEAT_TEST_IMAGE'))

/** What test/setup.ts started for the whole run. */
export function fromSetup(
  name: 'OPENSEAT_TEST_REDIS' | 'OPENSEAT_TEST_IMAGE' | 'OPENSEAT_TEST_POSTGRES',
): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run the tests with npm test, which starts what they need`)
  return value
}
