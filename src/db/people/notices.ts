import { randomBytes } from 'node:crypto'
import { readableZone } from '../../core/time/time-zones.ts'
import { and, asc, count, eq, isNull, lt, lte, or } from '../drizzle.ts'
import { claimable, leaseEnd, stillClaimed } from '../ledger/batches.ts'
import { approversIn } from '../operators/approvers.ts'
import { NOT_HELD } from '../restore/facts.ts'
import { notices, unfinished } from '../schema/ledger.ts'
import { addressChanges, subscribers } from '../schema/people.ts'
import type { Queries, Store } from '../store.ts'
import { isRefused } from './requested-emails.ts'
import { type Suppression, suppressionIn } from './suppressions.ts'

/** One email to one person outside the editions. Instants are ms UTC. */
export type Notice = typeof notices.$inferSelect

/** The current data of the person a notice is for; `to` is the address it goes to. */
export type NoticeReader = typeof subscribers.$inferSelect & {
  to: string
  /** The keyed hash of `to`. */
  toHash: string
  addressChange: typeof addressChanges.$inferSelect | null
  /** Why `to` must not be emailed. */
  suppressed: Suppression['reason'] | null
  /** Its holder wants no email that someone else can cause. */
  refused: boolean
}

/** What operators hear of a coming edition: that it was reviewed; that it is due and waits for one of them. */
export type ReviewKind = 'review' | 'waits'

type NewNotice = { kind: Exclude<Notice['kind'], ReviewKind>; subscriberId: number } & Partial<
  Pick<Notice, 'addressChangeId' | 'form' | 'nextAttemptAt'>
>

/** Inside a transaction: puts a notice into the ledger and returns its id. The caller enqueues it. */
export async function addNotice(tx: Queries, notice: NewNotice, now: Date): Promise<number> {
  return (
    await tx
      .insert(notices)
      .values({ ...notice, key: newKey(), state: 'planned', createdAt: now.getTime() })
      .returning({ id: notices.id })
      .get()
  ).id
}

const newKey = (): string => `openseat/notice/${randomBytes(12).toString('base64url')}`

/** Inside a transaction: a notice of an edition to each operator who may approve it; one who has it gets no second. */
export async function addReviewNotices(
  tx: Queries,
  { kind, editionId }: { kind: ReviewKind; editionId: string },
  now: Date,
): Promise<void> {
  for (const { id } of await approversIn(tx))
    await tx
      .insert(notices)
      .values({ kind, editionId, operatorId: id, key: newKey(), state: 'planned', createdAt: now.getTime() })
      .onConflictDoNothing()
      .run()
}

/** Notices that are owed: planned and due, and all that are claimed. None while the installation is held. */
export async function owedNotices(store: Store, now: Date, limit: number): Promise<Notice[]> {
  const due = or(isNull(notices.nextAttemptAt), lte(notices.nextAttemptAt, now.getTime()))
  const owed = or(and(eq(notices.state, 'planned'), due), eq(notices.state, 'submitting'))
  return await store.read
    .select()
    .from(notices)
    .where(and(unfinished(notices), owed, NOT_HELD))
    .orderBy(asc(notices.id))
    .limit(limit)
    .all()
}

/**
 * Takes a notice for `by`, also from `gone`, a claim owner that has certainly ended. Null when it is done, someone else has it,
 * or the installation is held. The update is the guard.
 */
export async function claimNotice(
  store: Store,
  id: number,
  by: string,
  now: Date,
  gone?: string | null,
): Promise<Notice | null> {
  const free = and(
    eq(notices.id, id),
    claimable(notices, { leaseEnd: leaseEnd(now), gone: gone ?? null }),
    NOT_HELD,
  )
  const claim = { state: 'submitting' as const, claimedBy: by, claimedAt: now.getTime() }
  return (await store.write((tx) => tx.update(notices).set(claim).where(free).returning().get())) ?? null
}

/** The notice, or null. */
export async function findNotice(store: Store, id: number): Promise<Notice | null> {
  return (await store.read.select().from(notices).where(eq(notices.id, id)).get()) ?? null
}

