import { randomBytes } from 'node:crypto'
import type { Db } from '../open.ts'

/**
 * Rows of a file on their way in, in a temporary table: it takes no lock that others wait for, and keeps a file of
 * any length out of the memory. Close it always; it is gone with the connection at the latest.
 */
export type Staging = { table: string }

/** A row that names what an earlier line of the same file named already. */
export type Duplicate = { line: number; firstLine: number }

export type Counts = { added: number; updated: number; unchanged: number }

/** An empty staging table with these columns, and the line of each row. */
export function createStaging(db: Db, columns: string): Staging {
  const table = `temp.import_${randomBytes(8).toString('hex')}`
  db.$client.pragma('temp.journal_mode = MEMORY') // a file made and removed for each chunk costs more than the rows
  db.$client.pragma('temp.cache_size = -16000') // kB
  db.$client.exec(`create table ${table} (line integer not null, ${columns})`)
  return { table }
}

/** Drops the staging table. */
export async function closeStaging(db: Db, { table }: Staging): Promise<void> {
  db.$client.exec(`drop table if exists ${table}`)
}

/** `firstLineOf` stages one row and returns null, or the line that has its key already. */
export function stage<Row extends { line: number }>(
  db: Db,
  rows: readonly Row[],
  firstLineOf: (row: Row) => number | null,
): Duplicate[] {
  return db.$client.transaction(() =>
    rows.flatMap((row) => {
      const firstLine = firstLineOf(row)
      return firstLine === null ? [] : [{ line: row.line, firstLine }]
    }),
  )()
}
