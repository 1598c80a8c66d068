import { setTimeout } from 'node:timers/promises'
import type { App } from '../../app.ts'
import { decide, flagsWhileWaiting, UNREVIEWED } from '../../core/review/decision.ts'
import { type Facts, type Failing, type Flag, flagsOf, hostOf, newsOf } from '../../core/review/flags.ts'
import type { Slot } from '../../core/time/calendar.ts'
import { type EditionHistory, historyBefore } from '../../db/ledger/history.ts'
import {
  type Answers,
  beginLook,
  type Counts,
  endLook,
  type Found,
  findReview,
  keepCounts,
  type Review,
  recordLook,
} from '../../db/ledger/reviews.ts'
import { hasApprovers } from '../../db/operators/approvers.ts'
import { isShortList } from '../../db/people/subscribers.ts'
import { openSessionsSince, sessionsVersion } from '../../db/sessions/sessions.ts'
import { failpoint, guardOn } from '../../failpoint.ts'
import type { Check } from '../../resend/check.ts'
import { checkAccount, checkReports } from '../provider/mail-checks.ts'
import { type AsIfPlanned, asIfPlanned, countEveryone } from './as-if-planned.ts'
import { isLeft } from './submit.ts'

type Reviewer = Pick<App, 'askLinks' | 'config' | 'instance' | 'log' | 'now' | 'store'>

/** A review, and the edition that it speaks of: planning that very one keeps what was not reviewed out of it. */
export type ReviewedEdition = { review: Review; planned: AsIfPlanned }

/** So often is Resend asked again while its settings are why an edition waits. */
const ASK_AGAIN_MS = 10 * 60_000
/** A count of the audience this recent serves again: seats change all day, and a million readers take seconds to count. */
const COUNT_LIFE_MS = 10 * 60_000
/** And before the review, where a count is only shown. */
const ROUGH_LIFE_MS = 6 * 3_600_000

/**
 * The review of a slot that is due, made or brought up to date; null while another process makes it. What is odd then counts,
 * not what was odd a day before.
 */
export async function reviewAtSlot(app: Reviewer, slot: Slot): Promise<ReviewedEdition | null> {
  const review = await findReview(app.store, slot.editionId)
  if (review === null || !reviewedSince(review, slot.at, app.now()) || asksAgain(review, app.now()))
    return await look(app, slot)
  const planned = await asIfPlanned(app, slot)
  return review.sessionsVersion === planned.program.version ? { review, planned } : await look(app, slot)
}

/** Makes the review of a coming slot, or brings it up to date where sessions have changed since. */
export async function reviewAhead(app: Reviewer, slot: Slot): Promise<void> {
  const review = await findReview(app.store, slot.editionId)
  const version = await sessionsVersion(app.store)
  if (review?.sessionsVersion === version && reviewedSince(review, new Date(0), app.now())) return
  await look(app, slot)
}

/** Keeps a rough count for Today until the review, where counting everyone for each page would take too long. */
export async function countAhead(app: Reviewer, slot: Slot): Promise<void> {
  if ((await isShortList(app.store, FEW)) || !(await hasApprovers(app.store))) return
  const review = await findReview(app.store, slot.editionId)
  const [now, countedAt] = [app.now(), review?.countedAt ?? null]
  if (countedAt !== null && countedAt <= now.getTime() && now.getTime() - countedAt < ROUGH_LIFE_MS) return
  const [planned, history] = [await asIfPlanned(app, slot), await historyBefore(app.store, slot.editionId)]
  await keepCounts(app.store, slot, await countsOf(app, planned, history), app.now())
}

// A review from the future is from before the clock was set back.
const reviewedSince = ({ reviewedAt }: Review, since: Date, now: Date): boolean =>
  reviewedAt !== null && reviewedAt >= since.getTime() && reviewedAt <= now.getTime()

const asksAgain = ({ flags, reviewedAt }: Review, now: Date): boolean =>
  flags.some(({ name }) => name === 'resend') && now.getTime() - (reviewedAt ?? 0) >= ASK_AGAIN_MS

async function look(app: Reviewer, slot: Slot): Promise<ReviewedEdition | null> {
  const found = await findReview(app.store, slot.editionId)
  const gone = found !== null && isLeft(found, app.now()) ? found.claimedBy : null
  const claim = await beginLook(app.store, slot, { by: app.instance, gone }, app.now())
  if (claim === null) return null
  try {
    const { planned, ...seen } = await find(app, slot, claim.review)
    const tell = await whatToTell(app, slot, { ...claim.review, flags: seen.flags })
    const review = await recordLook(app.store, claim, { ...seen, tell }, app.now())
    failpoint('after-review')
    if (review === null) return null
    logFlags(app, claim.review, review)
    return { review, planned }
  } catch (error) {
    await endLook(app.store, claim).catch(() => {})
    throw error
  }
}

type Seen = Omit<Found, 'tell'> & { planned: AsIfPlanned }

