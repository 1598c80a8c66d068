import type { KnownCandidate } from '../../core/audience/judge.ts'
import { and, asc, eq, isNotNull, sql } from '../drizzle.ts'
import { topicRowsOf } from '../people/topic-rows.ts'
import { batches, deliveries } from '../schema/ledger.ts'
import { subscribers, suppressions } from '../schema/people.ts'
import { sessionsVersionIn } from '../sessions/sessions.ts'
import { prepared, type Queries, type Store } from '../store.ts'
import type { Batch } from './batches.ts'
import { CANDIDATE } from './candidates.ts'

/** A delivery before its content is frozen, with its reader's current data. Null `subscriber`: erased since. */
export type OpenDelivery = {
  id: number
  seenThrough: number
  subscriber: (KnownCandidate & ReaderRow) | null
}

/** A delivery frozen for its email. */
export type FrozenDelivery = { id: number; frozen: string }

/** One delivery to a subscriber with the batch it went into; null = none, as they were excluded. */
export type PastDelivery = {
  id: number
  /** The reader's seen mark when the edition was planned. */
  seenThrough: number
  generation: number
  state: 'waiting' | 'submitted' | 'excluded' | 'failed' | 'unknown'
  reason: string | null
  providerId: string | null
  /** What the provider reported since, and when. */
  report: 'sent' | 'delayed' | 'delivered' | 'bounced' | 'complained' | 'suppressed' | 'failed' | null
  reportedAt: number | null
  batch: Pick<
    Batch,
    'id' | 'number' | 'state' | 'attempts' | 'nextAttemptAt' | 'reason' | 'submittedAt'
  > | null
}

type ReaderRow = Pick<
  typeof subscribers.$inferSelect,
  'publicId' | 'email' | 'name' | 'timeZone' | 'locale' | 'discreet'
>

/** What the last checks looked at. */
export type Checked = { readers: string; sessionsVersion: number }

/**
 * The waiting deliveries of a batch with their readers' current data, in the order in which they are submitted. The same
 * `readers` text later means that nothing has changed.
 */
export async function openDeliveries(
  queries: Queries,
  batchId: number,
): Promise<{ open: OpenDelivery[]; readers: string }> {
  const rows = await openOf(queries).all({ batchId })
  const topicRows = await topicRowsOf(
    queries,
    rows.flatMap(({ subscriber }) => (subscriber === null ? [] : [subscriber.id])),
  )
  const open = rows.map(({ subscriber, suppressed, ...delivery }) => ({
    ...delivery,
    subscriber: subscriber && { ...subscriber, suppressed, topicRows: topicRows.get(subscriber.id) ?? [] },
  }))
  return { open, readers: JSON.stringify(open) }
}

/** Whether the last checks of a batch would look at the same now. */
export async function isStillSo(
  tx: Queries,
  batchId: number,
  { readers, sessionsVersion }: Checked,
): Promise<boolean> {
  return (
    (await sessionsVersionIn(tx)) === sessionsVersion &&
    (await openDeliveries(tx, batchId)).readers === readers
  )
}

const { suppressed, ...CANDIDATE_ROW } = CANDIDATE

const openOf = prepared((read) =>
  read
    .select({
      id: deliveries.id,
      seenThrough: deliveries.seenThrough,
      suppressed,
      subscriber: {
        ...CANDIDATE_ROW,
        publicId: subscribers.publicId,
        email: subscribers.email,
        name: subscribers.name,
        timeZone: subscribers.timeZone,
        locale: subscribers.locale,
        discreet: subscribers.discreet,
      },
    })
    .from(deliveries)
    .leftJoin(subscribers, eq(subscribers.id, deliveries.subscriberId))
    .leftJoin(suppressions, eq(suppressions.emailHash, subscribers.emailHash))
    .where(and(eq(deliveries.batchId, sql.placeholder('batchId')), eq(deliveries.state, 'waiting')))
    .orderBy(asc(deliveries.id))
    .prepare(),
)

/** The frozen deliveries of a batch in the order in which they are submitted. */
export async function frozenDeliveries(store: Store, batchId: number): Promise<FrozenDelivery[]> {
  const frozen = and(
    eq(deliveries.batchId, batchId),
    eq(deliveries.state, 'waiting'),
    isNotNull(deliveries.frozen),
  )
  const rows = store.read
    .select({ id: deliveries.id, frozen: deliveries.frozen })
    .from(deliveries)
    .where(frozen)
    .orderBy(asc(deliveries.id))
  return (await rows.all()).map(({ id, frozen }) => ({ id, frozen: frozen ?? '' }))
}

/** What the ledger has of a subscriber in an edition, the edition itself first and then its resends. */
export async function deliveriesTo(
  store: Store,
  subscriberId: number,
  editionId: string,
): Promise<PastDelivery[]> {
  const { id, number, state, attempts, nextAttemptAt, reason, submittedAt } = batches
  return await store.read
    .select({
      id: deliveries.id,
      seenThrough: deliveries.seenThrough,
      generation: deliveries.generation,
      state: deliveries.state,
      reason: deliveries.reason,
      providerId: deliveries.providerId,
      report: deliveries.report,
      reportedAt: deliveries.reportedAt,
      batch: { id, number, state, attempts, nextAttemptAt, reason, submittedAt },
    })
    .from(deliveries)
    .leftJoin(batches, eq(batches.id, deliveries.batchId))
    .where(and(eq(deliveries.subscriberId, subscriberId), eq(deliveries.editionId, editionId)))
    .orderBy(asc(deliveries.generation))
    .all()
}