/** The subscriber the notice is for; null when they, or the change of address, no longer exist. */
export async function readerOf(store: Store, notice: Notice): Promise<NoticeReader | null> {
  if (notice.subscriberId === null) return null
  const subscriber = await store.read
    .select()
    .from(subscribers)
    .where(eq(subscribers.id, notice.subscriberId))
    .get()
  const change =
    notice.addressChangeId === null
      ? null
      : await store.read
          .select()
          .from(addressChanges)
          .where(eq(addressChanges.id, notice.addressChangeId))
          .get()
  if (!subscriber || change === undefined) return null
  const { email, emailHash } = targetOf(notice, subscriber, change)
  return {
    ...subscriber,
    timeZone: readableZone(subscriber.timeZone),
    to: email,
    toHash: emailHash,
    addressChange: change,
    suppressed: (await suppressionIn(store.read, emailHash))?.reason ?? null,
    refused: await isRefused(store.read, emailHash),
  }
}

type Target = { email: string; emailHash: string }

function targetOf({ kind }: Notice, subscriber: Target, change: NoticeReader['addressChange']): Target {
  if (change === null) return subscriber
  if (kind !== 'address-changed') return change
  return change.before === null ? subscriber : (JSON.parse(change.before) as Target)
}

/** Freezes the request of a claimed notice before its first attempt. False when the claim was lost. */
export async function freezeNotice(store: Store, notice: Notice, body: string, now: Date): Promise<boolean> {
  const change = { body, firstAttemptAt: now.getTime() }
  return (
    (
      await store.write((tx) =>
        tx
          .update(notices)
          .set(change)
          .where(and(stillClaimed(notices, notice), isNull(notices.firstAttemptAt)))
          .run(),
      )
    ).changes === 1
  )
}

/** Ends a notice; what it said is not kept. */
export async function endNotice(
  store: Store,
  notice: Notice,
  end: { state: 'submitted' | 'dropped' | 'failed' | 'unknown'; reason?: string; providerId?: string },
  now: Date,
): Promise<void> {
  const { state, reason = null, providerId = null } = end
  const change = {
    state,
    reason,
    providerId,
    body: null,
    claimedBy: null,
    submittedAt: state === 'submitted' ? now.getTime() : null,
  }
  await store.write((tx) =>
    tx
      .update(notices)
      .set(change)
      .where(and(eq(notices.id, notice.id), unfinished(notices)))
      .run(),
  )
}

/** Gives a claimed notice back; `refused`: the provider surely took nothing, so the next attempt is made afresh. */
export async function returnNotice(
  store: Store,
  notice: Notice,
  how: { refused: boolean; reason: string; nextAttemptAt: Date },
): Promise<void> {
  const forget = how.refused && notice.firstAttemptAt === null
  const change = {
    state: 'planned' as const,
    claimedBy: null,
    claimedAt: null,
    reason: how.reason,
    nextAttemptAt: how.nextAttemptAt.getTime(),
    attempts: notice.attempts + (how.refused ? 0 : 1),
    ...(forget ? { firstAttemptAt: null, body: null } : {}),
  }
  await store.write((tx) => tx.update(notices).set(change).where(stillClaimed(notices, notice)).run())
}

/** Inside a transaction: ends the owed notices made before an instant (ms UTC) as unknown; returns how many. */
export async function loseNotices(tx: Queries, createdBefore: number, reason: string): Promise<number> {
  return (
    await tx
      .update(notices)
      .set({ state: 'unknown', reason, body: null, claimedBy: null })
      .where(owedAndMadeBefore(createdBefore))
      .run()
  ).changes
}

/** How many owed notices were made before an instant (ms UTC). */
export async function owedNoticesBefore(tx: Queries, createdBefore: number): Promise<number> {
  return (await tx.select({ n: count() }).from(notices).where(owedAndMadeBefore(createdBefore)).get())?.n ?? 0
}

const owedAndMadeBefore = (createdBefore: number) =>
  and(unfinished(notices), lt(notices.createdAt, createdBefore))
