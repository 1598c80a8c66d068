import { setTimeout } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { SYSTEM } from '../../core/operators/actor.ts'
import { queriesOn, type Runner } from '../queries.ts'
import type { Store } from '../store.ts'
import { isLocked } from '../trouble.ts'

/** How long a write waits for another program's lock; a question never has to. */
const [PATIENCE_MS, BRIEF_MS] = [5_000, 250]
const STATEMENTS_KEPT = 300

/**
 * The store on an open connection, which writes, one transaction at a time. A file is read by a second one, so that no
 * question sees what is not committed yet; a database in memory has only the one.
 */
export function storeOn(sqlite: Database.Database): Store {
  const reader = sqlite.memory ? sqlite : readerOf(sqlite)
  const tx = queriesOn('sqlite', runnerOn(sqlite))
  const read = reader === sqlite ? tx : queriesOn('sqlite', runnerOn(reader))
  const inTurn = turns()
  const snapshotInTurn = reader === sqlite ? inTurn : turns()
  sqlite.pragma('busy_timeout = 0') // `beginToWrite` waits instead
  let isDurable = true
  const write: Store['write'] = (work, { durable = true, brief = false, temporary = false } = {}) => {
    // Counted from here: behind others who wait for the same lock, it must not wait for each of them.
    const until = performance.now() + (brief ? BRIEF_MS : PATIENCE_MS)
    return inTurn(async () => {
      // It cannot change within a transaction.
      if (durable !== isDurable) sqlite.pragma(`synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
      isDurable = durable
      if (temporary) sqlite.exec('begin')
      else await beginToWrite(sqlite, until)
      return inTransaction(sqlite, () => work(tx))
    })
  }
  return {
    actor: SYSTEM,
    read,
    write,
    snapshot: (work) =>
      snapshotInTurn(() => {
        reader.exec('begin')
        return inTransaction(reader, () => work(read))
      }),
    connect: async () => ({ write, release() {} }),
    sqlite: {
      file: sqlite.memory ? null : sqlite.name,
      connection: sqlite,
      backUp: async (file) => void (await reader.backup(file)),
      alone: (work) => inTurn(async () => work(sqlite)),
    },
    postgres: null,
    clockOffsetMs: () => 0,
    async close() {
      reader.close()
      sqlite.close()
    },
  }
}

/** Waits for another program's lock without holding up this process, as SQLite's own waiting would. */
async function beginToWrite(sqlite: Database.Database, until: number): Promise<void> {
  for (let waitMs = 1; ; waitMs = Math.min(2 * waitMs, 50)) {
    try {
      sqlite.exec('begin immediate')
      return
    } catch (error) {
      if (!isLocked(error) || performance.now() > until) throw error
    }
    await setTimeout(waitMs)
  }
}

function readerOf(sqlite: Database.Database): Database.Database {
  const reader = new Database(sqlite.name, { timeout: BRIEF_MS, fileMustExist: true })
  reader.pragma('query_only = ON')
  return reader
}

/** SQLite is called in this thread, so each answer is there at once. */
function runnerOn(sqlite: Database.Database): Runner {
  const statement = statementsOf(sqlite)
  return {
    objects: async (text, values) =>
      statement(text)
        .raw(false)
        .all(...values),
    arrays: async (text, values) =>
      statement(text)
        .raw(true)
        .all(...values) as unknown[][],
    run: async (text, values) => ({ changes: statement(text).run(...values).changes }),
  }
}

/** Keeps the statements used last prepared: preparing costs more than running most of them. */
function statementsOf(sqlite: Database.Database): (text: string) => Database.Statement {
  const kept = new Map<string, Database.Statement>()
  return (text) => {
    const statement = kept.get(text) ?? sqlite.prepare(text)
    kept.delete(text)
    kept.set(text, statement)
    if (kept.size > STATEMENTS_KEPT) kept.delete(kept.keys().next().value ?? '')
    return statement
  }
}

/** Runs each work when the one before has ended. */
function turns(): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const mine = last.then(work)
    last = mine.catch(() => {})
    return mine
  }
}

/** Commits what `work` did in the transaction that was begun, or rolls it back. */
async function inTransaction<Result>(
  sqlite: Database.Database,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    const result = await work()
    sqlite.exec('commit')
    return result
  } catch (error) {
    if (sqlite.inTransaction) sqlite.exec('rollback') // a full disk has rolled back already
    throw error
  }
}
