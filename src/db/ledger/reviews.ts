import type { Exclusion } from '../../core/audience/exclusion.ts'
import type { Reviewed } from '../../core/review/decision.ts'
import type { Flag } from '../../core/review/flags.ts'
import { failpoint } from '../../failpoint.ts'
import { audit } from '../audit.ts'
import { and, eq, gt, isNull, lt, lte, not, or, type SQL, sql } from '../drizzle.ts'
import { addReviewNotices } from '../people/notices.ts'
import { editions, reviews } from '../schema/ledger.ts'
import type { Queries, Store } from '../store.ts'
import { leaseEnd } from './batches.ts'

/** Whom a coming edition would reach, and with how many sessions; `news` of them are new to who missed nothing. */
export type Counts = {
  candidates: number
  recipients: number
  excluded: Partial<Record<Exclusion, number>>
  news: number
  bookable: number
}

/** What booking links answered: a status, or null where no answer came. */
export type Answers = Record<string, number | null>

/** What is known of an edition before it is planned. Instants are ms UTC. */
export type Review = Reviewed & {
  editionId: string
  scheduledFor: number
  stamp: number
  claimedBy: string | null
  claimedAt: number | null
  sessionsVersion: number | null
  answers: Answers
  counts: Counts | null
  countedAt: number | null
  told: 'goes' | 'waits' | null
  approvedAt: number | null
  plannedAt: number | null
  lapsedAt: number | null
}

type Due = { editionId: string; at: Date }

/** What is known of the edition; null if nobody looked at it or said anything yet. */
export async function findReview({ read }: Store, editionId: string): Promise<Review | null> {
  const row = await read.select().from(reviews).where(eq(reviews.editionId, editionId)).get()
  return row ? reviewIn(row) : null
}

/** A claim on looking at an edition, with what was known when it was made. */
export type Look = { review: Review; by: string; at: number }

/**
 * Takes the look at an edition for `by`, also from `gone`, an owner that has certainly ended: two processes need not ask every
 * link. Null while another has it, or when it is planned. The update is the guard.
 */
export async function beginLook(
  store: Store,
  due: Due,
  { by, gone }: { by: string; gone: string | null },
  now: Date,
): Promise<Look | null> {
  const at = now.getTime()
  const claim = { claimedBy: by, claimedAt: at, scheduledFor: due.at.getTime() }
  // A claim from the future is from before the clock was set back.
  const free = or(
    isNull(reviews.claimedAt),
    lt(reviews.claimedAt, leaseEnd(now)),
    gt(reviews.claimedAt, at),
    gone === null ? undefined : eq(reviews.claimedBy, gone),
  )
  const row = await store.write(async (tx) =>
    tx
      .insert(reviews)
      .values({ editionId: due.editionId, ...claim })
      .onConflictDoUpdate({
        target: reviews.editionId,
        set: claim,
        setWhere: sql`(${free}) and ${isNull(reviews.plannedAt)}`,
      })
      .returning()
      .get(),
  )
  return row ? { review: reviewIn(row), by, at } : null
}

/** What a look found. `tell`: what operators hear in an email, if they do; `null`: there is nothing to tell them now. */
export type Found = {
  flags: readonly Flag[]
  answers: Answers
  counts: Counts | null
  countedAt: number | null
  sessionsVersion: number
  tell: { kind: 'review' | 'waits'; told: 'goes' | 'waits' } | null
}

/**
 * Records what a look found, and with it the notices to operators, in one transaction: whatever is killed, each gets one. Null
 * when the claim was lost.
 */
export async function recordLook(
  store: Store,
  { review, by, at }: Look,
  found: Found,
  now: Date,
): Promise<Review | null> {
  const { editionId } = review
  const mine = and(
    eq(reviews.editionId, editionId),
    eq(reviews.claimedBy, by),
    eq(reviews.claimedAt, at),
    isNull(reviews.plannedAt),
  )
  return store.write(async (tx) => {
    const row = await tx
      .update(reviews)
      .set({
        flags: JSON.stringify(found.flags),
        answers: JSON.stringify(found.answers),
        counts: JSON.stringify(found.counts),
        countedAt: found.countedAt,
        sessionsVersion: found.sessionsVersion,
        reviewedAt: now.getTime(),
        claimedBy: null,
        claimedAt: null,
        stamp: sql`${reviews.stamp} + 1`,
        ...(found.tell && { told: found.tell.told }),
      })
      .where(mine)
      .returning()
      .get()
    if (!row) return null
    if (found.tell) await addReviewNotices(tx, { kind: found.tell.kind, editionId }, now)
    failpoint('before-review')
    return reviewIn(row)
  })
}

/** Gives a look back that was not finished. */
export async function endLook(store: Store, { review, by, at }: Look): Promise<void> {
  const mine = and(
    eq(reviews.editionId, review.editionId),
    eq(reviews.claimedBy, by),
    eq(reviews.claimedAt, at),
  )
  await store.write((tx) => tx.update(reviews).set({ claimedBy: null, claimedAt: null }).where(mine).run())
}

/** Stores whom the edition would reach, for pages; nothing is decided by it. */
export async function keepCounts(store: Store, due: Due, counts: Counts, now: Date): Promise<void> {
  const kept = { counts: JSON.stringify(counts), countedAt: now.getTime() }
  await store.write(async (tx) => {
    const row = { editionId: due.editionId, scheduledFor: due.at.getTime(), ...kept }
    await tx
      .insert(reviews)
      .values(row)
      .onConflictDoUpdate({ target: reviews.editionId, set: kept, setWhere: isNull(reviews.plannedAt) })
      .run()
  })
}

