import { z } from 'zod'
import { enqueueOwed } from './actions/editions/enqueue.ts'
import { openSubmitter, type Submitter } from './actions/editions/submit.ts'
import { recordStart } from './actions/editions/sweep.ts'
import { watchEpoch } from './actions/restore/watch-epoch.ts'
import { DECOY, submitNotice } from './actions/subscribers/notices.ts'
import type { App } from './app.ts'
import { mayGoOn } from './db/ledger/batches.ts'
import { databaseTrouble } from './db/trouble.ts'
import { waitOf } from './failpoint.ts'
import { GUARD_EVERY_MS, LOOK_EVERY_MS, schedulersOf, sweep } from './recurring.ts'
import type { JobOutcome } from './redis/workers.ts'

const RowId = z.number().int().positive()
const SubmitJob = z.discriminatedUnion('name', [
  z.object({ name: z.literal('submit-batch'), data: z.object({ batchId: RowId }) }),
  z.object({ name: z.literal('submit-notice'), data: z.object({ noticeId: RowId.or(z.literal(DECOY)) }) }),
])

// The wait is this many times longer while nothing that is owed can be claimed, because each look reads all of it.
const LATER_TIMES = 4
// A broken disk fails every batch, and each try on a locked database blocks this process. So all of them wait.
const BROKEN_WAIT_MS = 5_000

/**
 * Works on the queues until `stop`, which lets current work finish (without a limit; the caller has one). While the ledger
 * owes anything, it keeps the queue filled without waiting for a sweep. `guardEveryMs`: how often it checks the schedulers
 * in Redis. `lookEveryMs`: how soon it asks the ledger again while anything is owed. `scheduled: false` submits what is
 * owed without following the weekly slots (`edition send --wait`).
 */
export async function startWorker(
  app: App,
  {
    scheduled,
    guardEveryMs = waitOf('look-after', GUARD_EVERY_MS),
    lookEveryMs = LOOK_EVERY_MS,
  }: { scheduled: boolean; guardEveryMs?: number; lookEveryMs?: number },
): Promise<{ stop(): Promise<void> }> {
  await watchEpoch(app)
  if (scheduled) await recordStart(app)
  const { RESEND_REQUESTS_PER_SECOND: rate } = app.config
  const limit = rate === 'auto' ? 10 : rate
  await app.queue.limitRate(limit)
  const submitter = openSubmitter(app)
  const filling = keepFilled(app, submitter, lookEveryMs)
  const work = app.queue.work({
    drained: filling.look,
    sweep: async () => {
      await unlessBroken(app, () => sweep(app))
      filling.look() // what it planned may not all be enqueued yet, and an idle queue drains nothing
    },
    submit: async (name, data) =>
      (await unlessBroken(app, () => submit(app, submitter, { name, data }))) ?? {
        kind: 'rate-limited',
        ms: BROKEN_WAIT_MS,
      },
  })

  const guard = async () => {
    if (!(await app.queue.ensureSchedulers(schedulersOf(app.config.slotRule)))) return
    await app.queue.limitRate(submitter.perSecond() ?? limit)
    await app.queue.wakeSweep()
  }
  await guard()
  await app.queue.wakeSweep() // a restart makes up at once for what it missed
  filling.look()
  const timer = setInterval(() => void guard(), guardEveryMs)
  return {
    async stop() {
      clearInterval(timer)
      filling.stop()
      await work.stop()
    },
  }
}

/** Enqueues what is owed whenever asked, one run at a time, and again every `everyMs` while anything is owed. */
function keepFilled(app: App, submitter: Submitter, everyMs: number): { look: () => void; stop: () => void } {
  let timer: NodeJS.Timeout | undefined
  let looking = false
  let askedMeanwhile = false
  let stopped = false
  const look = async (): Promise<void> => {
    askedMeanwhile = looking
    if (looking || stopped) return
    looking = true
    clearTimeout(timer)
    const waitMs = await lookOnce(app, submitter, everyMs)
    looking = false
    if (stopped) return
    if (askedMeanwhile) return look()
    if (waitMs !== null) timer = setTimeout(() => void look(), waitMs)
  }
  return {
    look: () => void look(),
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** Returns how soon to look again, in ms; null if nothing is owed. Never throws. */
async function lookOnce(app: App, submitter: Submitter, everyMs: number): Promise<number | null> {
  try {
    const owing = await unlessBroken(app, () => enqueueOwed(app, submitter))
    if (owing === null) return BROKEN_WAIT_MS
    if (owing === 'nothing') return null
    return owing === 'soon' ? everyMs : LATER_TIMES * everyMs
  } catch (error) {
    app.log.error({ err: error }, 'the ledger could not be asked what it owes; it is asked again')
    return everyMs
  }
}

async function submit(
  app: App,
  submitter: Submitter,
  wakeUp: { name: string; data: unknown },
): Promise<JobOutcome> {
  app.log.debug({ job: wakeUp.name }, 'woken')
  const job = SubmitJob.safeParse(wakeUp)
  if (!job.success) {
    app.log.warn({ job: wakeUp.name }, 'a wake-up that nobody here understands was dropped')
    return { kind: 'done' }
  }
  const outcome =
    job.data.name === 'submit-batch'
      ? await submitter.submit(job.data.data.batchId)
      : await submitNotice(app, job.data.data.noticeId)
  // The jobs behind it are of the same portion. Dropped one by one, each would use up a request of the limit.
  if (
    job.data.name === 'submit-batch' &&
    outcome.kind === 'not-ours' &&
    !(await mayGoOn(app.store, job.data.data.batchId))
  )
    await app.queue.forgetBatches()
  return outcome.kind === 'again' || outcome.kind === 'rate-limited' ? outcome : { kind: 'done' }
}

/**
 * The result of `work`, or null if the database cannot be read or written now. That is logged once. Do not act on the
 * failure: the commit may be on disk, so the next wake-up reads the ledger again.
 */
async function unlessBroken<Result>(app: App, work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work()
  } catch (error) {
    const reason = databaseTrouble(error)
    if (reason === null) throw error
    app.log.error(
      { reason },
      'the database cannot be used: nothing is submitted until it works again; then it continues automatically',
    )
    return null
  }
}
