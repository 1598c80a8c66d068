import {
  type DeliveryReport,
  furthest,
  type MailReport,
  PERMANENT,
  type ProviderEvent,
  suppressionFor,
} from '../../core/provider/report.ts'
import { deliveryIdIn, deliveryTagger, earlierDeliveryTagger, type HashKey } from '../../core/tokens.ts'
import { failpoint } from '../../failpoint.ts'
import { and, desc, eq, isNotNull, like, max, ne, sql } from '../drizzle.ts'
import { earlierHashIn } from '../people/earlier-addresses.ts'
import { applyReport, knownAmong, leave, recountBounces } from '../people/suppressions.ts'
import { deliveries, editions, notices, providerEvents } from '../schema/ledger.ts'
import { addressChanges, subscribers } from '../schema/people.ts'
import type { Queries, Store } from '../store.ts'
import { isLocked } from '../trouble.ts'
import { settleUnknown } from './batch-states.ts'
import { acceptUnknown, proveAccepted } from './delivery-states.ts'

/** What an event did. `busy`: another program holds the database, and nothing was written. */
export type Recorded =
  | {
      kind: 'stored'
      /** The edition whose delivery it is about. */
      edition: string | null
      /** What of the edition it made one more, for the breaker. */
      counted: 'bounced' | 'complained' | null
      /** How many unsubscribed by it. */
      left: number
    }
  | { kind: 'repeat' }
  | { kind: 'busy' }

/** The last thing the provider reported of emails to a subscriber. `at` in ms UTC. */
export type LastReport = { edition: string; report: NonNullable<Delivery['report']>; at: number }

type Delivery = typeof deliveries.$inferSelect

/**
 * Stores an event and all that follows from it, in one transaction: the delivery's report, an `unknown` that is known
 * now, suppressions, the counts of the edition; `leavers`, ids of subscribers, unsubscribe. Any order and repetition of
 * the same events ends the same.
 */
export async function storeEvent(
  store: Store,
  hashKey: HashKey,
  event: ProviderEvent & { svixId: string; leavers?: readonly number[] },
  now: Date,
): Promise<Recorded> {
  const storeIt = async (tx: Queries): Promise<Recorded> => {
    const { svixId, type, at, mail, leavers = [] } = event
    const delivery = mail && (await findDelivery(tx, hashKey, mail))
    // For someone who was erased, we keep only that this event came, so that it counts once.
    const known = delivery?.subscriberId === null ? null : delivery
    const row = { svixId, type, at, deliveryId: known?.id ?? null, receivedAt: now.getTime() }
    const added = await tx
      .insert(providerEvents)
      .values({ ...row, detail: delivery?.subscriberId === null ? null : (mail?.detail ?? null) })
      .onConflictDoNothing()
      .run()
    if (added.changes === 0) return { kind: 'repeat' }
    if (delivery) {
      const applied = await applyTo(tx, delivery, { ...mail, svixId, at }, now)
      failpoint('before-webhook')
      return { kind: 'stored', ...applied, left: 0 }
    }
    if (mail) await applyReport(tx, mail, { addresses: await addressesElsewhere(tx, mail) }, now)
    return { kind: 'stored', edition: null, counted: null, left: await leave(tx, leavers, at, now) }
  }
  try {
    return await store.write(storeIt, { brief: true })
  } catch (error) {
    if (isLocked(error)) return { kind: 'busy' }
    throw error
  }
}

/** When the provider last reported this type of event, or null. */
export async function lastEventOf(store: Store, type: string): Promise<Date | null> {
  const row = await store.read
    .select({ at: max(providerEvents.receivedAt) })
    .from(providerEvents)
    .where(eq(providerEvents.type, type))
    .get()
  return row?.at ? new Date(row.at) : null
}

/** What the provider last reported of emails to this subscriber, or null. */
export async function lastReportTo(store: Store, subscriberId: number): Promise<LastReport | null> {
  const { editionId, report, reportedAt } = deliveries
  const row = await store.read
    .select({ edition: editionId, report, at: reportedAt })
    .from(deliveries)
    .where(and(eq(deliveries.subscriberId, subscriberId), isNotNull(report)))
    .orderBy(desc(editionId), desc(deliveries.generation))
    .limit(1)
    .get()
  return row?.report ? { edition: row.edition, report: row.report, at: row.at ?? 0 } : null
}

/** By Resend's id, or by the tag that we gave it, which is there even when the answer with the id was lost. */
async function findDelivery(
  tx: Queries,
  hashKey: HashKey,
  { providerId, deliveryTag: tag }: MailReport,
): Promise<Delivery | null> {
  const by = async (
    column: typeof deliveries.id | typeof deliveries.providerId,
    value: number | string | null,
  ) => (value === null ? undefined : await tx.select().from(deliveries).where(eq(column, value)).get())
  const known = await by(deliveries.providerId, providerId)
  if (known) return known
  const tagged = tag === null ? undefined : await by(deliveries.id, deliveryIdIn(hashKey, tag))
  const isOf = (row: Delivery) =>
    [deliveryTagger, earlierDeliveryTagger].some((tagger) => tagger(hashKey, row)(row.id) === tag)
  return tagged && isOf(tagged) ? tagged : null
}

