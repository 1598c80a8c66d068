import { canMove, type Preferences } from '../core/preferences.ts'
import { and, desc, eq, gt, lte, ne } from './drizzle.ts'
import { addNotice } from './notices.ts'
import type { Db } from './open.ts'
import { addressChanges, auditLog, notices, subscribers, suppressions } from './schema.ts'
import { setTopicsIn } from './subscribers.ts'

/** A new address that waits for its confirmation, or was confirmed. Instants are ms UTC. */
export type AddressChange = typeof addressChanges.$inferSelect

export type NewAddress = { publicId: string; subscriberId: number; email: string; emailHash: string }

/** Stores all preferences or none. False when they are not subscribed: then nothing was written. */
export async function storePreferences(
  db: Db,
  publicId: string,
  preferences: Omit<Preferences, 'language'> & { locale: string },
): Promise<boolean> {
  const { topics, ...own } = preferences
  return db.transaction(
    (tx) => {
      const row = tx
        .update(subscribers)
        .set(own)
        .where(subscribed(publicId))
        .returning({ id: subscribers.id })
        .get()
      if (row) setTopicsIn(tx, row.id, topics)
      return row !== undefined
    },
    { behavior: 'immediate' },
  )
}

/**
 * Pauses the mail until an instant; null ends a pause. `seen_through` stays, so whatever can still be booked is told
 * after it. False when they are not subscribed.
 */
export async function setPause(db: Db, publicId: string, until: Date | null): Promise<boolean> {
  const pausedUntil = until?.getTime() ?? null
  return db.update(subscribers).set({ pausedUntil }).where(subscribed(publicId)).run().changes === 1
}

/** Sets how often mail comes. False when they are not subscribed. */
export async function setCadence(
  db: Db,
  publicId: string,
  cadence: Preferences['cadence'],
): Promise<boolean> {
  return db.update(subscribers).set({ cadence }).where(subscribed(publicId)).run().changes === 1
}

/**
 * Keeps a new address until it is confirmed and plans the mail that asks it to; an earlier request that waits is
 * replaced. Returns the id of the notice, or null when `limit.max` requests were made since `limit.since`.
 */
export async function addAddressChange(
  db: Db,
  address: NewAddress,
  limit: { max: number; since: Date },
  now: Date,
): Promise<number | null> {
  return db.transaction(
    (tx) => {
      const own = eq(notices.subscriberId, address.subscriberId)
      const asked = and(own, eq(notices.kind, 'change-address'), gt(notices.createdAt, limit.since.getTime()))
      if (tx.select().from(notices).where(asked).limit(limit.max).all().length >= limit.max) return null
      const { id: addressChangeId } = tx
        .insert(addressChanges)
        .values({ ...address, createdAt: now.getTime() })
        .returning({ id: addressChanges.id })
        .get()
      return addNotice(
        tx,
        { kind: 'change-address', subscriberId: address.subscriberId, addressChangeId },
        now,
      )
    },
    { behavior: 'immediate' },
  )
}

/** The change of address that was asked for last, if it was after `since`; null otherwise. */
export async function lastAddressChange(
  db: Db,
  subscriberId: number,
  since: Date,
): Promise<AddressChange | null> {
  const recent = and(
    eq(addressChanges.subscriberId, subscriberId),
    gt(addressChanges.createdAt, since.getTime()),
  )
  return db.select().from(addressChanges).where(recent).orderBy(desc(addressChanges.id)).get() ?? null
}

/** The language of who asked for this change of address; null when the ledger has forgotten it. */
export async function localeOfMover(db: Db, changePublicId: string): Promise<string | null> {
  const row = db
    .select({ locale: subscribers.locale })
    .from(addressChanges)
    .innerJoin(subscribers, eq(subscribers.id, addressChanges.subscriberId))
    .where(eq(addressChanges.publicId, changePublicId))
    .get()
  return row?.locale ?? null
}

/**
 * Puts the new address in place of the old one: address and hash together. `replaced`: a later request counts.
 * `taken`: another subscriber has it, or it must not be mailed. A sign-up from there that nobody confirmed gives way.
 */
export async function replaceAddress(
  db: Db,
  changePublicId: string,
  now: Date,
): Promise<'changed' | 'already' | 'replaced' | 'taken' | 'not-subscribed' | 'unknown'> {
  return db.transaction(
    (tx) => {
      const change = tx.select().from(addressChanges).where(eq(addressChanges.publicId, changePublicId)).get()
      if (!change) return 'unknown'
      const { subscriberId, email, emailHash } = change
      const own = eq(addressChanges.subscriberId, subscriberId)
      const last = tx.select().from(addressChanges).where(own).orderBy(desc(addressChanges.id)).get()
      if (last?.id !== change.id) return 'replaced'
      const subscriber = tx.select().from(subscribers).where(eq(subscribers.id, subscriberId)).get()
      if (subscriber?.status !== 'active') return 'not-subscribed'
      if (subscriber.emailHash === emailHash) return 'already'
      if (!canMove(suppressedFor(tx, subscriber.emailHash))) return 'not-subscribed'
      if (suppressedFor(tx, emailHash) !== null) return 'taken'
      const elsewhere = eq(subscribers.emailHash, emailHash)
      tx.delete(subscribers)
        .where(and(elsewhere, eq(subscribers.status, 'pending')))
        .run()
      if (tx.select().from(subscribers).where(elsewhere).get()) return 'taken'
      tx.update(subscribers)
        .set({ email, emailHash, softBounces: 0 })
        .where(eq(subscribers.id, subscriberId))
        .run()
      tx.delete(addressChanges)
        .where(and(own, ne(addressChanges.id, change.id)))
        .run()
      tx.insert(auditLog)
        .values({ at: now.getTime(), action: 'change-address', subject: subscriber.publicId })
        .run()
      return 'changed'
    },
    { behavior: 'immediate' },
  )
}

/** Forgets the new addresses asked for until `until`; their links have expired. */
export async function forgetAddressChanges(db: Db, until: Date): Promise<void> {
  db.delete(addressChanges).where(lte(addressChanges.createdAt, until.getTime())).run()
}

function suppressedFor(tx: Pick<Db, 'select'>, emailHash: string): string | null {
  return tx.select().from(suppressions).where(eq(suppressions.emailHash, emailHash)).get()?.reason ?? null
}

const subscribed = (publicId: string) =>
  and(eq(subscribers.publicId, publicId), eq(subscribers.status, 'active'))
