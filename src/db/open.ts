import { openSqlite } from './sqlite/open.ts'
import type { Store } from './store.ts'

/**
 * Opens the database of these settings, creates it where it can, and brings it to the newest schema. Throws `Unavailable`,
 * saying why, when it cannot be used.
 */
export async function openStore(settings: {
  DATABASE_PATH: string
  DATABASE_URL?: string | undefined
}): Promise<Store> {
  if (settings.DATABASE_URL === undefined) return openSqlite(settings.DATABASE_PATH)
  // Loaded only here, as most installations have no Postgres.
  const { openPostgres } = await import('./postgres/open.ts')
  return openPostgres(settings.DATABASE_URL)
}
