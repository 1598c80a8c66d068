import { chooseTopics, type TopicChoice } from '../../core/audience/seen.ts'
import { readableZone } from '../../core/time/time-zones.ts'
import { audit } from '../audit.ts'
import { and, asc, eq, inArray, isNull, ne } from '../drizzle.ts'
import { detachDeliveries } from '../ledger/delivery-states.ts'
import type { Db } from '../open.ts'
import { clearGapsAround, emptyLog, eraseFromCopies, noteToWipe } from '../retention/wiping.ts'
import {
  addressChanges,
  auditLog,
  batches,
  deliveries,
  earlierHash,
  erasures,
  notices,
  providerEvents,
  refusals,
  requestedEmails,
  subscribers,
  subscriberTopics,
  suppressions,
  topics,
} from '../schema.ts'
import { liftRefusalIn } from './refusals.ts'

/** One address with its consent, as stored. Instants are ms UTC. */
export type Subscriber = typeof subscribers.$inferSelect
export type Suppression = typeof suppressions.$inferSelect

/** Everything stored about one address. */
export type PersonalData = {
  subscriber: Subscriber | null
  topics: { topic: string; chosen: boolean; seenThrough: number | null }[]
  deliveries: {
    edition: string
    generation: number
    state: string
    reason: string | null
    seenThrough: number
    providerId: string | null
    submittedAt: number | null
    report: string | null
    reportedAt: number | null
  }[]
  /** What the provider reported of those, as it came. */
  events: { edition: string; type: string; detail: string | null; at: number; receivedAt: number }[]
  /**
   * Not what they said or what became of them: that would tell of other addresses, and hold links for others. None to a
   * new address, for `addressChanges` says when it was asked for: that there was no such email would tell of its holder.
   */
  notices: { kind: string; createdAt: number }[]
  /** `before` is what a change that took effect can be undone to, for seven days, as JSON. */
  addressChanges: { email: string; createdAt: number; changedAt: number | null; before: string | null }[]
  /** When emails went out because somebody entered the address. */
  requestedEmails: { createdAt: number }[]
  /** When they said "not me, never again"; null: they did not. */
  refusedAt: number | null
  /** When the address was erased before; null: it was not. */
  erasedAt: number | null
  audit: { action: string; detail: string | null; at: number }[]
  suppression: Suppression | null
}

/** The subscriber with this keyed hash of the address (`hashEmail`), or null. */
export async function findByEmailHash(db: Db, emailHash: string): Promise<Subscriber | null> {
  return readable(db.select().from(subscribers).where(eq(subscribers.emailHash, emailHash)).get())
}

/** The subscriber with this public id, or null. */
export async function findByPublicId(db: Db, publicId: string): Promise<Subscriber | null> {
  return readable(db.select().from(subscribers).where(eq(subscribers.publicId, publicId)).get())
}

function readable(row: Subscriber | undefined): Subscriber | null {
  return row ? { ...row, timeZone: readableZone(row.timeZone) } : null
}

/** Why this address must never be mailed, or null. */
export async function findSuppression(db: Db, emailHash: string): Promise<Suppression | null> {
  return suppressionIn(db, emailHash)
}

/** Whether this address was erased and has not signed up again since, also where something else suppresses it. */
export async function wasErased(db: Db, emailHash: string): Promise<boolean> {
  return erasedAtIn(db, emailHash) !== null || suppressionIn(db, emailHash)?.reason === 'erased'
}

/**
 * Stops all mail to the subscriber that no batch has claimed yet. False when they were unsubscribed already; what an operator
 * ends, also then, no link undoes.
 */
export async function setUnsubscribed(
  db: Db,
  id: number,
  by: 'link' | 'operator',
  now: Date,
): Promise<boolean> {
  return db.transaction(
    (tx) => {
      const change = tx
        .update(subscribers)
        .set({ status: 'unsubscribed', unsubscribedAt: now.getTime(), unsubscribedBy: by })
        .where(and(eq(subscribers.id, id), inArray(subscribers.status, ['pending', 'active'])))
        .run()
      if (change.changes === 0 && by === 'operator')
        tx.update(subscribers).set({ unsubscribedBy: by }).where(eq(subscribers.id, id)).run()
      return change.changes === 1
    },
    { behavior: 'immediate' },
  )
}

