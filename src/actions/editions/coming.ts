import type { App, SweepWaker } from '../../app.ts'
import { type ComingState, decide, keysOf, UNREVIEWED } from '../../core/review/decision.ts'
import type { Flag } from '../../core/review/flags.ts'
import { type Offer, offersAt } from '../../core/sessions/offers.ts'
import { nextSlot, type Slot, slotAtOrBefore } from '../../core/time/calendar.ts'
import { findEdition, newestBefore, type Tally, tallyOf } from '../../db/ledger/editions.ts'
import { historyBefore } from '../../db/ledger/history.ts'
import { approveReview, type Counts, findReview, holdReview, type Review } from '../../db/ledger/reviews.ts'
import { hasApprovers } from '../../db/operators/approvers.ts'
import { isShortList } from '../../db/people/subscribers.ts'
import { openSessions, sessionsVersion } from '../../db/sessions/sessions.ts'
import { failpoint } from '../../failpoint.ts'
import { demand } from '../operators/acting.ts'
import { settleSeats } from '../sessions/seats.ts'
import { asIfPlanned } from './as-if-planned.ts'
import { type Planned, planByHand, planReviewed } from './plan.ts'
import { countsOf, FEW } from './review.ts'
import { dueSlot } from './sweep.ts'

/** The edition that goes out next, or the one that is due and waits for a person. */
export type Coming = {
  id: string
  at: Date
  state: ComingState
  /** It does not go out unless someone approves it. */
  waits: boolean
  /** What is odd about it; `sentencesOf` says it in words. */
  flags: readonly Flag[]
  /** What an approval of these flags covers; hand it to `approveEdition`. */
  keys: readonly string[]
  /** Whom it would reach and with how many group times; null: not counted yet. */
  counts: Counts | null
  /** When that was counted. */
  asOf: Date | null
  /** When it is, or will be, looked at; null: never (REVIEW_HOURS=0). */
  reviewAt: Date | null
  reviewedAt: Date | null
  /** Until when a waiting one may be approved; then its news goes into the next. */
  waitsUntil: Date
  /** Identifies the group times that this shows; `sendNow` refuses others. */
  version: number
  /** The edition before it, with its sum. */
  last: { id: string; state: string; tally: Tally } | null
}

type Needs = Pick<App, 'store' | 'config' | 'now' | 'actor'>

const HOUR_MS = 3_600_000

/** What goes out next, whom it reaches, and whether it waits for someone. Costs the same for a list of any size. */
export async function comingEdition(app: Needs): Promise<Coming> {
  demand(app, 'today.see')
  const slot = await comingSlot(app)
  const { config, store } = app
  const review = await findReview(store, slot.editionId)
  const rules = { approval: config.APPROVAL, operators: await hasApprovers(store) }
  const last = await newestBefore(store, slot.editionId)
  const at = slot.at.getTime()
  return {
    id: slot.editionId,
    at: slot.at,
    ...decide(review ?? UNREVIEWED, rules, { at: slot.at, now: app.now() }),
    flags: review?.flags ?? [],
    keys: review?.flags.flatMap(keysOf) ?? [],
    ...(await countsFor(app, slot, review)),
    reviewAt: config.REVIEW_HOURS === 0 ? null : new Date(at - config.REVIEW_HOURS * HOUR_MS),
    reviewedAt: dateOf(review?.reviewedAt),
    waitsUntil: new Date(at + config.DIGEST_CATCH_UP_HOURS * HOUR_MS),
    version: await sessionsVersion(store),
    last: last && { id: last.id, state: last.state, tally: await tallyOf(store, last.id, 0) },
  }
}

/** What is new in the coming edition to someone who was shown all before, soonest first; of a first edition, all of it. */
export async function comingOffers(app: Needs, { at, last }: Coming): Promise<Offer[]> {
  demand(app, 'today.see')
  const then = new Date(Math.max(at.getTime(), app.now().getTime()))
  const { sessions } = await openSessions(app.store, then)
  const seenThrough = last === null ? 0 : ((await findEdition(app.store, last.id))?.throughSeq ?? 0)
  return offersAt(
    sessions.filter(({ seq }) => seq > seenThrough),
    then,
  )
}

/** `already`: it is planned, so it is too late, or not needed. */
export type ComingOutcome =
  | { kind: 'done' }
  | { kind: 'already' | 'not-coming'; reason: string }
  | { kind: 'changed'; reason: string }

