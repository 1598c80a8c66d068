import type { KnownCandidate } from '../../core/audience/judge.ts'
import { and, asc, eq, isNotNull } from '../drizzle.ts'
import { type Db, statement } from '../open.ts'
import { topicRowsOf } from '../people/topic-rows.ts'
import { batches, deliveries } from '../schema/ledger.ts'
import type { subscribers } from '../schema/people.ts'
import type { Batch } from './batches.ts'

/** A delivery whose reader is known as of now, before its content is frozen. Null `subscriber`: erased meanwhile. */
export type OpenDelivery = {
  id: number
  seenThrough: number
  subscriber: (KnownCandidate & ReaderRow) | null
}

/** A delivery frozen for its email. */
export type FrozenDelivery = { id: number; frozen: string }

/** One delivery to a subscriber with the batch it went into; null = none, as they were excluded. */
export type PastDelivery = {
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

/** The waiting deliveries of a batch with their readers as of now, in the order in which they are submitted. */
export async function openDeliveries(db: Db, batchId: number): Promise<OpenDelivery[]> {
  const rows = statement<[number], OpenRow>(db, OPEN_DELIVERIES).all(batchId)
  const ids = rows.flatMap((row) => (row.id === null ? [] : [row.id]))
  const topicRows = topicRowsOf(db, ids)
  return rows.map(({ deliveryId, plannedSeen, id, suppressed, discreet, ...reader }) => ({
    id: deliveryId,
    seenThrough: plannedSeen,
    subscriber:
      id === null
        ? null
        : {
            ...reader,
            id,
            suppressed: suppressed === 1,
            discreet: discreet === 1,
            topicRows: topicRows.get(id) ?? [],
          },
  }))
}

type OpenRow = Omit<KnownCandidate & ReaderRow, 'id' | 'suppressed' | 'discreet' | 'topicRows'> & {
  deliveryId: number
  plannedSeen: number
  id: number | null
  suppressed: number
  discreet: number
}

// By hand: this runs for every batch, and the mapping of a query builder is half of its cost.
const OPEN_DELIVERIES = `
  select d.id as deliveryId, d.seen_through as plannedSeen, s.id, s.public_id as publicId, s.email, s.name, s.status,
         s.time_zone as timeZone, s.locale, s.cadence, s.paused_until as pausedUntil, s.discreet,
         s.seen_through as seenThrough, s.last_edition_id as lastEditionId, x.email_hash is not null as suppressed
  from deliveries d
  left join subscribers s on s.id = d.subscriber_id
  left join suppressions x on x.email_hash = s.email_hash
  where d.batch_id = ? and d.state = 'waiting'
  order by d.id`

/** The frozen deliveries of a batch in the order in which they are submitted. */
export async function frozenDeliveries(db: Db, batchId: number): Promise<FrozenDelivery[]> {
  const frozen = and(
    eq(deliveries.batchId, batchId),
    eq(deliveries.state, 'waiting'),
    isNotNull(deliveries.frozen),
  )
  const rows = db
    .select({ id: deliveries.id, frozen: deliveries.frozen })
    .from(deliveries)
    .where(frozen)
    .orderBy(asc(deliveries.id))
  return rows.all().map(({ id, frozen }) => ({ id, frozen: frozen ?? '' }))
}

/** What the ledger has of a subscriber in an edition, the edition itself first and then its resends. */
export async function deliveriesTo(db: Db, subscriberId: number, editionId: string): Promise<PastDelivery[]> {
  const { id, number, state, attempts, nextAttemptAt, reason, submittedAt } = batches
  return db
    .select({
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
