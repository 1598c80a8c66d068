import {
  bouncesInARow,
  type MailReport,
  SOFT_BOUNCES_ALLOWED,
  suppressionFor,
} from '../../core/provider/report.ts'
import { audit } from '../audit.ts'
import { and, desc, eq, gte, inArray, isNotNull, isNull, lte, ne, or, sql } from '../drizzle.ts'
import { deliveries } from '../schema/ledger.ts'
import { addressChanges, erasures, subscribers, suppressions } from '../schema/people.ts'
import type { Queries, Store } from '../store.ts'
import { earlierHashIn } from './earlier-addresses.ts'
import { liftRefusalIn } from './refusals.ts'

/** Why an address must never be emailed. Instants are ms UTC. */
export type Suppression = typeof suppressions.$inferSelect

type Subscriber = typeof subscribers.$inferSelect

/** Why this address must never be emailed, or null. */
export async function findSuppression(store: Store, emailHash: string): Promise<Suppression | null> {
  return await suppressionIn(store.read, emailHash)
}

/** Whether this address was erased and has not signed up again since, also where something else suppresses it. */
export async function wasErased(store: Store, emailHash: string): Promise<boolean> {
  return (
    (await erasedAtIn(store.read, emailHash)) !== null ||
    (await suppressionIn(store.read, emailHash))?.reason === 'erased'
  )
}

/** `findSuppression` inside a transaction; for the files of `db/` only. */
export async function suppressionIn(tx: Queries, emailHash: string): Promise<Suppression | null> {
  return (await tx.select().from(suppressions).where(eq(suppressions.emailHash, emailHash)).get()) ?? null
}

/** When this address was erased, as long as it has not signed up again since; inside a transaction. */
export async function erasedAtIn(tx: Queries, emailHash: string): Promise<number | null> {
  return (await tx.select().from(erasures).where(eq(erasures.emailHash, emailHash)).get())?.erasedAt ?? null
}

/** How many addresses are suppressed, by reason. */
export async function countSuppressions({
  read,
}: Store): Promise<{ reason: Suppression['reason']; n: number }[]> {
  const rows = read
    .select({ reason: suppressions.reason, n: sql<number>`count(*)` })
    .from(suppressions)
    .groupBy(suppressions.reason)
    .orderBy(suppressions.reason)
  return await rows.all()
}

/**
 * What `allow` may do for an address, and what it did. `status`: of the subscriber now; null = no subscriber has the address.
 * `refusal-lifted`: the only obstacle was that its holder wanted no email that someone else can cause.
 */
export type Lifted =
  | { kind: 'allowed'; reason: Suppression['reason']; status: Subscriber['status'] | null; erased: boolean }
  | { kind: 'erased' | 'refusal-lifted' | 'not-suppressed' | 'not-found' }

/**
 * Lifts the suppression of an address, and records the consent that its subscriber gave and that it was lifted. A
 * complaint's unsubscribing is undone with it; one of their own stays. Who was erased stays so: only they themselves can
 * sign up again.
 */
export async function liftSuppression(
  store: Store,
  emailHash: string,
  consent: string,
  now: Date,
): Promise<Lifted> {
  return store.write(async (tx): Promise<Lifted> => {
    const suppression = await suppressionIn(tx, emailHash)
    const subscriber = await tx.select().from(subscribers).where(eq(subscribers.emailHash, emailHash)).get()
    if (suppression?.reason === 'erased') return { kind: 'erased' }
    // With consent on record, an earlier "not me, never again" is over too.
    const refused = await liftRefusalIn(tx, emailHash)
    const subject = subscriber?.publicId ?? 'nobody on the list'
    if (suppression === null && refused) await audit(tx, now, { action: 'allow', subject, detail: 'refused' })
    if (suppression === null && refused) return { kind: 'refusal-lifted' }
    if (suppression === null) return { kind: subscriber ? 'not-suppressed' : 'not-found' }
    const { reason, createdAt } = suppression
    const erasedAt = await erasedAtIn(tx, emailHash)
    const own = eq(suppressions.emailHash, emailHash)
    if (erasedAt === null) await tx.delete(suppressions).where(own).run()
    else await tx.update(suppressions).set({ reason: 'erased', createdAt: erasedAt }).where(own).run()
    await audit(tx, now, { action: 'allow', subject, detail: reason })
    if (!subscriber || erasedAt !== null)
      return { kind: 'allowed', reason, status: null, erased: erasedAt !== null }
    const byComplaint = reason === 'complaint' && subscriber.unsubscribedAt === createdAt
    const back = byComplaint ? ({ status: 'active', unsubscribedAt: null } as const) : {}
    const given = { consentText: consent, consentSource: 'operator', consentedAt: now.getTime() }
    const { status } =
      (await tx
        .update(subscribers)
        .set({ ...given, ...back, softBounces: 0 })
        .where(eq(subscribers.id, subscriber.id))
        .returning({ status: subscribers.status })
        .get()) ?? subscriber
    return { kind: 'allowed', reason, status, erased: false }
  })
}

