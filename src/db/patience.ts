import { setTimeout } from 'node:timers/promises'
import type { Db } from './open.ts'
import { withPragma } from './pragma.ts'
import { isLocked } from './trouble.ts'

// Waiting for a lock holds the whole process, its pages too: SQLite is called in this thread.
const BRIEF_MS = 250
const [TRIES, BETWEEN_MS] = [10, 250]

/** From now on this connection waits for another program's lock a quarter of a second: for a process that serves pages. */
export function waitBriefly(db: Db): void {
  db.$client.pragma(`busy_timeout = ${BRIEF_MS}`)
}

/** Runs `work` with no more patience than that. It throws SQLite's `SQLITE_BUSY` when the lock stays. */
export function briefly<Result>(db: Db, work: () => Result): Result {
  const usual = db.$client.pragma('busy_timeout', { simple: true }) as number
  return withPragma(db.$client, 'busy_timeout', Math.min(usual, BRIEF_MS), work)
}

/**
 * Tries `work` again while another program holds the lock, for some five seconds, and lets everything else go on in
 * between. `work` must be safe to run twice. Throws what the last try threw.
 */
export async function onceUnlocked<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await work()
    } catch (error) {
      if (!isLocked(error) || tried === TRIES) throw error
      await setTimeout(BETWEEN_MS)
    }
  }
}
