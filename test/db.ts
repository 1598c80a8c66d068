import { createRequire } from 'node:module'
import type { Store } from '../src/db/store.ts'

const { drizzle } = createRequire(import.meta.url)(
  'drizzle-orm/better-sqlite3',
) as typeof import('drizzle-orm/better-sqlite3')

/** SQLite's own connection, with drizzle on it: for tests to put rows in and look at them, without waiting. */
export type Db = ReturnType<typeof drizzle>

/** The connection that a store writes with. */
export function dbOf({ sqlite }: Store): Db {
  if (sqlite === null) throw new Error('this test looks into SQLite')
  return drizzle(sqlite.connection)
}

/** An opened installation or app, with its database itself. */
export const withDb = <Opened extends { store: Store }>(opened: Opened): Opened & { db: Db } => ({
  ...opened,
  db: dbOf(opened.store),
})