/**
 * Inside a transaction: what a report means for the addresses that it concerns (keyed hashes), and for the subscriber
 * whose email it was. An address may be an old one: a subscriber who has moved to a new one was emailed there. A complaint
 * unsubscribes them, and whoever has the address now.
 */
export async function applyReport(
  tx: Queries,
  mail: MailReport,
  { addresses, subscriberId = -1 }: { addresses: readonly string[]; subscriberId?: number },
  now: Date,
): Promise<void> {
  const reason = suppressionFor(mail)
  if (reason) for (const address of addresses) await suppress(tx, address, reason, now)
  if (mail.report !== 'complained') return
  const whose = or(eq(subscribers.id, subscriberId), inArray(subscribers.emailHash, [...addresses]))
  await tx
    .update(subscribers)
    .set({ status: 'unsubscribed', unsubscribedAt: now.getTime(), unsubscribedBy: null })
    .where(and(whose, ne(subscribers.status, 'unsubscribed')))
    .run()
}

/**
 * Those addresses (keyed hashes) that a subscriber has, asked to change to, or can still go back to: others are no business
 * of this list.
 */
export async function knownAmong(tx: Queries, addresses: readonly string[]): Promise<string[]> {
  const places = [
    { table: subscribers, emailHash: sql<string>`${subscribers.emailHash}` },
    { table: addressChanges, emailHash: sql<string>`${addressChanges.emailHash}` },
    { table: addressChanges, emailHash: sql<string>`${earlierHashIn(tx)}` },
  ]
  const known = new Set<string>()
  for (const { table, emailHash } of places) {
    const here = inArray(emailHash, [...addresses])
    for (const row of await tx.select({ emailHash }).from(table).where(here).all()) known.add(row.emailHash)
  }
  return [...known]
}

/**
 * Inside a transaction: unsubscribes these subscribers, who asked to by an email of `askedAt` (ms UTC); returns how many
 * were not unsubscribed before. An event may come a day late: who consented after they asked stays. When in doubt they
 * leave, as the clocks differ.
 */
export async function leave(
  tx: Queries,
  ids: readonly number[],
  askedAt: number,
  now: Date,
): Promise<number> {
  const { consentedAt } = subscribers
  const still = or(isNull(consentedAt), lte(consentedAt, askedAt + CLOCKS_DIFFER_MS))
  return (
    await tx
      .update(subscribers)
      .set({ status: 'unsubscribed', unsubscribedAt: now.getTime(), unsubscribedBy: 'link' })
      .where(and(inArray(subscribers.id, [...ids]), ne(subscribers.status, 'unsubscribed'), still))
      .run()
  ).changes
}

const CLOCKS_DIFFER_MS = 300_000

/**
 * Inside a transaction: counts the editions in a row that bounced since the last consent, after `mail` changed one; five
 * suppress the address. What bounced before was forgiven by an operator, or at another address.
 */
export async function recountBounces(
  tx: Queries,
  { id, emailHash, softBounces, consentedAt }: Subscriber,
  mail: MailReport,
  now: Date,
): Promise<void> {
  if (mail.report === null || mail.report === 'sent' || mail.report === 'delayed') return
  if (mail.report === 'delivered' && softBounces === 0) return // by far the most, and nothing to take back
  const { editionId, generation, report, reportedAt } = deliveries
  const own = await tx
    .select({ editionId, report })
    .from(deliveries)
    .where(and(eq(deliveries.subscriberId, id), isNotNull(report), gte(reportedAt, consentedAt ?? 0)))
    .orderBy(desc(editionId), desc(generation))
    .all()
  const inARow = bouncesInARow(own)
  await tx.update(subscribers).set({ softBounces: inARow }).where(eq(subscribers.id, id)).run()
  const here = mail.emailHashes.length === 0 || mail.emailHashes.includes(emailHash)
  if (mail.soft && here && inARow > SOFT_BOUNCES_ALLOWED) await suppress(tx, emailHash, 'bounce', now)
}

// Who was erased and signed up again can bounce or complain like anyone; `erasures` still says that they were erased.
const WEAKER: Record<'bounce' | 'complaint' | 'provider', Suppression['reason'][]> = {
  provider: ['erased'],
  bounce: ['erased', 'provider'],
  complaint: ['erased', 'provider', 'bounce'],
}

async function suppress(
  tx: Queries,
  emailHash: string,
  reason: keyof typeof WEAKER,
  now: Date,
): Promise<void> {
  await tx
    .insert(suppressions)
    .values({ emailHash, reason, createdAt: now.getTime() })
    .onConflictDoUpdate({
      target: suppressions.emailHash,
      set: { reason, createdAt: now.getTime() },
      setWhere: inArray(suppressions.reason, WEAKER[reason]),
    })
    .run()
}
