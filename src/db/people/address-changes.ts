import { canMove } from '../../core/intake/preferences.ts'
import { newPublicId } from '../../core/tokens.ts'
import { and, desc, eq, inArray, isNull, lte, ne, sql } from '../drizzle.ts'
import { addressChanges, erasures, subscribers, suppressions } from '../schema/people.ts'
import type { Queries, Store } from '../store.ts'
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
  store: Store,
  address: NewAddress,
  limits: RequestLimits,
  { now, dueAt, fresh }: { now: Date; dueAt: Date | null; fresh: number },
): Promise<{ kind: 'asked'; noticeId: number } | { kind: 'silent' | 'busy' | 'spent' }> {
  return store.write(async (tx) => {
    if (await isBusy(tx, limits)) return { kind: 'busy' }
    if (!(await useNoticeIn(tx, fresh, now))) return { kind: 'spent' }
    const counted = await countRequest(tx, address.emailHash, limits, now)
    const { id: addressChangeId } = await tx
      .insert(addressChanges)
      .values({ ...address, publicId: newPublicId(), createdAt: now.getTime() })
      .returning({ id: addressChanges.id })
      .get()
    if (counted !== 'counted') return { kind: 'silent' }
    const { subscriberId } = address
    const notice = { kind: 'change-address' as const, subscriberId, addressChangeId }
    const nextAttemptAt = dueAt?.getTime() ?? null
    return { kind: 'asked', noticeId: await addNotice(tx, { ...notice, nextAttemptAt }, now) }
  })
}

/** The change that was asked for last, if it was after `since` and waits; null otherwise. */
export async function waitingAddressChange(
  store: Store,
  subscriberId: number,
  since: Date,
): Promise<AddressChange | null> {
  const own = eq(addressChanges.subscriberId, subscriberId)
  const last = await store.read
    .select()
    .from(addressChanges)
    .where(own)
    .orderBy(desc(addressChanges.id))
    .get()
  return last && last.changedAt === null && last.createdAt > since.getTime() ? last : null
}

