import {
  bouncesInARow,
  type MailReport,
  SOFT_BOUNCES_ALLOWED,
  suppressionFor,
} from '../core/provider-report.ts'
import { and, desc, eq, inArray, isNotNull, ne } from './drizzle.ts'
import type { Db } from './open.ts'
import { deliveries, subscribers, suppressions } from './schema.ts'
import type { Subscriber, Suppression } from './subscribers.ts'

/**
 * Inside a transaction: what a report means for the subscriber and for the addresses it names, or else `emailHash`. They may be
 * old ones: a subscriber who has moved to a new one is mailed there still. A complaint unsubscribes.
 */
export function followUp(
  db: Db,
  subscriber: Subscriber,
  emailHash: string,
  mail: MailReport,
  now: Date,
): void {
  const reason = suppressionFor(mail)
  const addresses = mail.emailHashes.length > 0 ? mail.emailHashes : [emailHash]
  if (reason) for (const address of addresses) suppress(db, address, reason, now)
  if (mail.report !== 'complained') return
  db.update(subscribers)
    .set({ status: 'unsubscribed', unsubscribedAt: now.getTime(), unsubscribedBy: null })
    .where(and(eq(subscribers.id, subscriber.id), ne(subscribers.status, 'unsubscribed')))
    .run()
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

const WEAKER: Record<'bounce' | 'complaint' | 'provider', Suppression['reason'][]> = {
  provider: [],
  bounce: ['provider'],
  complaint: ['provider', 'bounce'],
}

function suppress(db: Db, emailHash: string, reason: keyof typeof WEAKER, now: Date): void {
  db.insert(suppressions)
    .values({ emailHash, reason, createdAt: now.getTime() })
    .onConflictDoUpdate({
      target: suppressions.emailHash,
      set: { reason },
      setWhere: inArray(suppressions.reason, WEAKER[reason]),
    })
    .run()
}
