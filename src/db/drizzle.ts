import { createRequire } from 'node:module'

// Drizzle's CommonJS build. Its ES modules export one another's everything, and linking them leaves 150 MB of garbage
// in V8's heap, which then stays that large; this takes a tenth of that, and a fifth of the time.
const load = createRequire(import.meta.url)

export type { SQL } from 'drizzle-orm'

export const {
  and,
  asc,
  count,
  desc,
  eq,
  exists,
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
  TransactionRollbackError,
} = load('drizzle-orm') as typeof import('drizzle-orm')

export const { check, index, integer, primaryKey, sqliteTable, text, unique } = load(
  'drizzle-orm/sqlite-core',
) as typeof import('drizzle-orm/sqlite-core')

export const { drizzle } = load('drizzle-orm/better-sqlite3') as typeof import('drizzle-orm/better-sqlite3')
