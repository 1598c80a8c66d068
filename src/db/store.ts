import type Database from 'better-sqlite3'
import type { Actor } from '../core/operators/actor.ts'
import { type Queries, queriesFor } from './queries.ts'

export { prepared, type Queries } from './queries.ts'

/**
 * The open database: the port that the questions of `db/` run on. Only the drivers know which engine is
 * behind it.
 */
export type Store = {
  /** On whose behalf it is used: what is on record names them. */
  actor: Actor
  /** For questions; each sees what was committed before it. */
  read: Queries
  /** Several questions about one state of the database. `work` uses its parameter alone. */
  snapshot<Result>(work: (read: Queries) => Promise<Result>): Promise<Result>
  /**
   * One whole transaction: committed when `work` resolves, rolled back when it throws. `work` uses its parameter alone, and
   * awaits nothing but the database, as other writers wait for it.
   */
  write<Result>(work: (tx: Queries) => Promise<Result>, options?: WriteOptions): Promise<Result>
  /** A connection of one's own until `release`, which sees its own temporary tables. */
  connect(): Promise<Connection>
  /** What SQLite alone does; null on another engine. */
  sqlite: Sqlite | null
  /** Postgres: which cluster and database this is; null on another engine. */
  postgres: { home: string } | null
  /** By how much the database's clock is ahead of this machine's, ms; 0 where they are one. */
  clockOffsetMs(): number
  /** What was committed is on disk. */
  close(): Promise<void>
}

/** The same store on someone's behalf. */
export function storeFor(store: Store, actor: Actor): Store {
  const asked =
    <Result>(work: (queries: Queries) => Promise<Result>) =>
    (queries: Queries) =>
      work(queriesFor(queries, actor))
  return {
    ...store,
    actor,
    read: queriesFor(store.read, actor),
    snapshot: (work) => store.snapshot(asked(work)),
    write: (work, options) => store.write(asked(work), options),
    async connect() {
      const connection = await store.connect()
      return { ...connection, write: (work, options) => connection.write(asked(work), options) }
    },
  }
}

export type Connection = Pick<Store, 'write'> & { release(): void }

export type Sqlite = {
  /** The database file; null in memory. */
  file: string | null
  /** The connection that writes. */
  connection: Database.Database
  /** Writes a consistent copy while others read and write. Throws when the file cannot be written. */
  backUp(file: string): Promise<void>
  /** Runs `work`, which is over when it returns, while no transaction is open on the connection. */
  alone<Result>(work: (connection: Database.Database) => Result): Promise<Result>
}

export type WriteOptions = {
  /**
   * `false`: a power cut may lose the commit, a crash of the process does not. Only for what is safe to lose: a claim is made
   * again, and a receipt comes again under its key.
   */
  durable?: boolean
  /** Writes temporary tables alone, which takes no lock. */
  temporary?: boolean
  /** Fails after a quarter of a second when another program holds the lock (`isLocked`). */
  brief?: boolean
}