/**
 * Lets a coming edition go, also one that is held. `saw`: `Coming.keys` of the flags that were shown; those on record if not
 * given. A flag that comes later waits again.
 */
export async function approveEdition(
  app: Needs & { queue: SweepWaker },
  id: string,
  saw?: readonly string[],
): Promise<ComingOutcome> {
  demand(app, 'editions.control')
  const slot = await slotOf(app, id)
  if (slot === null) return notComing(app, id)
  const seen = (key: string) => saw?.includes(key) ?? true
  const flags = ((await findReview(app.store, id))?.flags ?? []).filter((flag) => keysOf(flag).some(seen))
  const keys = flags.flatMap(keysOf).filter(seen)
  const names = flags.map(({ name }) => name)
  if (!(await approveReview(app.store, slot, { keys, names }, app.now()))) return notComing(app, id)
  failpoint('after-approve')
  await app.queue.wakeSweep()
  return { kind: 'done' }
}

/** Keeps a coming edition from going out until someone approves it. Nothing changes if it is held already. */
export async function holdEdition(app: Needs, id: string): Promise<ComingOutcome> {
  demand(app, 'editions.control')
  const slot = await slotOf(app, id)
  if (slot === null) return notComing(app, id)
  if (await holdReview(app.store, slot, app.now())) return { kind: 'done' }
  return (await findReview(app.store, id))?.heldAt == null ? notComing(app, id) : { kind: 'done' }
}

/**
 * Plans the coming edition now, whatever its review says: whoever sends it approves it. Refuses when group times have changed since
 * `version` was shown.
 */
export async function sendNow(
  app: Parameters<typeof planReviewed>[0] & Needs,
  { id, version }: { id: string; version: number },
): Promise<ComingOutcome> {
  demand(app, 'editions.control')
  const slot = await slotOf(app, id)
  if (slot === null) return notComing(app, id)
  await settleSeats(app)
  // As of now, not of the slot: what meets before that is offered too.
  const program = await openSessions(app.store, app.now())
  if (program.version !== version)
    return { kind: 'changed', reason: 'group times have changed since this was shown; look at it again' }
  const outcome = await planReviewed(app, slot, { program, byHand: true })
  return outcome?.kind === 'planned' ? { kind: 'done' } : notComing(app, id)
}

/** Plans the edition of the current slot now, whatever its review says; what `edition send` does. */
export async function sendThisWeek(app: Parameters<typeof planReviewed>[0] & Needs): Promise<Planned> {
  demand(app, 'editions.control')
  return planByHand(app, slotAtOrBefore(app.config.slotRule, app.now()))
}

/** The slot that is due and not planned, or else the next one that is not. */
export async function comingSlot(app: Pick<App, 'store' | 'config' | 'now'>): Promise<Slot> {
  const due = await dueSlot(app)
  if (due !== null) return due
  const { slotRule } = app.config
  const next = nextSlot(slotRule, app.now())
  return (await findEdition(app.store, next.editionId)) === null ? next : nextSlot(slotRule, next.at)
}

/** The slot of a coming edition: the one that is due, or one of the next two. */
async function slotOf(app: Needs, id: string): Promise<Slot | null> {
  const coming = await comingSlot(app)
  return [coming, nextSlot(app.config.slotRule, coming.at)].find(({ editionId }) => editionId === id) ?? null
}

async function notComing(app: Needs, id: string): Promise<ComingOutcome> {
  const edition = await findEdition(app.store, id)
  if (edition !== null) return { kind: 'already', reason: `edition ${id} is ${edition.state}` }
  const { editionId } = await comingSlot(app)
  return { kind: 'not-coming', reason: `edition ${id} is not coming; the next one is ${editionId}` }
}

async function countsFor(
  app: Needs,
  slot: Slot,
  review: Review | null,
): Promise<Pick<Coming, 'counts' | 'asOf'>> {
  if (!(await isShortList(app.store, FEW)))
    return { counts: review?.counts ?? null, asOf: dateOf(review?.countedAt) }
  const [planned, history] = [await asIfPlanned(app, slot), await historyBefore(app.store, slot.editionId)]
  return { counts: await countsOf(app, planned, history), asOf: app.now() }
}

const dateOf = (ms: number | null | undefined): Date | null => (ms == null ? null : new Date(ms))
