import type { Exclusion } from '../../core/audience/exclusion.ts'
import { failpoint } from '../../failpoint.ts'
import { and, asc, eq, gte, isNotNull, isNull, or } from '../drizzle.ts'
import { type Db, statement } from '../open.ts'
import { batches, deliveries, templates } from '../schema.ts'
import { type Batch, leaseEnd, stillClaimed } from './batches.ts'
import { type KnownCandidate, topicRowsOf } from './verdicts.ts'

/** A delivery whose reader is known as of now, before its content is frozen. Null `subscriber`: erased meanwhile. */
export type OpenDelivery = {
  id: number
  seenThrough: number
  subscriber: (KnownCandidate & ReaderRow) | null
}

/** A delivery frozen for its mail. */
export type FrozenDelivery = { id: number; frozen: string }

/** What freezing writes down: everything that the bytes of the request are made from, and their hash. */
export type Freeze = {
  excluded: { id: number; reason: Exclusion }[]
  /** Readers no mail can be made for, with the reason. */
  failed: { id: number; reason: string }[]
  frozen: FrozenDelivery[]
  template: string
  templateHash: string
  offers: string
  offersHash: string
  bodyHash: string
}

type ReaderRow = {
  publicId: string
  email: string
  name: string | null
  timeZone: string
  locale: string
  discreet: boolean
}

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

/**
 * Freezes the content of a claimed batch, so that every later attempt sends the same bytes, and starts the clock of its
 * key. False when the claim was lost meanwhile or its lease has run out, as another email may have gone to the same
 * readers since: then nothing was written.
 */
export async function freezeBatch(db: Db, batch: Batch, freeze: Freeze, now: Date): Promise<boolean> {
  return db.transaction(
    (tx) => {
      const { templateHash, offersHash, bodyHash } = freeze
      const change = tx
        .update(batches)
        .set({
          templateHash,
          offersHash,
          bodyHash,
          // Of a batch that came back with a restored copy: the provider may have had it from when that was taken.
          firstAttemptAt: batch.firstAttemptAt ?? now.getTime(),
          size: freeze.frozen.length,
        })
        .where(
          and(
            stillClaimed(batch),
            gte(batches.claimedAt, leaseEnd(now)),
            or(isNull(batches.firstAttemptAt), isNull(batches.bodyHash)),
          ),
        )
        .run()
      if (change.changes === 0) return false
      tx.insert(templates)
        .values({ hash: templateHash, kind: 'digest', content: freeze.template })
        .onConflictDoNothing()
        .run()
      tx.insert(templates)
        .values({ hash: offersHash, kind: 'offers', content: freeze.offers })
        .onConflictDoNothing()
        .run()
      endDeliveries(db, 'excluded', freeze.excluded)
      endDeliveries(db, 'failed', freeze.failed)
      const write = statement(db, "update deliveries set frozen = ? where id = ? and state = 'waiting'")
      for (const { id, frozen } of freeze.frozen) write.run(frozen, id)
      failpoint('before-freeze')
      return true
    },
    { behavior: 'immediate' },
  )
}

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

/** A frozen template or list of offers by its hash; throws when it is missing, which nothing but a damaged file explains. */
export async function frozenContent(db: Db, hash: string): Promise<string> {
  const row = db.select({ content: templates.content }).from(templates).where(eq(templates.hash, hash)).get()
  if (!row) throw new Error(`frozen content ${hash} is missing from the database`)
  return row.content
}

/** Ends a claimed batch in which nobody is left to mail. */
export async function closeEmptyBatch(
  db: Db,
  batch: Batch,
  ended: Pick<Freeze, 'excluded' | 'failed'>,
  now: Date,
): Promise<boolean> {
  return db.transaction(
    (tx) => {
      const done = { state: 'submitted' as const, submittedAt: now.getTime(), size: 0, claimedBy: null }
      if (tx.update(batches).set(done).where(stillClaimed(batch)).run().changes === 0) return false
      endDeliveries(db, 'excluded', ended.excluded)
      endDeliveries(db, 'failed', ended.failed)
      failpoint('before-close')
      return true
    },
    { behavior: 'immediate' },
  )
}

function endDeliveries(
  db: Db,
  state: 'excluded' | 'failed',
  ended: readonly { id: number; reason: string }[],
): void {
  const write = statement(db, 'update deliveries set state = ?, reason = ?, frozen = null where id = ?')
  for (const { id, reason } of ended) write.run(state, reason, id)
}
