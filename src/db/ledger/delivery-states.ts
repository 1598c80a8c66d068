import type { Exclusion } from '../../core/audience/exclusion.ts'
import { and, eq, inArray, isNotNull, isNull, notInArray, or, type SQL, sql } from '../drizzle.ts'
import { type Db, statement } from '../open.ts'
import { markSeen, surelyCovered } from '../people/seen-marks.ts'
import { batches, deliveries, unfinished } from '../schema/ledger.ts'

// Every transition of a delivery; README.md has them in one table. Nothing else writes `deliveries.state`. All of it runs
// inside a transaction, mostly one of batch-states.ts.

/** What the provider said of one delivery, and the topics that its email covered (null = every topic). */
export type Receipt = { deliveryId: number; covered: number[] | null } & (
  | { id: string }
  | { refused: string }
)

/** Whom the last checks left out, and for whom no email can be made, each with the reason. */
export type Ended = {
  excluded: readonly { id: number; reason: Exclusion }[]
  failed: readonly { id: number; reason: string }[]
}

type NewDelivery = { subscriberId: number; seenThrough: number } & (
  | { state: 'waiting'; batchId: number }
  | { state: 'excluded'; reason: Exclusion }
)

/** Adds deliveries of one generation; what is excluded is in no batch. */
export function deliveryAdder(
  db: Db,
  editionId: string,
  generation: number,
): (delivery: NewDelivery) => void {
  const add = db.$client.prepare(
    'insert into deliveries (edition_id, subscriber_id, generation, batch_id, state, reason, seen_through) values (?, ?, ?, ?, ?, ?, ?)',
  )
  return (row) => {
    const [batchId, reason] = row.state === 'waiting' ? [row.batchId, null] : [null, row.reason]
    add.run(editionId, row.subscriberId, generation, batchId, row.state, reason, row.seenThrough)
  }
}

/** Keeps the reader as each email was made for them; state stays `waiting`. */
export function freezeWaiting(db: Db, frozen: readonly { id: number; frozen: string }[]): void {
  const write = statement(db, "update deliveries set frozen = ? where id = ? and state = 'waiting'")
  for (const one of frozen) write.run(one.frozen, one.id)
}

/** `waiting` → `excluded` or `failed`, by the last checks of a claimed batch. */
export function endChecked(db: Db, { excluded, failed }: Ended): void {
  const end = statement(
    db,
    "update deliveries set state = ?, reason = ?, frozen = null where id = ? and state = 'waiting'",
  )
  for (const { id, reason } of excluded) end.run('excluded', reason, id)
  for (const { id, reason } of failed) end.run('failed', reason, id)
}

/** `waiting` or `unknown` → `submitted` or `failed`, as the provider answered. Moves the seen marks of the submitted ones. */
export function recordReceipts(db: Db, editionId: string, receipts: readonly Receipt[]): void {
  const write = statement(
    db,
    // Of someone who was erased meanwhile nothing is kept that leads to them.
    `update deliveries set state = ?, reason = iif(subscriber_id is null, null, ?),
       provider_id = iif(subscriber_id is null, null, ?), frozen = null
     where id = ? returning subscriber_id`,
  )
  const seen = new Map<number, number[] | null>()
  for (const receipt of receipts) {
    const accepted = 'id' in receipt
    const values = accepted ? ['submitted', null, receipt.id] : ['failed', receipt.refused, null]
    const row = write.get(...values, receipt.deliveryId) as { subscriber_id: number | null } | undefined
    if (accepted && row?.subscriber_id) seen.set(row.subscriber_id, receipt.covered)
  }
  markSeen(db, editionId, seen)
}

/**
 * `waiting` → `submitted`, where a report of the provider has already proved that it accepted them, in batches that end
 * without an answer. `batchIds` selects the ids of those.
 */
export function settleProven(db: Db, batchIds: SQL): void {
  const proven = and(waitingIn(batchIds), isNotNull(deliveries.providerId))
  for (const delivery of db.select().from(deliveries).where(proven).all()) {
    const { covered = null } = JSON.parse(delivery.frozen ?? '{}') as { covered?: number[] | null }
    accept(db, delivery, covered)
  }
}

/** `unknown` → `submitted`: a report says that it was accepted. False when it was not unknown. */
export function acceptUnknown(db: Db, delivery: typeof deliveries.$inferSelect): boolean {
  const { state, subscriberId } = delivery
  if (state !== 'unknown') return false
  accept(db, delivery, subscriberId === null ? null : surelyCovered(db, subscriberId))
  return true
}

function accept(
  db: Db,
  { id, editionId, subscriberId }: typeof deliveries.$inferSelect,
  covered: number[] | null,
): void {
  // Of someone who was erased nothing is kept that leads to them.
  const erased = subscriberId === null && { providerId: null }
  db.update(deliveries)
    .set({ state: 'submitted', reason: null, frozen: null, ...erased })
    .where(eq(deliveries.id, id))
    .run()
  if (subscriberId !== null) markSeen(db, editionId, new Map([[subscriberId, covered]]))
}

/**
 * Notes Resend's id of a delivery that has none, which proves that it was accepted. While its batch is being submitted the
 * state stays: a retry must send the same bytes, so it must find the same deliveries waiting.
 */
export function proveAccepted(db: Db, id: number, providerId: string | null): void {
  const unproven = and(
    eq(deliveries.id, id),
    isNull(deliveries.providerId),
    inArray(deliveries.state, ['waiting', 'unknown']),
  )
  db.update(deliveries).set({ providerId }).where(unproven).run()
}

/** `waiting` → `unknown`, in batches that end without an answer; returns how many. */
export function loseWaiting(db: Db, batchIds: SQL, reason: string): number {
  return db
    .update(deliveries)
    .set({ state: 'unknown', reason, frozen: null })
    .where(waitingIn(batchIds))
    .run().changes
}

/** `waiting` → `excluded`, in batches that end before their first attempt. */
export function excludeWaiting(db: Db, batchIds: SQL, reason: 'cancelled' | 'superseded'): void {
  db.update(deliveries).set({ state: 'excluded', reason, frozen: null }).where(waitingIn(batchIds)).run()
}

/**
 * `waiting` → `excluded` for someone who is being erased, where no attempt was made. What was frozen of them is forgotten,
 * save where a retry must send the same bytes.
 */
export function detachDeliveries(tx: Pick<Db, 'select' | 'update'>, subscriberId: number): void {
  const own = eq(deliveries.subscriberId, subscriberId)
  const attempted = isNotNull(batches.firstAttemptAt)
  const batchesWhere = (condition: SQL | undefined) =>
    tx.select({ id: batches.id }).from(batches).where(condition)
  const outside = (condition: SQL | undefined) =>
    or(isNull(deliveries.batchId), notInArray(deliveries.batchId, batchesWhere(condition)))
  tx.update(deliveries)
    .set({ state: 'excluded', reason: 'erased', frozen: null })
    .where(and(own, eq(deliveries.state, 'waiting'), outside(attempted)))
    .run()
  tx.update(deliveries)
    .set({ frozen: null })
    .where(and(own, outside(and(attempted, unfinished(batches)))))
    .run()
}

const waitingIn = (batchIds: SQL): SQL | undefined =>
  and(sql`${deliveries.batchId} in (${batchIds})`, eq(deliveries.state, 'waiting'))
