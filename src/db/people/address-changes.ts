import { canMove } from '../../core/intake/preferences.ts'
import { newPublicId } from '../../core/tokens.ts'
import { and, desc, eq, inArray, isNull, lte, ne, sql } from '../drizzle.ts'
import type { Db } from '../open.ts'
import { addressChanges, erasures, subscribers, suppressions } from '../schema/people.ts'
import { renewLinksIn, useNoticeIn } from './links.ts'
import { addNotice } from './notices.ts'
import { countRequest, isBusy, type RequestLimits } from './requested-emails.ts'
import type { Consent } from './sign-ups.ts'
import type { Subscriber } from './subscribers.ts'
import { type Suppression, suppressionIn } from './suppressions.ts'

/** A new address that waits for its confirmation, or was confirmed. Instants are ms UTC. */
export type AddressChange = typeof addressChanges.$inferSelect

export type NewAddress = { subscriberId: number; email: string; emailHash: string }

/** The address that a change replaced, with its consent. */
type Before = Pick<Subscriber, 'email' | 'emailHash' | 'consentText' | 'consentSource' | 'consentedAt'>

/**
 * Keeps a new address until it is confirmed, plans the email that asks it to, due at `dueAt`, and uses up the notice `fresh`
 * whose link allows it; an earlier request that waits is replaced. `silent`: nothing is emailed, as the address had its share
 * or its holder refused; the asker reads the same. `spent`: the link was used already.
 */
export async function addAddressChange(
  db: Db,
  address: NewAddress,
  limits: RequestLimits,
  { now, dueAt, fresh }: { now: Date; dueAt: Date | null; fresh: number },
): Promise<{ kind: 'asked'; noticeId: number } | { kind: 'silent' | 'busy' | 'spent' }> {
  return db.transaction(
    (tx) => {
      if (isBusy(tx, limits)) return { kind: 'busy' }
      if (!useNoticeIn(tx, fresh, now)) return { kind: 'spent' }
      const counted = countRequest(tx, address.emailHash, limits, now)
      const { id: addressChangeId } = tx
        .insert(addressChanges)
        .values({ ...address, publicId: newPublicId(), createdAt: now.getTime() })
        .returning({ id: addressChanges.id })
        .get()
      if (counted !== 'counted') return { kind: 'silent' }
      const { subscriberId } = address
      const notice = { kind: 'change-address' as const, subscriberId, addressChangeId }
      const nextAttemptAt = dueAt?.getTime() ?? null
      return { kind: 'asked', noticeId: addNotice(tx, { ...notice, nextAttemptAt }, now) }
    },
    { behavior: 'immediate' },
  )
}