/**
 * Undoes an unsubscription, and records it. False when the subscriber was not unsubscribed. Null when the address is
 * suppressed: then nothing was written. `seen_through` stays, so they catch up.
 */
export async function setResubscribed(db: Db, subscriber: Subscriber, now: Date): Promise<boolean | null> {
  return db.transaction(
    (tx) => {
      if (suppressionIn(tx, subscriber.emailHash)) return null
      const change = tx
        .update(subscribers)
        .set({ status: 'active', unsubscribedAt: null, unsubscribedBy: null })
        .where(and(eq(subscribers.id, subscriber.id), eq(subscribers.status, 'unsubscribed')))
        .run()
      if (change.changes === 1) audit(tx, now, { action: 'resubscribe', subject: subscriber.publicId })
      return change.changes === 1
    },
    { behavior: 'immediate' },
  )
}

/** Stores what the subscriber wants to hear of; nothing is told twice or missed for it (`chooseTopics`). */
export async function setTopics(db: Db, subscriberId: number, choice: TopicChoice): Promise<void> {
  db.transaction((tx) => setTopicsIn(tx, subscriberId, choice), { behavior: 'immediate' })
}

/** `setTopics` within a transaction that is open already; for the files of `db/` only. */
export function setTopicsIn(
  db: Pick<Db, 'select' | 'insert' | 'delete'>,
  id: number,
  choice: TopicChoice,
): void {
  const general = db
    .select({ seen: subscribers.seenThrough })
    .from(subscribers)
    .where(eq(subscribers.id, id))
    .get()
  const own = eq(subscriberTopics.subscriberId, id)
  const current = db.select().from(subscriberTopics).where(own).all()
  const ids = db.select({ id: topics.id }).from(topics).all()
  const next = chooseTopics(
    current,
    general?.seen ?? 0,
    ids.map((topic) => topic.id),
    choice,
  )
  db.delete(subscriberTopics).where(own).run()
  for (const row of next)
    db.insert(subscriberTopics)
      .values({ subscriberId: id, ...row })
      .run()
}

/** Everything stored under this keyed hash; all empty when there is nothing. */
export async function personalDataOf(db: Db, emailHash: string): Promise<PersonalData> {
  return db.transaction((tx) => {
    const subscriber = tx.select().from(subscribers).where(eq(subscribers.emailHash, emailHash)).get() ?? null
    const id = subscriber?.id ?? -1
    return {
      subscriber,
      topics: tx
        .select({
          topic: topics.slug,
          chosen: subscriberTopics.chosen,
          seenThrough: subscriberTopics.seenThrough,
        })
        .from(subscriberTopics)
        .innerJoin(topics, eq(topics.id, subscriberTopics.topicId))
        .where(eq(subscriberTopics.subscriberId, id))
        .orderBy(asc(topics.slug))
        .all(),
      deliveries: tx
        .select({
          edition: deliveries.editionId,
          generation: deliveries.generation,
          state: deliveries.state,
          reason: deliveries.reason,
          seenThrough: deliveries.seenThrough,
          providerId: deliveries.providerId,
          submittedAt: batches.submittedAt,
          report: deliveries.report,
          reportedAt: deliveries.reportedAt,
        })
        .from(deliveries)
        .leftJoin(batches, eq(batches.id, deliveries.batchId))
        .where(eq(deliveries.subscriberId, id))
        .orderBy(asc(deliveries.editionId), asc(deliveries.generation))
        .all(),
      events: tx
        .select({
          edition: deliveries.editionId,
          type: providerEvents.type,
          detail: providerEvents.detail,
          at: providerEvents.at,
          receivedAt: providerEvents.receivedAt,
        })
        .from(providerEvents)
        .innerJoin(deliveries, eq(deliveries.id, providerEvents.deliveryId))
        .where(eq(deliveries.subscriberId, id))
        .orderBy(asc(providerEvents.receivedAt), asc(providerEvents.at))
        .all(),
      notices: tx
        .select({ kind: notices.kind, createdAt: notices.createdAt })
        .from(notices)
        .where(and(eq(notices.subscriberId, id), ne(notices.kind, 'change-address')))
        .orderBy(asc(notices.id))
        .all(),
      addressChanges: tx
        .select({
          email: addressChanges.email,
          createdAt: addressChanges.createdAt,
          changedAt: addressChanges.changedAt,
          before: addressChanges.before,
        })
        .from(addressChanges)
        .where(eq(addressChanges.subscriberId, id))
        .orderBy(asc(addressChanges.id))
        .all(),
      requestedEmails: tx
        .select({ createdAt: requestedEmails.createdAt })
        .from(requestedEmails)
        .where(eq(requestedEmails.emailHash, emailHash))
        .orderBy(asc(requestedEmails.id))
        .all(),
      refusedAt: tx.select().from(refusals).where(eq(refusals.emailHash, emailHash)).get()?.createdAt ?? null,
      erasedAt: erasedAtIn(tx, emailHash),
      audit: tx
        .select({ action: auditLog.action, detail: auditLog.detail, at: auditLog.at })
        .from(auditLog)
        .where(eq(auditLog.subject, subscriber?.publicId ?? ''))
        .orderBy(asc(auditLog.id))
        .all(),
      suppression: suppressionIn(tx, emailHash),
    }
  })
}

