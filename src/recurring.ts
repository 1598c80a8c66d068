import { finishEditions, giveUpBatches, planDue, reviewComing } from './actions/editions/sweep.ts'
import { watchEpoch } from './actions/restore/watch-epoch.ts'
import { pruneOld } from './actions/retention/prune.ts'
import { wipe } from './actions/retention/wipe.ts'
import { warnOfLeftOut } from './actions/sessions/left-out.ts'
import { settleSeats } from './actions/sessions/seats.ts'
import { forgetUnconfirmed } from './actions/subscribers/join.ts'
import type { App } from './app.ts'
import { cronPattern, type SlotRule } from './core/time/calendar.ts'
import { waitOf } from './failpoint.ts'
import type { Scheduler } from './redis/queue.ts'

// Everything periodic is listed here, and drives the worker and the queue.

/** What Redis starts, once for all processes. Both jobs run the sweep, which asks the ledger and the clock what is due. */
export const schedulersOf = (rule: SlotRule): Scheduler[] => [
  { id: 'weekly-digest', job: 'plan-edition', pattern: cronPattern(rule), tz: rule.timeZone },
  { id: 'sweep', job: 'sweep', every: waitOf('sweep', 60_000) },
]

/** How often each worker checks that the schedulers are in Redis. If Redis was flushed, nothing would start the sweep. */
export const GUARD_EVERY_MS = 10_000

/**
 * How soon each worker asks the ledger again while anything is owed. It also asks when the queue is drained, but a killed
 * process or an emptied Redis never reports that.
 */
export const LOOK_EVERY_MS = 250

/** Runs on a held installation too. */
const ALWAYS = [wipe]

/** Each step is safe to run at any time, twice, and from several processes. Retention runs once a day. */
const UNLESS_HELD = [
  settleSeats,
  warnOfLeftOut,
  planDue,
  giveUpBatches,
  finishEditions,
  reviewComing,
  forgetUnconfirmed,
  pruneOld,
]

/** Makes the ledger and the clock agree. The worker enqueues what is owed after it. */
export async function sweep(app: App): Promise<void> {
  for (const step of ALWAYS) await step(app)
  if ((await watchEpoch(app)) !== null) return
  for (const step of UNLESS_HELD) await step(app)
}
