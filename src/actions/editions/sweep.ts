import type { App } from '../../app.ts'
import { type Slot, type SlotRule, slotAtOrBefore } from '../../core/time/calendar.ts'
import { endAbandonedBatches, markUnknown } from '../../db/ledger/batch-states.ts'
import { batchesInDoubtTooLong } from '../../db/ledger/batches.ts'
import { finishEdition } from '../../db/ledger/edition-states.ts'
import { findEdition, halfPlannedEditions, unfinishedEditions } from '../../db/ledger/editions.ts'
import { waitsOf } from '../../db/ledger/waits.ts'
import { changeFact, establishFact, installationFact } from '../../db/restore/facts.ts'
import { watchEpoch } from '../restore/watch-epoch.ts'
import { pruneOld } from '../retention/prune.ts'
import { wipe } from '../retention/wipe.ts'
import { warnOfLeftOut } from '../sessions/left-out.ts'
import { forgetUnconfirmed } from '../subscribers/join.ts'
import { enqueueOwed } from './enqueue.ts'
import { planAudience, planEdition } from './plan.ts'
import { openSubmitter, type Submitter } from './submit.ts'

/** When this installation began to follow its slot rule; slots before that are never due. */
export type Schedule = { rule: SlotRule; since: number }

const HOUR_MS = 3_600_000

/**
 * Makes the ledger and the clock agree: plans the slot that is due and goes on with half-planned editions, gives up on
 * keys that are too old, ends what is done, and enqueues what is owed. Safe to run at any time, twice, and from several
 * processes. While the installation is held it only wipes what was deleted.
 */
export async function sweep(app: App, submitter: Submitter = openSubmitter(app)): Promise<void> {
  await wipe(app)
  if ((await watchEpoch(app)) !== null) return
  await warnOfLeftOut(app)
  const slot = await dueSlot(app)
  if (slot) await planEdition(app, slot)
  for (const { id } of await halfPlannedEditions(app.db)) await planAudience(app, id)

  for (const id of await batchesInDoubtTooLong(app.db, app.now())) {
    app.log.error({ batch: id }, 'no certain answer within 23 hours: the batch is unknown')
    await markUnknown(app.db, id, 'no certain answer within 23 hours of the first attempt')
  }
  await endAbandonedBatches(app.db, app.now())
  for (const { id } of await unfinishedEditions(app.db)) await finishEdition(app.db, id, app.now())
  for (const { id } of await unfinishedEditions(app.db)) await logWaits(app, id)
  await enqueueOwed(app, submitter)
  await forgetUnconfirmed(app)
  await pruneOld(app)
}

/**
 * Notes when this installation started to follow its slot rule. Installing or importing on a Tuesday thus mails nobody,
 * nor does a change of day bring back a slot of the new rule that is already past.
 */
export async function recordStart(app: Pick<App, 'db' | 'config' | 'now'>): Promise<void> {
  const mine: Schedule = { rule: app.config.slotRule, since: app.now().getTime() }
  const standing = JSON.parse(await establishFact(app.db, 'schedule', JSON.stringify(mine))) as Schedule
  if (JSON.stringify(standing.rule) !== JSON.stringify(mine.rule))
    await changeFact(app.db, 'schedule', JSON.stringify(mine))
}

/** The slot that is due and not in the ledger: at or before now, since the start, younger than the catch-up limit. */
async function dueSlot(app: App): Promise<Slot | null> {
  const schedule = await installationFact(app.db, 'schedule')
  if (schedule === null) return null
  const now = app.now()
  const slot = slotAtOrBefore(app.config.slotRule, now)
  if (slot.at.getTime() < (JSON.parse(schedule) as Schedule).since) return null
  if (now.getTime() - slot.at.getTime() > app.config.DIGEST_CATCH_UP_HOURS * HOUR_MS) return null
  return (await findEdition(app.db, slot.editionId)) === null ? slot : null
}

async function logWaits(app: App, editionId: string): Promise<void> {
  for (const { edition, generation, since, batches } of await waitsOf(app.db, editionId)) {
    const waitsFor = { edition, generation, since: new Date(since) }
    app.log.warn(
      { edition: editionId, batches, waitsFor },
      'batches wait until it is known whether an email of another edition reached their readers',
    )
  }
}
