import { createRequire } from 'node:module'

// Drizzle's CommonJS build. Its ES modules export one another's everything, and linking them leaves 150 MB of garbage
// in V8's heap, which then stays that large; this takes a tenth of that, and a fifth of the time.
const load = createRequire(import.meta.url)

export type { Column, Placeholder, Query, SQL } from 'drizzle-orm'

const drizzleOrm = load('drizzle-orm') as typeof import('drizzle-orm')

export const {
  and,
  asc,
  between,
  count,
  desc,
  eq,
  exists,
  fillPlaceholders,
  getTableColumns,
  getTableName,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  like,
  lt,
  lte,
  max,
  ne,
  not,
  notInArray,
  or,
  sql,
  sum,
} = drizzleOrm

/** A row of values as the object that a builder's `select` describes. Exported by drizzle, but not declared. */
export const { mapResultRow } = drizzleOrm as unknown as {
  mapResultRow: (fields: unknown, row: unknown[], joinsNotNullable: unknown) => Record<string, unknown>
}

const sqliteCore = load('drizzle-orm/sqlite-core') as typeof import('drizzle-orm/sqlite-core')

export const { BaseSQLiteDatabase, SQLiteAsyncDialect, SQLitePreparedQuery, SQLiteSession } = sqliteCore
export type BaseSQLiteDatabase<
  Kind extends 'sync' | 'async',
  Ran,
> = import('drizzle-orm/sqlite-core').BaseSQLiteDatabase<Kind, Ran>

export const { check, index, integer, primaryKey, sqliteTable, text, unique } = sqliteCore
