import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { Unavailable } from '../../core/errors.ts'
import { failpoint } from '../../failpoint.ts'
import type { Store } from '../store.ts'
import { databaseTrouble } from '../trouble.ts'
import { storeOn } from './connections.ts'
import { bringToNewest } from './migrations.ts'
import { keepTimeZones } from './time-zones.ts'

/**
 * Opens the database at `path` (a file, or a serialized image for tests), creates it for its owner alone (0600), and brings it to the
 * newest schema, with a copy made first. Throws `Unavailable`, saying why, when it cannot be used or written by this
 * user, belongs to another program, is newer than this program, or cannot be migrated.
 */
export function openSqlite(path: string | Buffer): Store {
  try {
    if (typeof path === 'string' && path !== ':memory:') preparePlace(path)
    return openNewest(path)
  } catch (error) {
    const why = error instanceof Unavailable ? null : (databaseTrouble(error) ?? fileTrouble(error))
    if (why === null) throw error
    throw new Unavailable(`the database ${String(path)} cannot be used: ${why}; see DATABASE_PATH`, {
      cause: error,
    })
  }
}

// SQLite opens a file that it may only read without a word, and fails at the first write.
function preparePlace(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  accessSync(dirname(path), constants.W_OK)
  if (makeForOwner(path)) return
  accessSync(path, constants.W_OK)
  refuseForeign(path)
}

/** Makes an empty file that only its owner may read, which SQLite fills: the files beside it get the same rights. */
function makeForOwner(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx', 0o600))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** `PRAGMA application_id` of our files, set by a migration. https://www.sqlite.org/fileformat2.html#application_id */
const APPLICATION_ID = 1332768371
const APPLICATION_ID_AT = 68
/** What every file of ours has had from its first migration on, and hardly another program's. */
const OUR_TABLES = ['editions', 'edition_tally', 'subscriber_topics']

/** Throws for another program's database, before the first byte of it is changed. */
function refuseForeign(path: string): void {
  const header = Buffer.alloc(100)
  const fd = openSync(path, 'r')
  const read = readSync(fd, header, 0, header.length, 0)
  closeSync(fd)
  const id = header.readUInt32BE(APPLICATION_ID_AT)
  // What is no database at all is refused by SQLite itself; files of earlier releases have no id.
  if (read < header.length || header.toString('latin1', 0, 15) !== 'SQLite format 3' || id === APPLICATION_ID)
    return
  if (id !== 0 || !hasOurTables(path))
    throw new Unavailable(
      `the database ${path} belongs to another program, and nothing was written to it; set DATABASE_PATH to a file of its own for Openseat`,
    )
}

function hasOurTables(path: string): boolean {
  // Only a connection that may write removes the -wal it made. Where one is there, or a journal, it is someone else's.
  const inUse = ['-wal', '-journal'].some((suffix) => existsSync(path + suffix))
  const sqlite = new Database(path, { readonly: inUse })
  try {
    const tables = sqlite
      .prepare<[], string>("select name from sqlite_master where type = 'table'")
      .pluck()
      .all()
    return tables.length === 0 || OUR_TABLES.every((table) => tables.includes(table))
  } finally {
    sqlite.close()
  }
}

function fileTrouble(error: unknown): string | null {
  const { code, syscall, path } = error as NodeJS.ErrnoException
  if (syscall === 'access') return `this user may not write ${path} (${code})`
  return syscall === 'mkdir' ? `its folder cannot be made (${code})` : null
}

function openNewest(path: string | Buffer): Store {
  const sqlite = connect(path)
  try {
    if (typeof path === 'string') {
      bringToNewest(sqlite)
      keepTimeZones(sqlite)
    }
    failpoint('after-migrate')
    return storeOn(sqlite)
  } catch (error) {
    sqlite.close()
    throw error
  }
}

function connect(path: string | Buffer): Database.Database {
  const sqlite = new Database(path, { timeout: 10_000 })
  sqlite.pragma('journal_mode = WAL')
  // FULL: a submission recorded before a power cut stays recorded; with NORMAL the last commits may be lost,
  // and with them the knowledge that a batch was ever attempted.
  sqlite.pragma('synchronous = FULL')
  sqlite.pragma('foreign_keys = ON')
  sqlite.pragma('secure_delete = ON') // what was erased is not left readable in free pages
  return sqlite
}