/** The change that was asked for last, if it was after `since` and waits; null otherwise. */
export async function waitingAddressChange(
  db: Db,
  subscriberId: number,
  since: Date,
): Promise<AddressChange | null> {
  const own = eq(addressChanges.subscriberId, subscriberId)
  const last = db.select().from(addressChanges).where(own).orderBy(desc(addressChanges.id)).get()
  return last && last.changedAt === null && last.createdAt > since.getTime() ? last : null
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

export type Replaced =
  | { kind: 'changed'; noticeIds: number[] }
  | { kind: 'already' | 'replaced' | 'not-subscribed' | 'unknown' }
  | { kind: 'taken'; noticeIds: number[] }

/**
 * Puts the new address in place of the old one, with the consent it gave and links of its own, and plans the email that
 * lets the old address undo it. `replaced`: a later request counts. `taken`: another subscriber has it, who is told that
 * nothing changed, or it must not be emailed. Whoever signed up from there and did not confirm, or left, gives way.
 */
export async function replaceAddress(
  db: Db,
  changePublicId: string,
  consent: Consent,
  limits: RequestLimits,
  now: Date,
): Promise<Replaced> {
  return db.transaction(
    (tx): Replaced => {
      const change = tx.select().from(addressChanges).where(eq(addressChanges.publicId, changePublicId)).get()
      if (!change) return { kind: 'unknown' }
      const own = eq(addressChanges.subscriberId, change.subscriberId)
      const last = tx.select().from(addressChanges).where(own).orderBy(desc(addressChanges.id)).get()
      if (last?.id !== change.id) return { kind: 'replaced' }
      if (change.changedAt !== null) return { kind: 'already' }
      const subscriber = tx.select().from(subscribers).where(eq(subscribers.id, change.subscriberId)).get()
      if (subscriber?.status !== 'active' || !canMove(suppressedFor(tx, subscriber.emailHash)))
        return { kind: 'not-subscribed' }
      const suppression = suppressedFor(tx, change.emailHash)
      if (suppression !== null && suppression !== 'erased') return { kind: 'taken', noticeIds: [] }
      const owner = makeWay(tx, change.emailHash, subscriber.id)
      if (owner) return { kind: 'taken', noticeIds: tellOwner(tx, owner, limits, now) }
      move(tx, subscriber, change, consent, now)
      const notice = {
        kind: 'address-changed' as const,
        subscriberId: subscriber.id,
        addressChangeId: change.id,
      }
      return { kind: 'changed', noticeIds: [addNotice(tx, notice, now)] }
    },
    { behavior: 'immediate' },
  )
}

/**
 * Puts the old address back, with its consent and new links, so that the newer one gets nothing more. Where the old one has
 * subscribed again meanwhile, the moved subscription ends instead. `ended`: it was ended since the change, and stays so. Null
 * when the change is forgotten or was undone.
 */
export async function undoAddressChange(
  db: Db,
  changePublicId: string,
  now: Date,
): Promise<'undone' | 'ended' | null> {
  return db.transaction(
    (tx) => {
      const change = tx.select().from(addressChanges).where(eq(addressChanges.publicId, changePublicId)).get()
      if (!change?.before) return null
      const subscriber = tx.select().from(subscribers).where(eq(subscribers.id, change.subscriberId)).get()
      if (!subscriber) return null
      const before = JSON.parse(change.before) as Before
      const owner = makeWay(tx, before.emailHash, subscriber.id)
      const put = owner
        ? ({ status: 'unsubscribed', unsubscribedAt: now.getTime(), unsubscribedBy: 'operator' } as const)
        : { ...before, softBounces: 0 }
      tx.update(subscribers).set(put).where(eq(subscribers.id, subscriber.id)).run()
      renewLinksIn(tx, subscriber, 'undo-change-address', now)
      // With a change goes every later one: whoever made them came by this one.
      tx.delete(addressChanges)
        .where(and(eq(addressChanges.subscriberId, subscriber.id), sql`${addressChanges.id} >= ${change.id}`))
        .run()
      return owner || subscriber.status === 'active' ? 'undone' : 'ended'
    },
    { behavior: 'immediate' },
  )
}

/** Forgets the new addresses whose links to confirm or to undo were made until `until`. */
export async function forgetAddressChanges(db: Db, until: Date): Promise<void> {
  const last = sql`coalesce(${addressChanges.changedAt}, ${addressChanges.createdAt})`
  db.delete(addressChanges).where(lte(last, until.getTime())).run()
}

type Tx = Pick<Db, 'select' | 'insert' | 'update' | 'delete'>

/** Deletes who has this address without getting emails there; returns who does get it. */
function makeWay(tx: Tx, emailHash: string, exceptId: number): Subscriber | undefined {
  const elsewhere = and(eq(subscribers.emailHash, emailHash), ne(subscribers.id, exceptId))
  tx.delete(subscribers)
    .where(and(elsewhere, inArray(subscribers.status, ['pending', 'unsubscribed'])))
    .run()
  return tx.select().from(subscribers).where(elsewhere).get()
}

function tellOwner(tx: Tx, { id, emailHash }: Subscriber, limits: RequestLimits, now: Date): number[] {
  if (countRequest(tx, emailHash, limits, now) !== 'counted') return []
  return [addNotice(tx, { kind: 'already', subscriberId: id }, now)]
}

function move(tx: Tx, subscriber: Subscriber, change: AddressChange, consent: Consent, now: Date): void {
  const { email, emailHash } = change
  const given = {
    consentText: consent.text,
    consentSource: consent.source,
    consentedAt: now.getTime(),
  }
  tx.update(subscribers)
    .set({ email, emailHash, softBounces: 0, ...given })
    .where(eq(subscribers.id, subscriber.id))
    .run()
  renewLinksIn(tx, subscriber, 'change-address', now)
  for (const mark of [suppressions, erasures]) tx.delete(mark).where(eq(mark.emailHash, emailHash)).run()
  const before: Before = {
    email: subscriber.email,
    emailHash: subscriber.emailHash,
    consentText: subscriber.consentText,
    consentSource: subscriber.consentSource,
    consentedAt: subscriber.consentedAt,
  }
  tx.update(addressChanges)
    .set({ changedAt: now.getTime(), before: JSON.stringify(before) })
    .where(eq(addressChanges.id, change.id))
    .run()
  const waiting = and(eq(addressChanges.subscriberId, subscriber.id), isNull(addressChanges.changedAt))
  tx.delete(addressChanges).where(waiting).run()
}

function suppressedFor(tx: Pick<Db, 'select'>, emailHash: string): Suppression['reason'] | null {
  return suppressionIn(tx, emailHash)?.reason ?? null
}
