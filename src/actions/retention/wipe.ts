import type { App } from '../../app.ts'
import type { Db } from '../../db/open.ts'
import { emptyLog, leftToWipe } from '../../db/retention/wiping.ts'

/** Other programs usually read for seconds; one that never stops is worth a warning. */
const WIPE_LATE_MS = 10 * 60_000

/**
 * Empties the write-ahead log, so that it no longer contains what was deleted. Called by each sweep, also while nothing may
 * be submitted. If another program keeps the log from being emptied, that is logged once.
 */
export async function wipe({ db, log, now }: Pick<App, 'db' | 'log' | 'now'>): Promise<void> {
  if (await emptyLog(db)) return void said.delete(db)
  const { logSince } = await leftToWipe(db)
  if (logSince === null || now().getTime() - logSince < WIPE_LATE_MS || said.has(db)) return
  said.add(db)
  log.warn(
    { since: new Date(logSince).toISOString() },
    'erased data is still in the write-ahead log: another program keeps reading the database, end it',
  )
}

/** The databases for which this process has logged it. */
const said = new WeakSet<Db>()
