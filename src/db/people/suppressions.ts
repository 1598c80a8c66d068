import {
  bouncesInARow,
  type MailReport,
  SOFT_BOUNCES_ALLOWED,
  suppressionFor,
} from '../../core/provider/report.ts'
import { audit } from '../audit.ts'
import { and, desc, eq, gte, inArray, isNotNull, isNull, lte, ne, or, sql } from '../drizzle.ts'
import type { Db } from '../open.ts'
import { deliveries } from '../schema/ledger.ts'
import { addressChanges, earlierHash, erasures, subscribers, suppressions } from '../schema/people.ts'
import { liftRefusalIn } from './refusals.ts'

/** Why an address must never be emailed. Instants are ms UTC. */
export type Suppression = typeof suppressions.$inferSelect

type Subscriber = typeof subscribers.$inferSelect

/** Why this address must never be emailed, or null. */
export async function findSuppression(db: Db, emailHash: string): Promise<Suppression | null> {
  return suppressionIn(db, emailHash)
}

/** Whether this address was erased and has not signed up again since, also where something else suppresses it. */
export async function wasErased(db: Db, emailHash: string): Promise<boolean> {
  return erasedAtIn(db, emailHash) !== null || suppressionIn(db, emailHash)?.reason === 'erased'
}

/** `findSuppression` inside a transaction; for the files of `db/` only. */
export function suppressionIn(db: Pick<Db, 'select'>, emailHash: string): Suppression | null {
  return db.select().from(suppressions).where(eq(suppressions.emailHash, emailHash)).get() ?? null
}

/** When this address was erased, as long as it has not signed up again since; inside a transaction. */
export function erasedAtIn(db: Pick<Db, 'select'>, emailHash: string): number | null {
  return db.select().from(erasures).where(eq(erasures.emailHash, emailHash)).get()?.erasedAt ?? null
}

/**
 * What `allow` may do for an address, and what it did. `status`: of the subscriber now; null = nobody has the address.
 * `refusal-lifted`: all that stood in the way was that its holder wanted no email that somebody else can cause.
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
  db: Db,
  emailHash: string,
  consent: string,
  now: Date,
): Promise<Lifted> {
  return db.transaction(
    (tx): Lifted => {
      const suppression = suppressionIn(tx, emailHash)
      const subscriber = tx.select().from(subscribers).where(eq(subscribers.emailHash, emailHash)).get()
      if (suppression?.reason === 'erased') return { kind: 'erased' }
      // With consent on record, an earlier "not me, never again" is over too.
      const refused = liftRefusalIn(tx, emailHash)
      const subject = subscriber?.publicId ?? 'nobody on the list'
      if (suppression === null && refused) audit(tx, now, { action: 'allow', subject, detail: 'refused' })
      if (suppression === null && refused) return { kind: 'refusal-lifted' }
      if (suppression === null) return { kind: subscriber ? 'not-suppressed' : 'not-found' }
      const { reason, createdAt } = suppression
      const erasedAt = erasedAtIn(tx, emailHash)
      const own = eq(suppressions.emailHash, emailHash)
      if (erasedAt === null) tx.delete(suppressions).where(own).run()
      else tx.update(suppressions).set({ reason: 'erased', createdAt: erasedAt }).where(own).run()
      audit(tx, now, { action: 'allow', subject, detail: reason })
      if (!subscriber || erasedAt !== null)
        return { kind: 'allowed', reason, status: null, erased: erasedAt !== null }
      const byComplaint = reason === 'complaint' && subscriber.unsubscribedAt === createdAt
      const back = byComplaint ? ({ status: 'active', unsubscribedAt: null } as const) : {}
      const given = { consentText: consent, consentSource: 'operator', consentedAt: now.getTime() }
      const { status } =
        tx
          .update(subscribers)
          .set({ ...given, ...back, softBounces: 0 })
          .where(eq(subscribers.id, subscriber.id))
          .returning({ status: subscribers.status })
          .get() ?? subscriber
      return { kind: 'allowed', reason, status, erased: false }
    },
    { behavior: 'immediate' },
  )
}

/**
 * Inside a transaction: what a report means for the addresses that it concerns (keyed hashes), and for the subscriber
 * whose email it was. An address may be an old one: a subscriber who has moved to a new one was emailed there. A complaint
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
