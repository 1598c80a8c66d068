import {
  bouncesInARow,
  type MailReport,
  SOFT_BOUNCES_ALLOWED,
  suppressionFor,
} from '../../core/provider/report.ts'
import { and, desc, eq, gte, inArray, isNotNull, isNull, lte, ne, or, sql } from '../drizzle.ts'
import type { Db } from '../open.ts'
import { addressChanges, deliveries, earlierHash, subscribers, suppressions } from '../schema.ts'
import type { Subscriber, Suppression } from './subscribers.ts'

/**
 * Inside a transaction: what a report means for the addresses that it concerns (keyed hashes), and for the subscriber
 * whose mail it was. An address may be an old one: a subscriber who has moved to a new one was mailed there. A complaint
 * unsubscribes them, and whoever has the address now.
 */
export function applyReport(
  db: Db,
  mail: MailReport,
  { addresses, subscriberId = -1 }: { addresses: readonly string[]; subscriberId?: number },
  now: Date,
): void {
  const reason = suppressionFor(mail)
  if (reason) for (const address of addresses) suppress(db, address, reason, now)
  if (mail.report !== 'complained') return
  const whose = or(eq(subscribers.id, subscriberId), inArray(subscribers.emailHash, [...addresses]))
  db.update(subscribers)
    .set({ status: 'unsubscribed', unsubscribedAt: now.getTime(), unsubscribedBy: null })
    .where(and(whose, ne(subscribers.status, 'unsubscribed')))
    .run()
}

/**
 * Those addresses (keyed hashes) that a subscriber has, asked to change to, or can still go back to: others are no business
 * of this list.
 */
export function knownAmong(db: Db, addresses: readonly string[]): string[] {
  const known = [
    { table: subscribers, emailHash: sql<string>`${subscribers.emailHash}` },
    { table: addressChanges, emailHash: sql<string>`${addressChanges.emailHash}` },
    { table: addressChanges, emailHash: sql<string>`${earlierHash}` },
  ].flatMap(({ table, emailHash }) =>
    db
      .select({ emailHash })
      .from(table)
      .where(inArray(emailHash, [...addresses]))
      .all(),
  )
  return [...new Set(known.map(({ emailHash }) => emailHash))]
}

/**
 * Inside a transaction: unsubscribes these subscribers, who asked to by an email of `askedAt` (ms UTC); returns how many
 * were not unsubscribed before. An event may come a day late: who consented after they asked stays. When in doubt they
 * leave, as the clocks differ.
 */
export function leave(db: Db, ids: readonly number[], askedAt: number, now: Date): number {
  const { consentedAt } = subscribers
  const still = or(isNull(consentedAt), lte(consentedAt, askedAt + CLOCKS_DIFFER_MS))
  return db
    .update(subscribers)
    .set({ status: 'unsubscribed', unsubscribedAt: now.getTime(), unsubscribedBy: 'link' })
    .where(and(inArray(subscribers.id, [...ids]), ne(subscribers.status, 'unsubscribed'), still))
    .run().changes
}

const CLOCKS_DIFFER_MS = 300_000

/**
 * Inside a transaction: counts the editions in a row that bounced since the last consent, after `mail` changed one; five
 * suppress the address. What bounced before was forgiven by an operator, or at another address.
 */
export function recountBounces(
  db: Db,
  { id, emailHash, softBounces, consentedAt }: Subscriber,
  mail: MailReport,
  now: Date,
): void {
  if (mail.report === null || mail.report === 'sent' || mail.report === 'delayed') return
  if (mail.report === 'delivered' && softBounces === 0) return // by far the most, and nothing to take back
  const { editionId, generation, report, reportedAt } = deliveries
  const own = db
    .select({ editionId, report })
    .from(deliveries)
    .where(and(eq(deliveries.subscriberId, id), isNotNull(report), gte(reportedAt, consentedAt ?? 0)))
    .orderBy(desc(editionId), desc(generation))
    .all()
  const inARow = bouncesInARow(own)
  db.update(subscribers).set({ softBounces: inARow }).where(eq(subscribers.id, id)).run()
  const here = mail.emailHashes.length === 0 || mail.emailHashes.includes(emailHash)
  if (mail.soft && here && inARow > SOFT_BOUNCES_ALLOWED) suppress(db, emailHash, 'bounce', now)
}

// Who was erased and signed up again can bounce or complain like anyone; `erasures` still says that they were erased.
const WEAKER: Record<'bounce' | 'complaint' | 'provider', Suppression['reason'][]> = {
  provider: ['erased'],
  bounce: ['erased', 'provider'],
  complaint: ['erased', 'provider', 'bounce'],
}

function suppress(db: Db, emailHash: string, reason: keyof typeof WEAKER, now: Date): void {
  db.insert(suppressions)
    .values({ emailHash, reason, createdAt: now.getTime() })
    .onConflictDoUpdate({
      target: suppressions.emailHash,
      set: { reason, createdAt: now.getTime() },
      setWhere: inArray(suppressions.reason, WEAKER[reason]),
    })
    .run()
}
