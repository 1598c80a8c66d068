const LOCKED =
  'another program holds it locked; look for a database browser, a copy of the file being made or a large import, and close it or wait'

/** Postgres cannot be reached, or a connection to it broke. Whether a commit that was on its way took effect is not known. */
export class ConnectionLost extends Error {
  override name = 'ConnectionLost'
}

/** By the beginning of Postgres's code. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const POSTGRES_TROUBLES: readonly (readonly [code: string, reason: string])[] = [
  ['53100', "the server's disk is full"],
  ['53300', 'the server has too many connections'],
  ['53', 'the server lacks memory or another resource'],
  ['57P', 'the server is shutting down or starting'],
  ['58', "the server's disk fails"],
  ['XX00', 'the database is damaged'],
  ['55P03', 'another program holds a lock; look for a long transaction, and end it or wait'],
  ['25006', 'the server is a standby, or read-only'],
  ['28', 'the server refused the user or the password'],
  ['3D000', 'there is no such database'],
  ['42501', 'this user may not do that; the database must belong to it'],
]

/** By the beginning of SQLite's code; the longer ones first. https://sqlite.org/rescode.html */
const TROUBLES: readonly (readonly [code: string, reason: string])[] = [
  ['SQLITE_FULL', 'the disk is full'],
  ['SQLITE_IOERR', 'the disk fails'],
  ['SQLITE_READONLY', 'its file or folder is read-only for this user'],
  ['SQLITE_CANTOPEN', 'its file cannot be opened'],
  ['SQLITE_BUSY', LOCKED],
  ['SQLITE_LOCKED', LOCKED],
  ['SQLITE_CORRUPT', 'its file is damaged'],
  ['SQLITE_NOTADB', 'its file is damaged, or not a database'],
]

/**
 * Why the database cannot be used just now, in words, with the engine's code; null when `error` is about something else.
 * It says nothing of whether a commit that failed so is on disk: read again before acting on it.
 */
export function databaseTrouble(error: unknown): string | null {
  const { code, cause, severity } = (error ?? {}) as { code?: unknown; cause?: unknown; severity?: unknown }
  if (error instanceof ConnectionLost) return error.message
  const isSqlite = typeof code === 'string' && code.startsWith('SQLITE_')
  // Only an error of the Postgres server has a severity.
  if (typeof code !== 'string' || (!isSqlite && severity === undefined))
    return cause ? databaseTrouble(cause) : null
  const known = (isSqlite ? TROUBLES : POSTGRES_TROUBLES).find(([beginning]) => code.startsWith(beginning))
  return known ? `${known[1]} (${code})` : null
}

/** Whether it failed because another program writes, or keeps others out; nothing was written, and it may be tried again. */
export function isLocked(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  if (typeof code === 'string' && /^(SQLITE_(BUSY|LOCKED)|55P03)/.test(code)) return true
  return cause != null && isLocked(cause)
}
