import { and, asc, eq, inArray, isNotNull, isNull, lt, ne, or, type SQL, sql } from 'drizzle-orm'
import type { Exclusion } from '../core/audience.ts'
import { type Db, statement, unsynced } from './open.ts'
import { type KnownCandidate, topicRowsOf } from './planning.ts'
import { batches, deliveries, editions, templates } from './schema.ts'
import { settleProven } from './submissions.ts'

/** Up to 100 deliveries that are submitted in one call. Instants are ms UTC. */
export type Batch = typeof batches.$inferSelect

/** A batch that is owed: planned and due, or claimed by someone who may be gone. */
export type OwedBatch = Pick<Batch, 'id' | 'state' | 'claimedBy' | 'claimedAt'>

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

/** A claim this old is taken over even when its holder seems alive: requests end after 30 s. */
export const CLAIM_LEASE_MS = 90_000
/** Resend forgets a key after 24 h; from 23 h on it is not trusted. https://resend.com/docs/dashboard/emails/idempotency-keys */
export const KEY_TRUST_MS = 23 * 3_600_000

const UNFINISHED = ['planned', 'submitting'] as const

/** Batches the ledger still owes, oldest first: due ones of editions that may go on, and all that are claimed. */
export async function owedBatches(db: Db, now: Date, limit: number): Promise<OwedBatch[]> {
  const due = and(
    eq(batches.state, 'planned'),
    or(isNull(batches.nextAttemptAt), sql`${batches.nextAttemptAt} <= ${now.getTime()}`),
  )
  return db
    .select({
      id: batches.id,
      state: batches.state,
      claimedBy: batches.claimedBy,
      claimedAt: batches.claimedAt,
    })
    .from(batches)
    .innerJoin(editions, eq(editions.id, batches.editionId))
    .where(
      and(
        inArray(batches.state, UNFINISHED),
        eq(editions.state, 'submitting'),
        isNull(editions.pausedAt),
        or(due, eq(batches.state, 'submitting')),
      ),
    )
    .orderBy(asc(batches.id))
    .limit(limit)
    .all()
}

/**
 * Takes the batch for `by`, if it is planned, or claimed under a lease that has run out or by `gone` (a holder known to
 * be dead). Null: someone else has it, it is done, its edition may not go on, or mail of an earlier edition may still be
 * on its way to the same readers. The update is the guard; of two claimers one wins.
 */
export async function claimBatch(
  db: Db,
  id: number,
  by: string,
  now: Date,
  gone?: string | null,
): Promise<Batch | null> {
  const stale = or(
    lt(batches.claimedAt, now.getTime() - CLAIM_LEASE_MS),
    gone ? eq(batches.claimedBy, gone) : undefined,
  )
  const free = or(eq(batches.state, 'planned'), and(eq(batches.state, 'submitting'), stale))
  const mayGoOn = sql`exists (select 1 from editions e where e.id = ${batches.editionId} and e.state = 'submitting' and e.paused_at is null)`
  const earlierInDoubt = sql`exists (select 1 from batches o where o.state in ('planned','submitting')
    and o.edition_id < ${batches.editionId} and o.first_attempt_at is not null)`
  const claim = {
    state: 'submitting' as const,
    claimedBy: by,
    claimedAt: now.getTime(),
    attempts: sql`${batches.attempts} + 1`,
  }
  const row = unsynced(db, () =>
    db
      .update(batches)
      .set(claim)
      .where(and(eq(batches.id, id), free, mayGoOn, sql`not ${earlierInDoubt}`))
      .returning()
      .get(),
  )
  return row ?? null
}

/** The batch, or null. */
export async function findBatch(db: Db, id: number): Promise<Batch | null> {
  return db.select().from(batches).where(eq(batches.id, id)).get() ?? null
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
 * key. False when the claim was lost meanwhile: then nothing was written.
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
          firstAttemptAt: now.getTime(),
          size: freeze.frozen.length,
        })
        .where(and(heldBy(batch), isNull(batches.firstAttemptAt)))
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
      if (tx.update(batches).set(done).where(heldBy(batch)).run().changes === 0) return false
      endDeliveries(db, 'excluded', ended.excluded)
      endDeliveries(db, 'failed', ended.failed)
      return true
    },
    { behavior: 'immediate' },
  )
}

/**
 * Gives a claimed batch back after an attempt that did not end in acceptance.
 * `refused`: the provider surely took nothing, so, unless an earlier attempt is in doubt, the content thaws and the next
 * attempt looks afresh. In a cancelled edition there is no next attempt. Does nothing when the claim was lost.
 */
export async function releaseBatch(
  db: Db,
  batch: Batch,
  how: { refused: boolean; nextAttemptAt: Date | null; reason: string },
): Promise<void> {
  db.transaction(
    (tx) => {
      const thaws = how.refused && batch.firstAttemptAt === null
      const change = {
        state: 'planned' as const,
        claimedBy: null,
        claimedAt: null,
        reason: how.reason,
        nextAttemptAt: how.nextAttemptAt?.getTime() ?? null,
        ...(thaws ? { firstAttemptAt: null } : {}),
        ...(how.refused ? { attempts: batch.attempts - 1 } : {}), // being told to wait uses no attempt
      }
      if (tx.update(batches).set(change).where(heldBy(batch)).run().changes === 0) return
      const edition = tx
        .select({ state: editions.state })
        .from(editions)
        .where(eq(editions.id, batch.editionId))
        .get()
      if (edition?.state === 'cancelled') cancelBatches(db, eq(batches.id, batch.id), 'cancelled')
    },
    { behavior: 'immediate' },
  )
}