/**
 * Removes the subscriber and all that names them, here and in the copies of migrations beside the database; the keyed hash
 * stays in `suppressions`, so no import brings them back. Their deliveries stay in the ledger without a subscriber and
 * without Resend's id (triggers, drizzle/0012). Mail of a batch that was attempted keeps its frozen reader until the outcome
 * is known, since a retry must send the same bytes. It is taken from the changes of address of others, too. False when it is
 * nowhere. What the log still holds is told by `leftToWipe`.
 */
export async function eraseSubscriber(db: Db, emailHash: string, now: Date): Promise<boolean> {
  // Overwrites what is deleted, rather than leaving it in unused pages of the file.
  db.$client.pragma('secure_delete = ON')
  const erased = db.transaction(
    (tx) => {
      const subscriber = tx.select().from(subscribers).where(eq(subscribers.emailHash, emailHash)).get()
      const elsewhere = forgetElsewhere(tx, emailHash)
      if (!subscriber && !elsewhere) return null
      if (subscriber) {
        detachDeliveries(tx, subscriber.id)
        tx.delete(subscribers).where(eq(subscribers.id, subscriber.id)).run()
        clearGapsAround(db, subscriber.id)
      }
      tx.insert(suppressions)
        .values({ emailHash, reason: 'erased', createdAt: now.getTime() })
        .onConflictDoNothing()
        .run()
      const erasedAt = now.getTime()
      tx.insert(erasures)
        .values({ emailHash, erasedAt })
        .onConflictDoUpdate({ target: erasures.emailHash, set: { erasedAt } })
        .run()
      audit(tx, now, { action: 'erase', subject: 'erased' })
      noteToWipe(db, now)
      return { id: subscriber?.id ?? -1, emailHash }
    },
    { behavior: 'immediate' },
  )
  if (erased === null) return false
  eraseFromCopies(db, erased)
  await emptyLog(db) // another process that is reading may keep this from happening now; the sweep tries again
  return true
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

type Writer = Pick<Db, 'select' | 'insert' | 'update' | 'delete'>

/**
 * Forgets the address where it stands with somebody else: they asked to move to it, or have moved from it and could go
 * back. Whoever asked is told nothing. True when it stood there.
 */
function forgetElsewhere(tx: Writer, emailHash: string): boolean {
  const asked = and(eq(addressChanges.emailHash, emailHash), isNull(addressChanges.changedAt))
  const left = eq(earlierHash, emailHash)
  const gone = tx.delete(addressChanges).where(asked).run().changes
  return gone + tx.update(addressChanges).set({ before: null }).where(left).run().changes > 0
}

function suppressionIn(db: Pick<Db, 'select'>, emailHash: string): Suppression | null {
  return db.select().from(suppressions).where(eq(suppressions.emailHash, emailHash)).get() ?? null
}

function erasedAtIn(db: Pick<Db, 'select'>, emailHash: string): number | null {
  return db.select().from(erasures).where(eq(erasures.emailHash, emailHash)).get()?.erasedAt ?? null
}