/** The language of who asked for this change of address; null when the ledger has forgotten it. */
export async function localeOfMover(store: Store, changePublicId: string): Promise<string | null> {
  const row = await store.read
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
 * lets the old address undo it. `replaced`: a later request counts. `taken`: another subscriber has it, and gets an
 * email that nothing changed, or it must not be emailed. An unconfirmed or former subscriber with that address is deleted.
 */
export async function replaceAddress(
  store: Store,
  changePublicId: string,
  consent: Consent,
  limits: RequestLimits,
  now: Date,
): Promise<Replaced> {
  return store.write(async (tx): Promise<Replaced> => {
    const change = await tx
      .select()
      .from(addressChanges)
      .where(eq(addressChanges.publicId, changePublicId))
      .get()
    if (!change) return { kind: 'unknown' }
    const own = eq(addressChanges.subscriberId, change.subscriberId)
    const last = await tx.select().from(addressChanges).where(own).orderBy(desc(addressChanges.id)).get()
    if (last?.id !== change.id) return { kind: 'replaced' }
    if (change.changedAt !== null) return { kind: 'already' }
    const subscriber = await tx
      .select()
      .from(subscribers)
      .where(eq(subscribers.id, change.subscriberId))
      .get()
    if (subscriber?.status !== 'active' || !canMove(await suppressedFor(tx, subscriber.emailHash)))
      return { kind: 'not-subscribed' }
    const suppression = await suppressedFor(tx, change.emailHash)
    if (suppression !== null && suppression !== 'erased') return { kind: 'taken', noticeIds: [] }
    const owner = await makeWay(tx, change.emailHash, subscriber.id)
    if (owner) return { kind: 'taken', noticeIds: await tellOwner(tx, owner, limits, now) }
    await move(tx, subscriber, change, consent, now)
    const notice = {
      kind: 'address-changed' as const,
      subscriberId: subscriber.id,
      addressChangeId: change.id,
    }
    return { kind: 'changed', noticeIds: [await addNotice(tx, notice, now)] }
  })
}

/**
 * Puts the old address back, with its consent and new links, so that the newer one gets nothing more. Where the old one has
 * subscribed again in the meantime, the moved subscription ends instead. `ended`: it was ended since the change, and stays so. Null
 * when the change is forgotten or was undone.
 */
export async function undoAddressChange(
  store: Store,
  changePublicId: string,
  now: Date,
): Promise<'undone' | 'ended' | null> {
  return store.write(async (tx) => {
    const change = await tx
      .select()
      .from(addressChanges)
      .where(eq(addressChanges.publicId, changePublicId))
      .get()
    if (!change?.before) return null
    const subscriber = await tx
      .select()
      .from(subscribers)
      .where(eq(subscribers.id, change.subscriberId))
      .get()
    if (!subscriber) return null
    const before = JSON.parse(change.before) as Before
    const owner = await makeWay(tx, before.emailHash, subscriber.id)
    const put = owner
      ? ({ status: 'unsubscribed', unsubscribedAt: now.getTime(), unsubscribedBy: 'operator' } as const)
      : { ...before, softBounces: 0 }
    await tx.update(subscribers).set(put).where(eq(subscribers.id, subscriber.id)).run()
    await renewLinksIn(tx, subscriber, 'undo-change-address', now)
    // Undo later changes too: the person who made them got in through this one.
    await tx
      .delete(addressChanges)
      .where(and(eq(addressChanges.subscriberId, subscriber.id), sql`${addressChanges.id} >= ${change.id}`))
      .run()
    return owner || subscriber.status === 'active' ? 'undone' : 'ended'
  })
}

/** Forgets the new addresses whose links to confirm or to undo were made until `until`. */
export async function forgetAddressChanges(store: Store, until: Date): Promise<void> {
  const last = sql`coalesce(${addressChanges.changedAt}, ${addressChanges.createdAt})`
  await store.write((tx) => tx.delete(addressChanges).where(lte(last, until.getTime())).run())
}

/** Deletes an unconfirmed or former subscriber with this address. Returns the active one, if there is one. */
async function makeWay(tx: Queries, emailHash: string, exceptId: number): Promise<Subscriber | undefined> {
  const elsewhere = and(eq(subscribers.emailHash, emailHash), ne(subscribers.id, exceptId))
  await tx
    .delete(subscribers)
    .where(and(elsewhere, inArray(subscribers.status, ['pending', 'unsubscribed'])))
    .run()
  return await tx.select().from(subscribers).where(elsewhere).get()
}

async function tellOwner(
  tx: Queries,
  { id, emailHash }: Subscriber,
  limits: RequestLimits,
  now: Date,
): Promise<number[]> {
  if ((await countRequest(tx, emailHash, limits, now)) !== 'counted') return []
  return [await addNotice(tx, { kind: 'already', subscriberId: id }, now)]
}

async function move(
  tx: Queries,
  subscriber: Subscriber,
  change: AddressChange,
  consent: Consent,
  now: Date,
): Promise<void> {
  const { email, emailHash } = change
  const given = {
    consentText: consent.text,
    consentSource: consent.source,
    consentedAt: now.getTime(),
  }
  await tx
    .update(subscribers)
    .set({ email, emailHash, softBounces: 0, ...given })
    .where(eq(subscribers.id, subscriber.id))
    .run()
  await renewLinksIn(tx, subscriber, 'change-address', now)
  for (const mark of [suppressions, erasures])
    await tx.delete(mark).where(eq(mark.emailHash, emailHash)).run()
  const before: Before = {
    email: subscriber.email,
    emailHash: subscriber.emailHash,
    consentText: subscriber.consentText,
    consentSource: subscriber.consentSource,
    consentedAt: subscriber.consentedAt,
  }
  await tx
    .update(addressChanges)
    .set({ changedAt: now.getTime(), before: JSON.stringify(before) })
    .where(eq(addressChanges.id, change.id))
    .run()
  const waiting = and(eq(addressChanges.subscriberId, subscriber.id), isNull(addressChanges.changedAt))
  await tx.delete(addressChanges).where(waiting).run()
}

async function suppressedFor(tx: Queries, emailHash: string): Promise<Suppression['reason'] | null> {
  return (await suppressionIn(tx, emailHash))?.reason ?? null
}