async function find(app: Reviewer, slot: Slot, review: Review): Promise<Seen> {
  const first = await asIfPlanned(app, slot)
  const [answers, failing, history] = await Promise.all([
    askNewLinks(app, first, review.answers),
    failingAtResend(app),
    historyBefore(app.store, slot.editionId),
  ])
  // Links take seconds. What is decided on, and planned, is how sessions stand after them.
  const planned = await asIfPlanned(app, slot)
  const counted = await countedFor(app, planned, history, review)
  const { recipients, excluded } = counted.counts
  const people = recipients + (excluded['monthly-not-due'] ?? 0)
  const facts = await factsOf(app, planned, history, { answers, failing, people })
  const flags = flagsOf(facts)
  const isDue = reviewedSince(review, slot.at, app.now())
  return {
    planned,
    answers,
    ...counted,
    flags: isDue ? flagsWhileWaiting(review.flags, flags) : flags,
    sessionsVersion: planned.program.version,
  }
}

async function factsOf(
  app: Reviewer,
  { program, offers, at }: AsIfPlanned,
  history: EditionHistory,
  found: Pick<Facts, 'answers' | 'failing' | 'people'>,
): Promise<Facts> {
  const seenThrough = history.last?.throughSeq ?? 0
  return {
    ...found,
    now: app.now(),
    slot: at,
    throughSeq: program.throughSeq,
    seenThrough,
    offers,
    changed: await openSessionsSince(app.store, seenThrough),
    earlierNews: history.earlierNews,
    last: history.last,
    mailedHosts: new Set(history.bookingUrls.map(hostOf)),
  }
}

/** Each link is asked once in the review of an edition. */
async function askNewLinks(app: Reviewer, { offers }: AsIfPlanned, known: Answers): Promise<Answers> {
  const urls = new Set(offers.map(({ bookingUrl }) => bookingUrl))
  const unknown = [...urls].filter((url) => !(url in known))
  return unknown.length === 0 ? known : { ...known, ...(await app.askLinks(unknown)) }
}

async function failingAtResend(app: Reviewer): Promise<Failing[]> {
  const account = await Promise.race([
    checkAccount({ config: app.config, installation: app, now: app.now() }, null),
    setTimeout(RESEND_PATIENCE_MS, [NO_ANSWER], { ref: false }),
  ])
  const failed = account.filter(({ name, status }) => status === 'fail' && name !== 'clock')
  const silent = (await checkReports(app)).filter(({ status }) => status !== 'ok')
  return [...failed, ...silent].map(({ name, detail, fix }) => ({ name, detail, ...(fix && { fix }) }))
}

const RESEND_PATIENCE_MS = 15_000
const NO_ANSWER: Check = {
  name: 'Resend',
  status: 'fail',
  detail: 'no answer within 15 seconds',
  fix: 'Let this machine reach https://api.resend.com, port 443.',
}

async function countedFor(
  app: Reviewer,
  planned: AsIfPlanned,
  history: EditionHistory,
  { counts, countedAt }: Review,
): Promise<{ counts: Counts; countedAt: number }> {
  const now = app.now().getTime()
  const isRecent = countedAt !== null && countedAt <= now && now - countedAt < COUNT_LIFE_MS
  if (counts && isRecent && counts.candidates > FEW)
    return { counts: { ...counts, ...sessionCounts(planned, history) }, countedAt }
  return { counts: await countsOf(app, planned, history), countedAt: now }
}

/** Whom the edition would reach, and with how many group times. Reads every subscriber. */
export async function countsOf(
  app: Pick<App, 'store'>,
  planned: AsIfPlanned,
  history: EditionHistory,
): Promise<Counts> {
  const everyone = await countEveryone(app, planned.edition, (candidate) => planned.judge.exclude(candidate))
  return { ...everyone, ...sessionCounts(planned, history) }
}

function sessionCounts({ offers, program }: AsIfPlanned, { last }: EditionHistory) {
  const seen = { seenThrough: last?.throughSeq ?? 0, throughSeq: program.throughSeq }
  return { news: newsOf({ offers, ...seen }).length, bookable: offers.length }
}

/** So few readers are counted whenever someone looks. */
export const FEW = 2_000

/** Once a review was made, operators hear of it; and once more if they were told that it goes, and it waits after all. */
async function whatToTell(app: Reviewer, slot: Slot, review: Review): Promise<Found['tell']> {
  if (!(await hasApprovers(app.store))) return null
  const now = app.now()
  const rules = { approval: app.config.APPROVAL, operators: true }
  const { waits } = decide({ ...review, reviewedAt: now.getTime() }, rules, { at: slot.at, now })
  if (review.told === null) return { kind: 'review', told: waits ? 'waits' : 'goes' }
  const isNews = waits && review.told === 'goes' && now >= slot.at
  return isNews ? { kind: 'waits', told: 'waits' } : null
}

function logFlags(
  { log }: Reviewer,
  before: Review,
  { editionId: edition, flags, reviewedAt }: Review,
): void {
  const [was, is] = [before.flags, flags].map((all: readonly Flag[]) => all.map(({ name }) => name).sort())
  if (before.reviewedAt !== null && was?.join() === is?.join()) return
  if (flags.length > 0) log.warn({ edition, flags: is, reviewedAt }, 'the coming edition is odd')
  else log.info({ edition, reviewedAt }, 'nothing is odd about the coming edition')
}

/** Whether a slot that is due waits for a person. */
export async function waitsForPerson(
  app: Pick<App, 'store' | 'config' | 'now'>,
  slot: Slot,
  review: Review | null,
) {
  const rules = { approval: app.config.APPROVAL, operators: await hasApprovers(app.store) }
  return decide(review ?? UNREVIEWED, rules, { at: slot.at, now: app.now() }).waits && guardOn('approval')
}
