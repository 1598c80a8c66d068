const LOCKED =
  'another program holds it locked; look for a database browser, a copy of the file being made or a large import, and close it or wait'

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
 * Why the database cannot be used just now, in words, with SQLite's code; null when `error` is about something else.
 * It says nothing of whether a commit that failed so is on disk: read again before acting on it.
 */
export function databaseTrouble(error: unknown): string | null {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  if (typeof code !== 'string' || !code.startsWith('SQLITE_')) return cause ? databaseTrouble(cause) : null
  const known = TROUBLES.find(([beginning]) => code.startsWith(beginning))
  return known ? `${known[1]} (${code})` : null
}

/** Whether it failed because another program writes, or keeps others out; nothing was written, and it may be tried again. */
export function isLocked(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  if (typeof code === 'string' && /^SQLITE_(BUSY|LOCKED)/.test(code)) return true
  return cause != null && isLocked(cause)
}
