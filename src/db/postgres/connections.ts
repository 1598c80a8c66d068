import type { Pool, PoolClient, QueryConfig } from 'pg'
import { SYSTEM } from '../../core/operators/actor.ts'
import { type Queries, queriesOn, type Runner } from '../queries.ts'
import type { Store, WriteOptions } from '../store.ts'
import { numbered } from './placeholders.ts'
import { codeOf, isBroken, type Lend, type Lender, silenceMs } from './pool.ts'

/** How long a write waits for the one before it; a question never has to. */
const [PATIENCE_MS, BRIEF_MS] = [5_000, 250]
/** One statement of an import of a million may take minutes. */
const LONG_ANSWER_MS = 3_600_000
/** Two transactions that wait for each other, or for a row that changed: nothing was written. */
const TRY_AGAIN = new Set(['40001', '40P01'])
const TRIES = 4
/** Any number: names the lock of this program's writers in the database. */
export const WRITERS_LOCK = 7_204_711

/**
 * The store on a pool. Writes of all processes go one after another, behind an advisory lock, as they do on SQLite: what a
 * transaction reads is then still so when it commits. Programs that write by plain SQL do not take it; compare-and-swap,
 * constraints and triggers hold against them.
 */
export function storeOn(
  pool: Pool,
  { lend, checkOut }: Lender,
  { home, clockOffsetMs }: { home: string; clockOffsetMs: number },
): Store {
  return {
    actor: SYSTEM,
    read: queriesOn('postgres', runnerOn(lend)),
    snapshot: (work) =>
      lend((client) => transaction(client, 'begin isolation level repeatable read read only', work)),
    write: (work, options) => lend((client) => write(client, work, options)),
    async connect() {
      const { client, use, release } = await checkOut()
      byClient.set(client, queriesOf(client, LONG_ANSWER_MS))
      return {
        write: (work, options) => use(() => write(client, work, options)),
        release() {
          byClient.delete(client)
          release()
        },
      }
    },
    clockOffsetMs: () => clockOffsetMs,
    sqlite: null,
    postgres: { home },
    close: () => pool.end(),
  }
}

async function write<Result>(
  client: PoolClient,
  work: (tx: Queries) => Promise<Result>,
  { durable = true, brief = false, temporary = false }: WriteOptions = {},
): Promise<Result> {
  const begin = [
    'begin',
    `set local lock_timeout = ${brief ? BRIEF_MS : PATIENCE_MS}`,
    ...(durable ? [] : ['set local synchronous_commit = off']),
    ...(temporary ? [] : [`select pg_advisory_xact_lock(${WRITERS_LOCK})`]),
  ].join('; ')
  for (let tried = 1; ; tried += 1) {
    try {
      return await transaction(client, begin, work)
    } catch (error) {
      if (tried === TRIES || !TRY_AGAIN.has(codeOf(error))) throw error
    }
  }
}

async function transaction<Result>(
  client: PoolClient,
  begin: string,
  work: (queries: Queries) => Promise<Result>,
): Promise<Result> {
  try {
    await client.query(timed(begin))
    const result = await work(keptQueriesOf(client))
    await client.query(timed('commit'))
    return result
  } catch (error) {
    // On a broken connection the server rolls back on its own.
    if (!isBroken(error)) await client.query(timed('rollback')).catch(() => {})
    throw error
  }
}

const timed = (text: string): Timed => ({ text, query_timeout: silenceMs() })

/** `pg` takes these for one query, and does not declare them. */
type Timed = QueryConfig & { query_timeout: number; rowMode?: 'array' }

const byClient = new WeakMap<PoolClient, Queries>()

function keptQueriesOf(client: PoolClient): Queries {
  const queries = byClient.get(client) ?? queriesOf(client)
  byClient.set(client, queries)
  return queries
}

const queriesOf = (client: PoolClient, answerMs?: number): Queries =>
  queriesOn(
    'postgres',
    runnerOn((work) => work(client), answerMs),
  )

function runnerOn(lend: Lend, answerMs = silenceMs()): Runner {
  const run = (text: string, values: unknown[], rowMode?: 'array') => {
    const query: Timed = { ...numbered(text), values, query_timeout: answerMs, ...(rowMode && { rowMode }) }
    return lend((client) => client.query(query))
  }
  return {
    objects: async (text, values) => (await run(text, values)).rows as unknown[],
    arrays: async (text, values) => (await run(text, values, 'array')).rows as unknown[][],
    run: async (text, values) => ({ changes: (await run(text, values)).rowCount ?? 0 }),
  }
}
