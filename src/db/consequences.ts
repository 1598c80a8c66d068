import {
  bouncesInARow,
  type MailReport,
  SOFT_BOUNCES_ALLOWED,
  suppressionFor,
} from '../core/provider-report.ts'
import { and, desc, eq, inArray, isNotNull, ne, or } from './drizzle.ts'
import type { Db } from './open.ts'
import { addressChanges, deliveries, subscribers, suppressions } from './schema.ts'
import type { Subscriber, Suppression } from './subscribers.ts'

/**
 * Inside a transaction: what a report means for the addresses that it concerns (keyed hashes), and for the subscriber
 * whose mail it was. An address may be an old one: a subscriber who has moved to a new one was mailed there. A complaint
 * unsubscribes them, and whoever has the address now.
 */
export function followUp(
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

/** Those addresses (keyed hashes) that a subscriber has, or asked to change to: others are no business of this list. */
export function knownAmong(db: Db, addresses: readonly string[]): string[] {
  const known = [subscribers, addressChanges].flatMap((table) =>
    db
      .select({ emailHash: table.emailHash })
      .from(table)
      .where(inArray(table.emailHash, [...addresses]))
      .all(),
  )
  return [...new Set(known.map(({ emailHash }) => emailHash))]
}

/** Inside a transaction: unsubscribes these subscribers; returns how many were not unsubscribed before. */
export function leave(db: Db, ids: readonly number[], now: Date): number {
  return db
    .update(subscribers)
    .set({ status: 'unsubscribed', unsubscribedAt: now.getTime() })
    .where(and(inArray(subscribers.id, [...ids]), ne(subscribers.status, 'unsubscribed')))
    .run().changes
}

/** Inside a transaction: counts the editions in a row that bounced, after `mail` changed one; five suppress the address. */
export function recountBounces(
  db: Db,
  { id, emailHash, softBounces }: Subscriber,
  mail: MailReport,
  now: Date,
): void {
  if (mail.report === null || mail.report === 'sent' || mail.report === 'delayed') return
  if (mail.report === 'delivered' && softBounces === 0) return // by far the most, and nothing to take back
  const { editionId, generation, report } = deliveries
  const own = db
    .select({ editionId, report })
    .from(deliveries)
    .where(and(eq(deliveries.subscriberId, id), isNotNull(report)))
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