/** Keeps a coming edition from going out until someone approves it. False when it is planned, or was held already. */
export async function holdReview(store: Store, due: Due, now: Date): Promise<boolean> {
  const held = { heldAt: now.getTime(), approvedAt: null, approvedFlags: null }
  return await said(store, due, held, { where: isNull(reviews.heldAt), action: 'edition held' }, now)
}

/**
 * Lets a coming edition go, with the flags of these keys; one that comes later waits again. Ends a hold. False when it is
 * planned.
 */
export async function approveReview(
  store: Store,
  due: Due,
  { keys, names }: { keys: readonly string[]; names: readonly string[] },
  now: Date,
): Promise<boolean> {
  const approved = { approvedAt: now.getTime(), approvedFlags: JSON.stringify(keys), heldAt: null }
  const detail = names.length > 0 ? `with the flags ${names.join(', ')}` : 'without flags'
  return await said(store, due, approved, { where: sql`true`, action: 'edition approved', detail }, now)
}

type Saying = { where: SQL; action: string; detail?: string }

async function said(
  store: Store,
  { editionId, at }: Due,
  change: Partial<typeof reviews.$inferInsert>,
  { where, ...entry }: Saying,
  now: Date,
): Promise<boolean> {
  return store.write(async (tx) => {
    if (await isInLedger(tx, editionId)) return false
    const row = { editionId, scheduledFor: at.getTime(), stamp: 1, ...change }
    const { changes } = await tx
      .insert(reviews)
      .values(row)
      .onConflictDoUpdate({
        target: reviews.editionId,
        set: { ...change, stamp: sql`${reviews.stamp} + 1` },
        setWhere: sql`${isNull(reviews.plannedAt)} and ${where}`,
      })
      .run()
    if (changes === 1) await audit(tx, now, { subject: editionId, ...entry })
    failpoint('before-approve')
    return changes === 1
  })
}

/**
 * Inside the transaction that begins an edition: closes its review. With a `stamp`, only if nothing was said or found since it was
 * read, 0 where there was none; false then.
 */
export async function closeReviewIn(
  tx: Queries,
  editionId: string,
  stamp: number | null,
  now: Date,
): Promise<boolean> {
  const row = await tx
    .select({ stamp: reviews.stamp })
    .from(reviews)
    .where(eq(reviews.editionId, editionId))
    .get()
  if (stamp !== null && (row?.stamp ?? 0) !== stamp) return false
  await tx
    .update(reviews)
    .set({ plannedAt: now.getTime(), claimedBy: null, claimedAt: null })
    .where(and(eq(reviews.editionId, editionId), isNull(reviews.plannedAt)))
    .run()
  return true
}

/** Ends what waited until `before`, the end of the catch-up; returns the ids. Its news goes into the next edition. */
export async function lapseReviews(store: Store, before: Date, now: Date): Promise<string[]> {
  const over = and(
    lt(reviews.scheduledFor, before.getTime()),
    isNull(reviews.plannedAt),
    isNull(reviews.lapsedAt),
    not(sql`exists (select 1 from ${editions} where ${editions.id} = ${reviews.editionId})`),
  )
  const due = await store.read.select({ id: reviews.editionId }).from(reviews).where(over).limit(1).get()
  if (!due) return []
  const lapsed = store.write((tx) =>
    tx
      .update(reviews)
      .set({ lapsedAt: now.getTime(), stamp: sql`${reviews.stamp} + 1` })
      .where(over)
      .returning({ id: reviews.editionId })
      .all(),
  )
  return (await lapsed).map(({ id }) => id)
}

/** Inside a transaction: removes reviews of before an instant (ms UTC), `limit` at most; returns how many. */
export async function removeReviews(tx: Queries, before: number, limit: number): Promise<number> {
  const old = tx
    .select({ id: reviews.editionId })
    .from(reviews)
    .where(lte(reviews.scheduledFor, before))
    .limit(limit)
  return (await tx.delete(reviews).where(sql`${reviews.editionId} in ${old}`).run()).changes
}

async function isInLedger(tx: Queries, editionId: string): Promise<boolean> {
  const row = await tx.select({ id: editions.id }).from(editions).where(eq(editions.id, editionId)).get()
  return row !== undefined
}

function reviewIn(row: typeof reviews.$inferSelect): Review {
  return {
    editionId: row.editionId,
    scheduledFor: row.scheduledFor,
    stamp: row.stamp,
    claimedBy: row.claimedBy,
    claimedAt: row.claimedAt,
    reviewedAt: row.reviewedAt,
    sessionsVersion: row.sessionsVersion,
    flags: JSON.parse(row.flags) as Flag[],
    answers: JSON.parse(row.answers) as Answers,
    counts: row.counts === null ? null : (JSON.parse(row.counts) as Counts | null),
    countedAt: row.countedAt,
    told: row.told,
    heldAt: row.heldAt,
    approvedAt: row.approvedAt,
    approved: row.approvedFlags === null ? null : (JSON.parse(row.approvedFlags) as string[]),
    plannedAt: row.plannedAt,
    lapsedAt: row.lapsedAt,
  }
}
