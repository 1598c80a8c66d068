import type { SelectedFieldsOrdered } from 'drizzle-orm/sqlite-core'
import { type Actor, SYSTEM } from '../core/operators/actor.ts'
import {
  BaseSQLiteDatabase,
  fillPlaceholders,
  mapResultRow,
  type Query,
  SQLiteAsyncDialect,
  SQLitePreparedQuery,
  SQLiteSession,
  sql,
} from './drizzle.ts'

/** How many rows a statement inserted, updated or deleted. */
export type Ran = { changes: number }

/** The engines differ in a handful of words; see `fragments.ts`. */
export type Engine = 'sqlite' | 'postgres'

/** What questions run on: drizzle's builder, and `sql` with `all`, `get` and `run`; and on whose behalf. */
export type Queries = BaseSQLiteDatabase<'async', Ran> & { engine: Engine; actor: Actor }

/** How an engine runs one statement, whose parameters are written `?`. */
export type Runner = {
  /** The rows as objects by column name. */
  objects(text: string, values: unknown[]): Promise<unknown[]>
  /** The rows as arrays in order of the columns. */
  arrays(text: string, values: unknown[]): Promise<unknown[][]>
  run(text: string, values: unknown[]): Promise<Ran>
}

/** Drizzle on that engine. Its SQL is what SQLite and Postgres both speak. */
export function queriesOn(engine: Engine, runner: Runner): Queries {
  const dialect = new SQLiteAsyncDialect()
  const queries = new BaseSQLiteDatabase<'async', Ran>(
    'async',
    dialect,
    new Session(dialect, runner),
    undefined,
  )
  return Object.assign(queries, { engine, actor: SYSTEM })
}

/** The same queries on someone's behalf. */
export function queriesFor(queries: Queries, actor: Actor): Queries {
  const mine = Object.assign(Object.create(queries) as Queries, { actor })
  bases.set(mine, baseOf(queries))
  return mine
}

const bases = new WeakMap<Queries, Queries>()
const baseOf = (queries: Queries): Queries => bases.get(queries) ?? queries

/**
 * A query, built and prepared once per connection, with `sql.placeholder` for its values: for what runs with every batch or
 * page, because building costs more than running.
 */
export function prepared<Query>(build: (queries: Queries) => Query): (queries: Queries) => Query {
  const known = new WeakMap<Queries, Query>()
  return (queries) => {
    const base = baseOf(queries)
    const query = known.get(base) ?? build(base)
    known.set(base, query)
    return query
  }
}

/** Does what `work` does within a transaction, and takes it back. */
export async function undone(tx: Queries, work: () => Promise<unknown>): Promise<void> {
  await tx.run(sql`savepoint undone`)
  try {
    await work()
  } finally {
    await tx.run(sql`rollback to savepoint undone`)
    await tx.run(sql`release savepoint undone`)
  }
}

// To run on another engine, drizzle needs these two classes.

class Session extends SQLiteSession<'async', Ran, Record<string, never>, Record<string, never>> {
  private readonly runner: Runner

  constructor(dialect: InstanceType<typeof SQLiteAsyncDialect>, runner: Runner) {
    super(dialect)
    this.runner = runner
  }

  prepareQuery(
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    method: 'run' | 'all' | 'get',
  ): Prepared {
    return new Prepared(this.runner, query, fields, method)
  }

  async transaction(): Promise<never> {
    throw new Error('a transaction is opened by Store.write alone')
  }
}

type Row = Record<string, unknown>

class Prepared extends SQLitePreparedQuery<{
  type: 'async'
  run: Ran
  all: unknown[]
  get: unknown
  values: unknown[][]
  execute: unknown
}> {
  private readonly runner: Runner
  private readonly fields: SelectedFieldsOrdered | undefined
  /** Set by the builder: what a left join that found nothing is. */
  declare joinsNotNullableMap: Record<string, boolean> | undefined

  constructor(
    runner: Runner,
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    method: 'run' | 'all' | 'get',
  ) {
    super('async', method, query)
    this.runner = runner
    this.fields = fields
  }

  run(placeholders?: Row): Promise<Ran> {
    return this.runner.run(this.query.sql, this.valuesOf(placeholders))
  }

  async all(placeholders?: Row): Promise<unknown[]> {
    const { fields, query } = this
    if (!fields) return this.runner.objects(query.sql, this.valuesOf(placeholders))
    const rows = await this.values(placeholders)
    return rows.map((row) => mapResultRow(fields, row, this.joinsNotNullableMap))
  }

  async get(placeholders?: Row): Promise<unknown> {
    return (await this.all(placeholders))[0]
  }

  values(placeholders?: Row): Promise<unknown[][]> {
    return this.runner.arrays(this.query.sql, this.valuesOf(placeholders))
  }

  private valuesOf(placeholders: Row = {}): unknown[] {
    return fillPlaceholders(this.query.params, placeholders)
  }
}
