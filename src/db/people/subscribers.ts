import { readableZone } from '../../core/time/time-zones.ts'
import { audit } from '../audit.ts'
import { and, count, eq, inArray, isNull, max, sql } from '../drizzle.ts'
import { subscribers, suppressions } from '../schema/people.ts'
import { prepared, type Queries, type Store } from '../store.ts'
import { suppressionIn } from './suppressions.ts'

/** One address with its consent, as stored. Instants are ms UTC. */
export type Subscriber = typeof subscribers.$inferSelect

/** The subscriber with this keyed hash of the address (`hashEmail`), or null. */
export async function findByEmailHash(store: Store, emailHash: string): Promise<Subscriber | null> {
  return readable(await subscriberByHash(store.read).get({ emailHash }))
}

/** The subscriber with this public id, or null. */
export async function findByPublicId(store: Store, publicId: string): Promise<Subscriber | null> {
  return readable(await subscriberByPublicId(store.read).get({ publicId }))
}

/** How many people are subscribed and may be emailed. */
export async function countReaders(store: Store): Promise<number> {
  const row = await store.read
    .select({ n: count() })
    .from(subscribers)
    .leftJoin(suppressions, eq(suppressions.emailHash, subscribers.emailHash))
    .where(and(eq(subscribers.status, 'active'), isNull(suppressions.emailHash)))
    .get()
  return row?.n ?? 0
}

/** Whether at most `most` people were ever on the list. It does not count them. */
export async function isShortList({ read }: Store, most: number): Promise<boolean> {
  const row = await read
    .select({ id: max(subscribers.id) })
    .from(subscribers)
    .get()
  return (row?.id ?? 0) <= most
}

const subscriberByHash = prepared((read) =>
  read
    .select()
    .from(subscribers)
    .where(eq(subscribers.emailHash, sql.placeholder('emailHash')))
    .prepare(),
)

const subscriberByPublicId = prepared((read) =>
  read
    .select()
    .from(subscribers)
    .where(eq(subscribers.publicId, sql.placeholder('publicId')))
    .prepare(),
)

function readable(row: Subscriber | undefined): Subscriber | null {
  return row ? { ...row, timeZone: readableZone(row.timeZone) } : null
}

/**
 * Stops every email to the subscriber that no batch has claimed yet. False when they were unsubscribed already. What an
 * operator ends, also then, no link undoes.
 */
export async function setUnsubscribed(
  store: Store,
  id: number,
  by: 'link' | 'operator',
  now: Date,
): Promise<boolean> {
  return store.write(async (tx) => {
    const change = await tx
      .update(subscribers)
      .set({ status: 'unsubscribed', unsubscribedAt: now.getTime(), unsubscribedBy: by })
      .where(and(eq(subscribers.id, id), inArray(subscribers.status, ['pending', 'active'])))
      .run()
    if (change.changes === 1 && by === 'operator') await auditUnsubscribing(tx, id, now)
    if (change.changes === 0 && by === 'operator')
      await tx.update(subscribers).set({ unsubscribedBy: by }).where(eq(subscribers.id, id)).run()
    return change.changes === 1
  })
}

async function auditUnsubscribing(tx: Queries, id: number, now: Date): Promise<void> {
  const row = await tx
    .select({ publicId: subscribers.publicId })
    .from(subscribers)
    .where(eq(subscribers.id, id))
    .get()
  await audit(tx, now, { action: 'unsubscribe', subject: row?.publicId ?? '' })
}

/**
 * Undoes an unsubscription, and records it. False when the subscriber was not unsubscribed. Null when the address is
 * suppressed: then nothing was written. `seen_through` stays, so they catch up.
 */
export async function setResubscribed(
  store: Store,
  subscriber: Subscriber,
  now: Date,
): Promise<boolean | null> {
  return store.write(async (tx) => {
    if (await suppressionIn(tx, subscriber.emailHash)) return null
    const change = await tx
      .update(subscribers)
      .set({ status: 'active', unsubscribedAt: null, unsubscribedBy: null })
      .where(and(eq(subscribers.id, subscriber.id), eq(subscribers.status, 'unsubscribed')))
      .run()
    if (change.changes === 1) await audit(tx, now, { action: 'resubscribe', subject: subscriber.publicId })
    return change.changes === 1
  })
}