/** Ends a batch whose outcome nobody can know any more: its deliveries become `unknown`, for a report or an operator to resolve. */
export async function markUnknown(db: Db, id: number, reason: string): Promise<boolean> {
  return db.transaction(
    (tx) => {
      const unfinished = and(eq(batches.id, id), inArray(batches.state, UNFINISHED))
      if (
        tx.update(batches).set({ state: 'unknown', reason, claimedBy: null }).where(unfinished).run()
          .changes === 0
      )
        return false
      settleProven(db, sql`${id}`)
      const waiting = and(eq(deliveries.batchId, id), eq(deliveries.state, 'waiting'))
      tx.update(deliveries).set({ state: 'unknown', reason, frozen: null }).where(waiting).run()
      return true
    },
    { behavior: 'immediate' },
  )
}

/** Batches that nobody holds and whose key has outlived the provider's memory. */
export async function batchesInDoubtTooLong(db: Db, now: Date): Promise<number[]> {
  const rows = db
    .select({ id: batches.id })
    .from(batches)
    .where(
      and(
        inArray(batches.state, UNFINISHED),
        lt(batches.firstAttemptAt, now.getTime() - KEY_TRUST_MS),
        noLiveClaim(now),
      ),
    )
  return rows.all().map((row) => row.id)
}

/** Ends what a killed process held of an edition that was cancelled meanwhile; nobody else would come back to it. */
export async function endAbandonedBatches(db: Db, now: Date): Promise<void> {
  const cancelled = sql`${batches.editionId} in (select id from editions where state = 'cancelled')`
  const abandoned = and(
    eq(batches.state, 'submitting'),
    lt(batches.claimedAt, now.getTime() - CLAIM_LEASE_MS),
    cancelled,
  )
  db.transaction(
    (tx) => {
      if (tx.update(batches).set({ state: 'planned', claimedBy: null }).where(abandoned).run().changes > 0)
        cancelBatches(db, cancelled, 'cancelled')
    },
    { behavior: 'immediate' },
  )
}

/** Inside a transaction: ends the unfinished batches that nobody holds; in doubt = `unknown`, never attempted = excluded. */
export function cancelBatches(db: Db, which: SQL, reason: 'cancelled' | 'superseded'): void {
  const planned = and(which, eq(batches.state, 'planned'))
  const ofPlanned = (more: SQL) =>
    sql`${deliveries.batchId} in (select id from batches where ${and(planned, more)})`
  const waiting = eq(deliveries.state, 'waiting')
  const inDoubt = `${reason} while an answer of the provider was missing`
  settleProven(db, sql`select id from batches where ${planned}`)
  db.update(deliveries)
    .set({ state: 'unknown', reason: inDoubt, frozen: null })
    .where(and(waiting, ofPlanned(isNotNull(batches.firstAttemptAt))))
    .run()
  db.update(deliveries)
    .set({ state: 'excluded', reason, frozen: null })
    .where(and(waiting, ofPlanned(isNull(batches.firstAttemptAt))))
    .run()
  db.update(batches)
    .set({ state: 'unknown', reason: inDoubt })
    .where(and(planned, isNotNull(batches.firstAttemptAt)))
    .run()
  db.update(batches).set({ state: 'cancelled', reason }).where(planned).run()
}

/** Ends the rest of every edition before `editionId`: its news goes out with the new one instead. */
export async function supersedeBefore(db: Db, editionId: string): Promise<void> {
  db.transaction(
    (tx) => {
      cancelBatches(db, lt(batches.editionId, editionId), 'superseded')
      const halfPlanned = and(lt(editions.id, editionId), eq(editions.state, 'planning'))
      tx.update(editions)
        .set({ state: 'cancelled', pauseReason: `superseded by ${editionId}` })
        .where(halfPlanned)
        .run()
    },
    { behavior: 'immediate' },
  )
}

function heldBy(batch: Batch): SQL | undefined {
  return and(
    eq(batches.id, batch.id),
    eq(batches.state, 'submitting'),
    eq(batches.claimedBy, batch.claimedBy ?? ''),
  )
}

function noLiveClaim(now: Date): SQL | undefined {
  return or(ne(batches.state, 'submitting'), lt(batches.claimedAt, now.getTime() - CLAIM_LEASE_MS))
}

function endDeliveries(
  db: Db,
  state: 'excluded' | 'failed',
  ended: readonly { id: number; reason: string }[],
): void {
  const write = statement(db, 'update deliveries set state = ?, reason = ?, frozen = null where id = ?')
  for (const { id, reason } of ended) write.run(state, reason, id)
}