type Event = MailReport & { svixId: string; at: number }

async function applyTo(tx: Queries, delivery: Delivery, event: Event, now: Date) {
  await proveAccepted(tx, delivery.id, event.providerId)
  if ((await acceptUnknown(tx, delivery)) && delivery.batchId !== null)
    await settleUnknown(tx, delivery.batchId)
  const hardAt = await earlierBounceAt(tx, delivery, event)
  await raiseReport(tx, delivery, event, hardAt)
  const counted = await countIn(tx, delivery, event, hardAt !== null)
  const subscriber =
    delivery.subscriberId === null
      ? undefined
      : await tx.select().from(subscribers).where(eq(subscribers.id, delivery.subscriberId)).get()
  if (subscriber) {
    const addresses = event.emailHashes.length > 0 ? event.emailHashes : [subscriber.emailHash]
    await applyReport(tx, event, { addresses, subscriberId: subscriber.id }, now)
    await recountBounces(tx, subscriber, event, now)
  } else await applyReport(tx, event, { addresses: await knownAmong(tx, event.emailHashes) }, now)
  return { edition: delivery.editionId, counted }
}

/** When another event reported a permanent bounce of this delivery. Looked up only where it can matter, which is rare. */
async function earlierBounceAt(
  tx: Queries,
  { id, report, reportedAt, subscriberId }: Delivery,
  event: Event,
): Promise<number | null> {
  const cannotMatter = event.report === null || event.report === 'sent' || event.report === 'delayed'
  if (cannotMatter || (report !== 'bounced' && report !== 'suppressed' && report !== 'complained'))
    return null
  if (subscriberId === null) return reportedAt // the events went with the person
  const bounces = and(
    eq(providerEvents.deliveryId, id),
    eq(providerEvents.type, 'email.bounced'),
    like(providerEvents.detail, `${PERMANENT}%`),
    ne(providerEvents.svixId, event.svixId),
  )
  return (
    (
      await tx
        .select({ at: max(providerEvents.at) })
        .from(providerEvents)
        .where(bounces)
        .get()
    )?.at ?? null
  )
}

async function raiseReport(
  tx: Queries,
  { id, report, reportedAt }: Delivery,
  event: Event,
  hardAt: number | null,
): Promise<void> {
  if (event.report === null) return
  const bounced = report === 'bounced'
  const current: DeliveryReport | null = report && {
    report,
    soft: bounced && hardAt === null,
    at: (bounced ? hardAt : null) ?? reportedAt ?? 0,
  }
  const next = furthest(current, { report: event.report, soft: event.soft, at: event.at })
  await tx
    .update(deliveries)
    .set({ report: next.report, reportedAt: next.at })
    .where(eq(deliveries.id, id))
    .run()
}

/** Counts each delivery at most once as a permanent bounce and once as a complaint. */
async function countIn(
  tx: Queries,
  { editionId, report }: Delivery,
  event: Event,
  bouncedBefore: boolean,
): Promise<'bounced' | 'complained' | null> {
  const bounced = event.report === 'bounced' && !event.soft && !bouncedBefore
  const complained = event.report === 'complained' && report !== 'complained'
  if (!bounced && !complained) return null
  const counted = bounced ? 'bounced' : 'complained'
  await tx
    .update(editions)
    .set({ [counted]: sql`${editions[counted]} + 1` })
    .where(eq(editions.id, editionId))
    .run()
  return counted
}

/**
 * The addresses that a report concerns whose delivery we do not know. A notice has no tag and is found by Resend's id
 * alone. Else it is of a copy for an operator, or the row is gone or in another copy of the database: the report counts
 * all the same for every address that is known here.
 */
async function addressesElsewhere(tx: Queries, mail: MailReport): Promise<string[]> {
  if (suppressionFor(mail) === null) return []
  const found =
    mail.providerId === null
      ? undefined
      : await tx
          .select({
            own: subscribers.emailHash,
            // The email about a change that was made went to the address before.
            asked: sql<
              string | null
            >`case when ${notices.kind} = 'address-changed' then ${earlierHashIn(tx)} else ${addressChanges.emailHash} end`,
          })
          .from(notices)
          .innerJoin(subscribers, eq(subscribers.id, notices.subscriberId))
          .leftJoin(addressChanges, eq(addressChanges.id, notices.addressChangeId))
          .where(eq(notices.providerId, mail.providerId))
          .get()
  if (!found) return knownAmong(tx, mail.emailHashes)
  return mail.emailHashes.length > 0 ? mail.emailHashes : [found.asked ?? found.own]
}
