import type { App } from '../../app.ts'
import { nextSlot, type Slot, type SlotRule, slotAtOrBefore } from '../../core/time/calendar.ts'
import { endAbandonedBatches, markUnknown } from '../../db/ledger/batch-states.ts'
import { batchesInDoubtTooLong } from '../../db/ledger/batches.ts'
import { finishEdition } from '../../db/ledger/edition-states.ts'
import { findEdition, halfPlannedEditions, unfinishedEditions } from '../../db/ledger/editions.ts'
import { findReview, lapseReviews } from '../../db/ledger/reviews.ts'
import { waitsOf } from '../../db/ledger/waits.ts'
import { changeFact, establishFact, installationFact } from '../../db/restore/facts.ts'
import { guardOn } from '../../failpoint.ts'
import { planAudience, planReviewed } from './plan.ts'
import { countAhead, reviewAhead, reviewAtSlot, waitsForPerson } from './review.ts'

/** When this installation started to follow its slot rule. Earlier slots are never due. */
export type Schedule = { rule: SlotRule; since: number }

const HOUR_MS = 3_600_000

/** Plans the slot that is due unless it waits for a person, and continues editions that are partly planned. */
export async function planDue(app: App): Promise<void> {
  const slot = await dueSlot(app)
  if (slot) await planUnlessItWaits(app, slot)
  for (const { id } of await halfPlannedEditions(app.store)) await planAudience(app, id)
}

async function planUnlessItWaits(app: App, slot: Slot): Promise<void> {
  const said = await findReview(app.store, slot.editionId)
  // Without reviews nothing is odd; but what waits anyway, someone must hear of.
  if (app.config.REVIEW_HOURS === 0 && !(await waitsForPerson(app, slot, said))) {
    await planReviewed(app, slot, { stamp: said?.stamp ?? 0 })
    return
  }
  const reviewed = await reviewAtSlot(app, slot)
  if (reviewed === null || (await waitsForPerson(app, slot, reviewed.review))) return
  await planReviewed(app, slot, { program: reviewed.planned.program, stamp: reviewed.review.stamp })
}

/** How many editions are due and wait for a person. */
export async function editionsWaiting(app: Pick<App, 'store' | 'config' | 'now'>): Promise<number> {
  const slot = await dueSlot(app)
  if (slot === null) return 0
  return (await waitsForPerson(app, slot, await findReview(app.store, slot.editionId))) ? 1 : 0
}

/** Reviews the next edition from REVIEW_HOURS before its slot on, and ends those that waited too long. */
export async function reviewComing(app: App): Promise<void> {
  if ((await installationFact(app.store, 'schedule')) === null) return
  const now = app.now()
  const limit = new Date(now.getTime() - app.config.DIGEST_CATCH_UP_HOURS * HOUR_MS)
  for (const edition of await lapseReviews(app.store, limit, now))
    app.log.warn({ edition }, 'an edition did not go out in time and is left out; the next one has its news')
  const slot = nextSlot(app.config.slotRule, now)
  const begins = slot.at.getTime() - app.config.REVIEW_HOURS * HOUR_MS
  const isPlanned = (await findEdition(app.store, slot.editionId)) !== null
  if (isPlanned) return
  if (app.config.REVIEW_HOURS > 0 && now.getTime() >= begins) await reviewAhead(app, slot)
  else await countAhead(app, slot)
}

/** Gives up on batches whose idempotency key is too old to be trusted, and on those of cancelled editions. */
export async function giveUpBatches(app: App): Promise<void> {
  for (const id of await batchesInDoubtTooLong(app.store, app.now())) {
    app.log.error({ batch: id }, 'no certain answer within 23 hours: the batch is unknown')
    await markUnknown(app.store, id, 'no certain answer within 23 hours of the first attempt')
  }
  await endAbandonedBatches(app.store, app.now())
}

/** Ends editions whose batches have all ended, and logs what the others wait for. */
export async function finishEditions(app: App): Promise<void> {
  for (const { id } of await unfinishedEditions(app.store)) await finishEdition(app.store, id, app.now())
  for (const { id } of await unfinishedEditions(app.store)) await logWaits(app, id)
}

/**
 * Records when this installation started to follow its slot rule. So installing or importing on a Tuesday emails no one,
 * and a change of weekday does not make a past slot of the new rule due.
 */
export async function recordStart(app: Pick<App, 'store' | 'config' | 'now'>): Promise<void> {
  const mine: Schedule = { rule: app.config.slotRule, since: app.now().getTime() }
  const established = JSON.parse(await establishFact(app.store, 'schedule', JSON.stringify(mine))) as Schedule
  if (JSON.stringify(established.rule) !== JSON.stringify(mine.rule))
    await changeFact(app.store, 'schedule', JSON.stringify(mine))
}

/** The slot that is due and not in the ledger: not after now, not before the start, and within DIGEST_CATCH_UP_HOURS. */
export async function dueSlot(app: Pick<App, 'store' | 'config' | 'now'>): Promise<Slot | null> {
  const schedule = await installationFact(app.store, 'schedule')
  if (schedule === null) return null
  const now = app.now()
  const slot = slotAtOrBefore(app.config.slotRule, now)
  if (slot.at.getTime() < (JSON.parse(schedule) as Schedule).since) return null
  const late = now.getTime() - slot.at.getTime() > app.config.DIGEST_CATCH_UP_HOURS * HOUR_MS
  if (late && guardOn('catch-up-limit')) return null
  return (await findEdition(app.store, slot.editionId)) === null ? slot : null
}

async function logWaits(app: App, editionId: string): Promise<void> {
  for (const { edition, generation, since, batches } of await waitsOf(app.store, editionId)) {
    const waitsFor = { edition, generation, since: new Date(since) }
    app.log.warn(
      { edition: editionId, batches, waitsFor },
      'batches wait until it is known whether an email of another edition reached their readers',
    )
  }
}
