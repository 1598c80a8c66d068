import type { App } from '../../app.ts'
import { emptyLog, leftToWipe } from '../../db/sqlite/wiping.ts'
import type { Store } from '../../db/store.ts'

/** Other programs usually read for seconds; one that never stops is worth a warning. */
const WIPE_LATE_MS = 10 * 60_000

/**
 * Empties the write-ahead log, so that it no longer contains what was deleted. Called by each sweep, also while nothing may
 * be submitted. If another program keeps the log from being emptied, that is logged once.
 */
export async function wipe({ store, log, now }: Pick<App, 'store' | 'log' | 'now'>): Promise<void> {
  if (await emptyLog(store)) return void said.delete(store)
  const { logSince } = await leftToWipe(store)
  if (logSince === null || now().getTime() - logSince < WIPE_LATE_MS || said.has(store)) return
  said.add(store)
  log.warn(
    { since: new Date(logSince).toISOString() },
    'erased data is still in the write-ahead log: another program keeps reading the database, end it',
  )
}

/** The databases for which this process has logged it. */
const said = new WeakSet<Store>()
