import { randomBytes } from 'node:crypto'
import { type SQL, sql } from '../drizzle.ts'
import { rowsIn } from '../fragments.ts'
import type { Connection, Store } from '../store.ts'
import { ConnectionLost } from '../trouble.ts'

/**
 * Rows of a file that is being imported, in a temporary table on a connection of its own. It takes no lock that others wait
 * for, and it keeps a file of any length out of memory. Always close it.
 */
export type Staging = { table: SQL; connection: Connection }

/** A row with the same key as an earlier line of the file. */
export type Duplicate = { line: number; firstLine: number }

export type Counts = { added: number; updated: number; unchanged: number }

/** An empty staging table with these columns, and the line of each row. */
export async function createStaging(store: Store, columns: string): Promise<Staging> {
  const name = `import_${randomBytes(8).toString('hex')}`
  const connection = await store.connect()
  await store.sqlite?.alone((sqlite) => {
    sqlite.pragma('temp.journal_mode = MEMORY') // a file made and removed for each chunk costs more than the rows
    sqlite.pragma('temp.cache_size = -16000') // kB
  })
  const create = sql.raw(`create temporary table ${name} (line integer primary key, ${columns})`)
  try {
    await connection.write((tx) => tx.run(create), { temporary: true })
  } catch (error) {
    connection.release()
    throw error
  }
  return { table: sql.identifier(name) as unknown as SQL, connection }
}

/** Drops the staging table, and gives its connection back. A connection that was lost has dropped it already. */
export async function closeStaging({ table, connection }: Staging): Promise<void> {
  try {
    await connection.write((tx) => tx.run(sql`drop table if exists ${table}`), { temporary: true })
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error
  } finally {
    connection.release()
  }
}

/** Stages rows. Returns the ones whose `key` is staged already. `values` are SQL for the other columns. */
export async function stage<Row extends { line: number }>(
  { table, connection }: Staging,
  key: { column: string; of: (row: Row) => string },
  rows: readonly Row[],
  { columns, values, given }: { columns: string; values: SQL; given: readonly object[] },
): Promise<Duplicate[]> {
  if (rows.length === 0) return []
  const name = sql.identifier(key.column)
  return connection.write(
    async (tx) => {
      const staged = await tx.all<{ line: number }>(
        sql`insert into ${table} (line, ${sql.raw(columns)}) select ${values} from ${rowsIn(tx, given)} where true
            on conflict (${name}) do nothing returning line`,
      )
      const lines = new Set(staged.map(({ line }) => line))
      const duplicates: Duplicate[] = []
      for (const row of rows) {
        if (lines.has(row.line)) continue
        const first = await tx.get<{ line: number }>(
          sql`select line from ${table} where ${name} = ${key.of(row)}`,
        )
        duplicates.push({ line: row.line, firstLine: first.line })
      }
      return duplicates
    },
    { temporary: true },
  )
}
