import { createRequire } from 'node:module'
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { numbered } from '../../src/db/postgres/placeholders.ts'
import type { Answer, Request } from './sync-worker.ts'

const { BaseSQLiteDatabase, SQLiteSession, SQLitePreparedQuery, SQLiteSyncDialect } = createRequire(
  import.meta.url,
)('drizzle-orm/sqlite-core') as typeof import('drizzle-orm/sqlite-core')
const { fillPlaceholders, mapResultRow } = createRequire(import.meta.url)('drizzle-orm') as {
  fillPlaceholders: (params: unknown[], values: object) => unknown[]
  mapResultRow: (fields: unknown, row: unknown, nullable: unknown) => unknown
}

// Tests put rows in and look at them without waiting, as they do on SQLite. Here another thread asks Postgres while this one
// stands still.

type Bridge = { ask(request: Request): Answer }

let bridge: Bridge | undefined

function openBridge(): Bridge {
  const { port1, port2 } = new MessageChannel()
  const done = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(new URL('./sync-worker.ts', import.meta.url), {
    workerData: { port: port2, done },
    transferList: [port2],
  })
  worker.unref()
  port1.unref()
  return {
    ask(request) {
      Atomics.store(done, 0, 0)
      port1.postMessage(request)
      if (Atomics.wait(done, 0, 0, 60_000) === 'timed-out')
        throw new Error('Postgres did not answer in a minute')
      return receiveMessageOnPort(port1)?.message as Answer
    },
  }
}

function ask(request: Request): { rows: unknown[]; changes: number } {
  bridge ??= openBridge()
  const answer = bridge.ask(request)
  if ('error' in answer) throw Object.assign(new Error(answer.error.message), { code: answer.error.code })
  return answer
}

/** Ends its connection to a database, which can then be dropped. */
export const closeSync = (url: string): void => void ask({ close: url })

/** The database as better-sqlite3 and drizzle on it would show it, as far as our tests use that. */
export function syncDb(url: string) {
  const query = (text: string, values: unknown[], arrays = false) =>
    ask({ url, ...plain(text, values), arrays })
  const client = {
    prepare: (text: string) => statement(query, text),
    exec: (text: string) => void query(text, []),
    pragma: () => undefined,
    transaction: (work: () => unknown) => () => {
      query('begin', [])
      try {
        const result = work()
        query('commit', [])
        return result
      } catch (error) {
        query('rollback', [])
        throw error
      }
    },
  }
  const dialect = new SQLiteSyncDialect()
  const db = new BaseSQLiteDatabase('sync', dialect, new Session(dialect, query), undefined)
  return Object.assign(db, { $client: client })
}

type Ask = (text: string, values: unknown[], arrays?: boolean) => { rows: unknown[]; changes: number }

function statement(query: Ask, text: string) {
  let first = false
  const pick = (rows: unknown[][] | unknown[]) =>
    first ? (rows as unknown[][]).map(([value]) => value) : rows
  const self = {
    all: (...values: unknown[]) => pick(query(text, values, first).rows),
    get: (...values: unknown[]) => pick(query(text, values, first).rows)[0],
    run: (...values: unknown[]) => query(text, values),
    pluck() {
      first = true
      return self
    },
  }
  return self
}

/** Positional values for `?`, and for `@name` or `:name` of an object. */
function plain(text: string, given: unknown[]): { text: string; values: unknown[] } {
  const [named] = given
  if (given.length === 1 && Array.isArray(named)) return plain(text, named)
  if (given.length === 1 && typeof named === 'object' && named !== null && !Buffer.isBuffer(named)) {
    const values: unknown[] = []
    const positional = text.replaceAll(/(?<!:)[@:]([a-z]\w*)/gi, (_, name: string) => {
      values.push((named as Record<string, unknown>)[name])
      return `$${values.length}`
    })
    return { text: positional, values }
  }
  const values = given.map((value) => (typeof value === 'boolean' ? Number(value) : value))
  return { text: given.length > 0 ? numbered(text).text : text, values }
}

class Session extends SQLiteSession<
  'sync',
  { changes: number },
  Record<string, never>,
  Record<string, never>
> {
  private readonly query: Ask

  constructor(dialect: InstanceType<typeof SQLiteSyncDialect>, query: Ask) {
    super(dialect)
    this.query = query
  }

  override prepareQuery(
    query: { sql: string; params: unknown[] },
    fields: unknown,
    method: 'run' | 'all' | 'get',
  ) {
    return new Prepared(this.query, query as never, fields, method) as never
  }

  override transaction(): never {
    throw new Error('use $client.transaction')
  }
}

class Prepared extends SQLitePreparedQuery<{
  type: 'sync'
  run: { changes: number }
  all: unknown[]
  get: unknown
  values: unknown[][]
  execute: unknown
}> {
  private readonly ask: Ask
  private readonly fields: unknown
  declare joinsNotNullableMap: unknown

  constructor(asking: Ask, query: never, fields: unknown, method: 'run' | 'all' | 'get') {
    super('sync', method, query)
    this.ask = asking
    this.fields = fields
  }

  run(): { changes: number } {
    return this.ask(this.query.sql, this.filled())
  }

  all(): unknown[] {
    if (!this.fields) return this.ask(this.query.sql, this.filled()).rows
    return this.values().map((row) => mapResultRow(this.fields, row, this.joinsNotNullableMap))
  }

  get(): unknown {
    return this.all()[0]
  }

  values(): unknown[][] {
    return this.ask(this.query.sql, this.filled(), true).rows as unknown[][]
  }

  private filled(): unknown[] {
    return fillPlaceholders(this.query.params, {})
  }
}
