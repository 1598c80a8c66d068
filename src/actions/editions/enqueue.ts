import type { App } from '../../app.ts'
import { owedBatches, owesAnything } from '../../db/ledger/batches.ts'
import { passFirstWaves } from '../../db/ledger/first-wave.ts'
import { owedNotices } from '../../db/people/notices.ts'
import { guardOn } from '../../failpoint.ts'
import { isLeft, type Submitter } from './submit.ts'

/** At most this many wake-ups are put into Redis at a time: ten seconds' worth at Resend's usual limit. */
const PORTION = 100

/** `soon`: something is enqueued or in flight. `later`: what is owed cannot be claimed now. */
export type Owing = 'nothing' | 'soon' | 'later'

/**
 * Enqueues the next portion of what the ledger owes, unless wake-ups are waiting in Redis. Enqueues only what can be
 * claimed now, so that nothing spins, and in one process at a time, so that there are no duplicates. Returns whether the
 * ledger owes anything, and so when to look again.
 */
export async function enqueueOwed(app: App, submitter: Pick<Submitter, 'isStale'>): Promise<Owing> {
  if (!guardOn('enqueue-owed') || !(await owesAnything(app.store))) return 'nothing'
  if ((await app.queue.backlog()) !== 0) return 'soon'
  let owing: Owing = 'later'
  const alone = await app.queue.alone(async () => {
    await letRestGo(app)
    owing = (await app.queue.backlog()) === 0 ? await enqueuePortion(app, submitter) : 'soon'
  })
  return alone ? owing : 'soon'
}

async function letRestGo({ store, log, now }: App): Promise<void> {
  for (const edition of await passFirstWaves(store, now()))
    log.info({ edition }, 'the first wave went well: the rest of the edition goes out')
}

async function enqueuePortion(app: App, { isStale }: Pick<Submitter, 'isStale'>): Promise<Owing> {
  const now = app.now()
  const batches = await owedBatches(app.store, now, PORTION)
  const notices = await owedNotices(app.store, now, PORTION)
  const free = batches.filter(
    (batch) => batch.state === 'planned' || (guardOn('takeover') && isStale(batch, now)),
  )
  await app.queue.wakeBatches(
    free.map(({ id }) => id),
    'once',
  )
  await app.queue.wakeNotices(
    notices.filter((notice) => notice.state === 'planned' || isLeft(notice, now)).map(({ id }) => id),
    { once: true },
  )
  return batches.length + notices.length > 0 ? 'soon' : 'later'
}
