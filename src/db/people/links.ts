import { randomBytes } from 'node:crypto'
import { newPublicId } from '../../core/tokens.ts'
import { audit } from '../audit.ts'
import { and, eq, inArray, isNull } from '../drizzle.ts'
import { notices } from '../schema/ledger.ts'
import { addressChanges, formerIds, subscribers } from '../schema/people.ts'
import type { Queries, Store } from '../store.ts'
import { addNotice } from './notices.ts'
import { countRequest, isRefused, type RequestLimits } from './requested-emails.ts'
import { findByPublicId, type Subscriber } from './subscribers.ts'
import { suppressionIn } from './suppressions.ts'

/** What a fresh link is for. */
export type FreshKind = 'fresh-data' | 'fresh-forget' | 'fresh-address' | 'fresh-links'

export type FreshPlanned = { kind: 'planned'; noticeId: number } | { kind: 'busy' | 'often' | 'not-allowed' }

/** The subscriber who once had this public id and has another now, or null. */
export async function findByFormerId(store: Store, publicId: string): Promise<Subscriber | null> {
  const row = await store.read
    .select({ subscriber: subscribers })
    .from(formerIds)
    .innerJoin(subscribers, eq(subscribers.id, formerIds.subscriberId))
    .where(eq(formerIds.publicId, publicId))
    .get()
  return row?.subscriber ?? null
}

/** The subscriber who has this public id, or once had it: what may unsubscribe them by a link of any age. */
export async function findByAnyId(store: Store, publicId: string): Promise<Subscriber | null> {
  return (await findByPublicId(store, publicId)) ?? (await findByFormerId(store, publicId))
}

/** Plans the email that brings a fresh link to the address on record; with `renew`, all older links end. */
export async function planFreshLink(
  store: Store,
  subscriberId: number,
  ask: { kind: FreshKind; renew: boolean },
  limits: RequestLimits,
  now: Date,
): Promise<FreshPlanned> {
  return store.write(async (tx) => {
    const subscriber = await tx.select().from(subscribers).where(eq(subscribers.id, subscriberId)).get()
    if (!subscriber || !(await canBeWritten(tx, subscriber.emailHash))) return { kind: 'not-allowed' }
    const counted = await countRequest(tx, subscriber.emailHash, limits, now)
    if (counted === 'refused') return { kind: 'not-allowed' }
    if (counted !== 'counted') return { kind: counted }
    if (ask.renew) {
      await renewLinksIn(tx, subscriber, 'renew-links', now)
      // Someone else may have asked for a change of address, and a link confirms that too.
      const waiting = and(eq(addressChanges.subscriberId, subscriberId), isNull(addressChanges.changedAt))
      await tx.delete(addressChanges).where(waiting).run()
    }
    return { kind: 'planned', noticeId: await addNotice(tx, { kind: ask.kind, subscriberId }, now) }
  })
}

/** Whether a fresh link can be emailed to this address at all. */
export async function canGetFreshLink(store: Store, emailHash: string): Promise<boolean> {
  return await canBeWritten(store.read, emailHash)
}

/** Whose fresh link this is, and what for, while it was not used; `id` is the last part of the notice's key. */
export async function freshLinkOf(
  store: Store,
  id: string,
): Promise<{ noticeId: number; kind: FreshKind; subscriber: Subscriber } | null> {
  const row = await store.read
    .select({ notice: notices, subscriber: subscribers })
    .from(notices)
    .innerJoin(subscribers, eq(subscribers.id, notices.subscriberId))
    .where(and(eq(notices.key, noticeKey(id)), isNull(notices.usedAt)))
    .get()
  const kind = FRESH.find((one) => one === row?.notice.kind)
  return row && kind ? { noticeId: row.notice.id, kind, subscriber: row.subscriber } : null
}

/** Uses a fresh link up. False when it was used already; the update is the guard. */
export async function useFreshLink(store: Store, noticeId: number, now: Date): Promise<boolean> {
  return await useNoticeIn(store.read, noticeId, now)
}

/** `useFreshLink` within a transaction that is open already; for the files of `db/` only. */
export async function useNoticeIn(tx: Queries, noticeId: number, now: Date): Promise<boolean> {
  const unused = and(eq(notices.id, noticeId), isNull(notices.usedAt))
  return (await tx.update(notices).set({ usedAt: now.getTime() }).where(unused).run()).changes === 1
}

/**
 * Inside a transaction: gives a subscriber another public id, and another calendar address where there was one, and uses
 * up their fresh links; `why` is put on record. Links with the old id still unsubscribe.
 */
export async function renewLinksIn(
  tx: Queries,
  { id, publicId, calendarKey }: Pick<Subscriber, 'id' | 'publicId' | 'calendarKey'>,
  why: 'renew-links' | 'change-address' | 'undo-change-address',
  now: Date,
): Promise<void> {
  // Before the id changes: the record follows it (drizzle/0012), also when the person is erased.
  await audit(tx, now, { action: why, subject: publicId })
  const unused = and(eq(notices.subscriberId, id), inArray(notices.kind, [...FRESH]), isNull(notices.usedAt))
  await tx.update(notices).set({ usedAt: now.getTime() }).where(unused).run()
  await tx.insert(formerIds).values({ publicId, subscriberId: id, createdAt: now.getTime() }).run()
  await tx
    .update(subscribers)
    .set({
      publicId: newPublicId(),
      calendarKey: calendarKey === null ? null : randomBytes(16).toString('base64url'),
    })
    .where(eq(subscribers.id, id))
    .run()
}

const FRESH = ['fresh-data', 'fresh-forget', 'fresh-address', 'fresh-links'] as const

const noticeKey = (id: string): string => `openseat/notice/${id}`

async function canBeWritten(tx: Queries, emailHash: string): Promise<boolean> {
  return (await suppressionIn(tx, emailHash)) === null && !(await isRefused(tx, emailHash))
}
