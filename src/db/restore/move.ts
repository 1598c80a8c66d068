import { createHash } from 'node:crypto'
import { getTableColumns, getTableName, type SQL, sql } from '../drizzle.ts'
import { auditLog, installation } from '../schema/installation.ts'
import * as ledger from '../schema/ledger.ts'
import * as operators from '../schema/operators.ts'
import * as people from '../schema/people.ts'
import * as sessions from '../schema/sessions.ts'
import type { Queries, Store } from '../store.ts'
import { putFact } from './facts.ts'

/** A table that was copied: how many rows, and a hash over all of them, the same in both databases. */
export type MovedTable = { table: string; rows: number; checksum: string }

export type Moved = { kind: 'moved'; tables: MovedTable[] } | { kind: 'not-empty'; table: string }

/** The tables that are copied, parents first. The program fills `time_zones`; two tables serve SQLite's triggers only,
 * and `quiet_changes` is empty between transactions. */
const TABLES = [
  ...[sessions.topics, sessions.groups, sessions.sessions, sessions.knownSessions, sessions.sessionHistory],
  ...[sessions.seatChanges],
  ...[people.subscribers, people.subscriberTopics, people.suppressions, people.erasures, people.formerIds],
  ...[people.requestedEmails, people.refusals, people.addressChanges],
  ...[ledger.editions, ledger.editionSessions, ledger.frozenContents, ledger.batches, ledger.deliveries],
  ...[operators.operators, operators.passkeys, operators.recoveryCodes, operators.entryLinks],
  ...[operators.signIns, operators.signInTries, operators.challenges],
  ...[ledger.editionTally, ledger.reviews, ledger.notices, ledger.providerEvents],
  ...[sessions.counters, sessions.sessionImports, installation, auditLog],
]

type Table = (typeof TABLES)[number]

/** Migrations put rows into these themselves. */
const SEEDED: readonly Table[] = [sessions.topics, sessions.counters]

const PAGE = 1_000

/**
 * Copies everything from a SQLite store, which stays locked for writers, into an empty Postgres, in one transaction there. If
 * it is killed, nothing has arrived. The copy is held. Throws when the rows of a table differ after the copy.
 */
export async function moveEverything(from: Store, to: Store, now: Date): Promise<Moved> {
  // Under its write lock, so that what is read is one state.
  return from.write(async (source) =>
    to.write(async (target): Promise<Moved> => {
      const used = await usedTable(target)
      if (used !== null) return { kind: 'not-empty', table: used }
      for (const table of TABLES) await target.run(sql`alter table ${table} disable trigger user`)
      const tables: MovedTable[] = []
      for (const table of TABLES) tables.push(await moveTable(table, source, target))
      for (const table of TABLES) await target.run(sql`alter table ${table} enable trigger user`)
      await setSequences(target)
      const hold = { reason: 'moved', since: now.getTime(), knownThrough: now.getTime() }
      await putFact(target, 'held', JSON.stringify(hold))
      return { kind: 'moved', tables }
    }),
  )
}

async function usedTable(target: Queries): Promise<string | null> {
  for (const table of TABLES) {
    if (SEEDED.includes(table) || table === installation) continue
    const row = await target.get(sql`select 1 as one from ${table} limit 1`)
    if (row !== undefined) return getTableName(table)
  }
  return null
}

async function moveTable(table: Table, source: Queries, target: Queries): Promise<MovedTable> {
  await target.run(sql`delete from ${table}`)
  const left = createHash('sha256')
  let rows = 0
  for await (const page of pagesOf(table, source)) {
    rows += page.length
    for (const row of page) left.update(`${JSON.stringify(Object.values(row))}\n`)
    await target.run(
      sql`insert into ${table} select * from jsonb_populate_recordset(null::${table}, ${JSON.stringify(page)}::jsonb)`,
    )
  }
  const arrived = createHash('sha256')
  for await (const page of pagesOf(table, target))
    for (const row of page) arrived.update(`${JSON.stringify(Object.values(row))}\n`)
  const checksum = left.digest('hex')
  if (arrived.digest('hex') !== checksum)
    throw new Error(`the rows of ${getTableName(table)} did not arrive as they left; nothing was moved`)
  return { table: getTableName(table), rows, checksum }
}

type Row = Record<string, number | string | null>

/** All rows in order of the key, a page at a time. */
async function* pagesOf(table: Table, queries: Queries): AsyncGenerator<Row[]> {
  const columns = Object.values(getTableColumns(table)).map(({ name }) => sql.identifier(name))
  const key = sql.join(keyOf(table), sql`, `)
  let after: SQL = sql`true`
  for (;;) {
    const page = await queries.all<Row>(
      sql`select ${sql.join(columns, sql`, `)} from ${table} where ${after} order by ${key} limit ${PAGE}`,
    )
    const last = page.at(-1)
    if (last === undefined) return
    yield page
    const values = keyNames(table).map((name) => typed(last[name] ?? ''))
    after = sql`(${key}) > (${sql.join(values, sql`, `)})`
  }
}

const typed = (value: number | string): SQL =>
  typeof value === 'number' ? sql`cast(${value} as bigint)` : sql`cast(${value} as text)`

const keyOf = (table: Table): SQL[] => keyNames(table).map((name) => sql`${sql.identifier(name)}`)

const KEYS: Partial<Record<string, string[]>> = {
  edition_sessions: ['edition_id', 'session_id'],
  edition_tally: ['edition_id', 'generation', 'state', 'reason'],
  seat_changes: ['session_id'],
  session_history: ['session_id', 'seq'],
  subscriber_topics: ['subscriber_id', 'topic_id'],
}

function keyNames(table: Table): string[] {
  const own = KEYS[getTableName(table)]
  const primary = Object.values(getTableColumns(table)).find((column) => column.primary)
  return own ?? [primary?.name ?? 'id']
}

/** New rows get ids above every one that was used, those of sessions that are gone among them. */
async function setSequences(target: Queries): Promise<void> {
  for (const table of TABLES) {
    if (!('id' in table) || table === ledger.editions || table === operators.passkeys) continue
    const name = getTableName(table)
    const used =
      table === sessions.sessions
        ? sql`greatest((select max(id) from sessions), (select max(session_id) from known_sessions))`
        : sql`(select max(id) from ${table})`
    await target.run(
      sql`select setval(pg_get_serial_sequence(${name}, 'id'), coalesce(${used}, 0) + 1, false)`,
    )
  }
}
