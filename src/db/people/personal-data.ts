import { and, asc, eq, ne } from '../drizzle.ts'
import { auditLog } from '../schema/installation.ts'
import { batches, deliveries, notices, providerEvents } from '../schema/ledger.ts'
import { addressChanges, refusals, requestedEmails, subscribers, subscriberTopics } from '../schema/people.ts'
import { topics } from '../schema/sessions.ts'
import type { Store } from '../store.ts'
import type { Subscriber } from './subscribers.ts'
import { erasedAtIn, type Suppression, suppressionIn } from './suppressions.ts'

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
    /** The ids of the sessions that the email showed. */
    shown: string | null
    providerId: string | null
    submittedAt: number | null
    report: string | null
    reportedAt: number | null
  }[]
  /** What the provider reported of those, as it came. */
  events: { edition: string; type: string; detail: string | null; at: number; receivedAt: number }[]
  /**
   * Not what they said or what became of them: that would reveal other addresses, and hold links for others. None to a
   * new address, for `addressChanges` says when it was asked for: the lack of such an email would reveal something about its owner.
   */
  notices: { kind: string; createdAt: number }[]
  /** `before` is what a change that took effect can be undone to, for seven days, as JSON. */
  addressChanges: { email: string; createdAt: number; changedAt: number | null; before: string | null }[]
  /** When emails went out because someone entered the address. */
  requestedEmails: { createdAt: number }[]
  /** When they said "not me, never again"; null: they did not. */
  refusedAt: number | null
  /** When the address was erased before; null: it was not. */
  erasedAt: number | null
  audit: { action: string; detail: string | null; at: number }[]
  suppression: Suppression | null
}

/** Everything stored under this keyed hash; all empty when there is nothing. */
export async function personalDataOf(store: Store, emailHash: string): Promise<PersonalData> {
  return store.snapshot(async (tx) => {
    const subscriber =
      (await tx.select().from(subscribers).where(eq(subscribers.emailHash, emailHash)).get()) ?? null
    const id = subscriber?.id ?? -1
    return {
      subscriber,
      topics: await tx
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
      deliveries: await tx
        .select({
          edition: deliveries.editionId,
          generation: deliveries.generation,
          state: deliveries.state,
          reason: deliveries.reason,
          seenThrough: deliveries.seenThrough,
          shown: deliveries.shown,
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
      events: await tx
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
      notices: await tx
        .select({ kind: notices.kind, createdAt: notices.createdAt })
        .from(notices)
        .where(and(eq(notices.subscriberId, id), ne(notices.kind, 'change-address')))
        .orderBy(asc(notices.id))
        .all(),
      addressChanges: await tx
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
      requestedEmails: await tx
        .select({ createdAt: requestedEmails.createdAt })
        .from(requestedEmails)
        .where(eq(requestedEmails.emailHash, emailHash))
        .orderBy(asc(requestedEmails.id))
        .all(),
      refusedAt:
        (await tx.select().from(refusals).where(eq(refusals.emailHash, emailHash)).get())?.createdAt ?? null,
      erasedAt: await erasedAtIn(tx, emailHash),
      audit: await tx
        .select({ action: auditLog.action, detail: auditLog.detail, at: auditLog.at })
        .from(auditLog)
        .where(eq(auditLog.subject, subscriber?.publicId ?? ''))
        .orderBy(asc(auditLog.id))
        .all(),
      suppression: await suppressionIn(tx, emailHash),
    }
  })
}
