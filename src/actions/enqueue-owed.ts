import type { App } from '../app.ts'
import { owedBatches, owesAnything } from '../db/batches.ts'
import { owedNotices } from '../db/notices.ts'
import { isLeft, isStale } from './submit-batch.ts'

/**
 * So many wake-ups at most are put into Redis at a time: ten seconds' worth at Resend's usual limit. What is enqueued and
 * then paused or superseded is dropped one by one under that limit, so a larger portion would hold up what follows it.
 */
const PORTION = 100

/**
 * Enqueues the next portion of what the ledger owes, when no wake-up waits in Redis. Only what can be claimed now is
 * enqueued, so nothing spins, and each only once in half a second, so processes that look at once do not pile up
 * duplicates. Returns whether the ledger owes anything, now or later: then look again soon.
 */
export async function enqueueOwed(app: App): Promise<boolean> {
  const now = app.now()
  if (!(await owesAnything(app.db))) return false
  if ((await app.queue.backlog()) !== 0) return true
  const batches = (await owedBatches(app.db, now, PORTION)).filter(
    (batch) => batch.state === 'planned' || isStale(batch, app, now),
  )
  const notices = (await owedNotices(app.db, now, PORTION)).filter(
    (notice) => notice.state === 'planned' || isLeft(notice, now),
  )
  await app.queue.wakeBatches(
    batches.map(({ id }) => id),
    'once',
  )
  await app.queue.wakeNotices(
    notices.map(({ id }) => id),
    { once: true },
  )
  return true
}
