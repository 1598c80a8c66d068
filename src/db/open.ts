import { openSqlite } from './sqlite/open.ts'
import type { Store } from './store.ts'

/**
 * Opens the database at `path` (a file, or a serialized image for tests), creates it for its owner alone (0600), and brings it
 * to the newest schema. Throws `Unavailable`, saying why, when it cannot be used.
 */
export function openStore(path: string | Buffer): Store {
  return openSqlite(path)
}
