import type { Exclusion } from '../../core/audience/exclusion.ts'
import { and, eq, inArray, isNotNull, isNull, notInArray, or, type SQL, sql } from '../drizzle.ts'
import { idsIn, insertFrom, rowsIn, whole, words } from '../fragments.ts'
import { markSeen, surelyCovered } from '../people/seen-marks.ts'
import { batches, deliveries, unfinished } from '../schema/ledger.ts'
import { prepared, type Queries } from '../store.ts'
import { tallied, tallyAdded } from './tally.ts'

// Every transition of a delivery; README.md has them in one table. Nothing else writes `deliveries.state`. All of it runs
// inside a transaction, mostly one of batch-states.ts, and moves the tally with the deliveries.

/** What the provider said of one delivery, and the topics that its email covered (null = every topic). */
export type Receipt = { deliveryId: number; covered: number[] | null } & (
  | { id: string }
  | { refused: string }
)

/** Readers that the last checks left out, and readers for whom no email can be made, each with the reason. */
export type Ended = {
  excluded: readonly { id: number; reason: Exclusion }[]
  failed: readonly { id: number; reason: string }[]
}

type NewDelivery = {
  subscriberId: number
  seenThrough: number
  state: 'waiting' | 'excluded'
  /** Of an exclusion. */
  reason: Exclusion | null
  /** What is excluded is in no batch. */
  batchId: number | null
}

/** Adds deliveries of one generation. */
export async function addDeliveries(
  tx: Queries,
  { editionId, generation }: { editionId: string; generation: number },
  added: readonly NewDelivery[],
): Promise<void> {
  const values = {
    ...{ editionId, generation, subscriberId: whole('subscriberId'), batchId: whole('batchId') },
    ...{ state: words('state'), reason: words('reason'), seenThrough: whole('seenThrough') },
  }
  await tx.run(insertFrom(deliveries, values, rowsIn(tx, added)))
  await tallyAdded(tx, { editionId, generation }, added)
}

const isThisRow = and(eq(deliveries.id, whole('id')), eq(deliveries.state, 'waiting'))

/** Keeps the reader as each email was made for them; state stays `waiting`. */
export async function freezeWaiting(
  tx: Queries,
  frozen: readonly { id: number; frozen: string; shown: string }[],
): Promise<void> {
  await freezing(tx).run({ rows: JSON.stringify(frozen) })
}

const freezing = prepared((tx) =>
  tx
    .update(deliveries)
    .set({ frozen: words('frozen'), shown: words('shown') })
    .from(rowsIn(tx, sql.placeholder('rows')))
    .where(isThisRow)
    .prepare(),
)

/** `waiting` → `excluded` or `failed`, by the last checks of a claimed batch. */
export async function endChecked(tx: Queries, { excluded, failed }: Ended): Promise<void> {
  const ended = [
    ...excluded.map((one) => ({ ...one, state: 'excluded' })),
    ...failed.map((one) => ({ ...one, state: 'failed' })),
  ]
  if (ended.length === 0) return
  const end = { state: words('state'), reason: words('reason'), frozen: null }
  const these = isOneOf(
    tx,
    ended.map(({ id }) => id),
  )
  await tallied(tx, these, () =>
    tx.update(deliveries).set(end).from(rowsIn(tx, ended)).where(isThisRow).run(),
  )
}

/** `waiting` or `unknown` → `submitted` or `failed`, as the provider answered. Moves the seen marks of the submitted ones. */
export async function recordReceipts(
  tx: Queries,
  editionId: string,
  receipts: readonly Receipt[],
): Promise<void> {
  const rows = receipts.map((receipt) =>
    'id' in receipt
      ? { id: receipt.deliveryId, state: 'submitted', providerId: receipt.id }
      : { id: receipt.deliveryId, state: 'failed', reason: receipt.refused },
  )
  const these = isOneOf(
    tx,
    rows.map(({ id }) => id),
  )
  const recorded = await tallied(tx, these, () => recording(tx).all({ rows: JSON.stringify(rows) }))
  const readerOf = new Map(recorded.map(({ id, subscriberId }) => [id, subscriberId]))
  const seen = new Map<number, number[] | null>()
  for (const receipt of receipts) {
    const reader = readerOf.get(receipt.deliveryId) ?? null
    if ('id' in receipt && reader !== null) seen.set(reader, receipt.covered)
  }
  await markSeen(tx, editionId, seen)
}

const recording = prepared((tx) => {
  // For someone who was erased since, we keep nothing that leads to them.
  const unlessErased = (name: string) =>
    sql`case when ${deliveries.subscriberId} is not null then ${words(name)} end`
  return tx
    .update(deliveries)
    .set({
      ...{ state: words('state'), reason: unlessErased('reason') },
      ...{ providerId: unlessErased('providerId'), frozen: null },
    })
    .from(rowsIn(tx, sql.placeholder('rows')))
    .where(eq(deliveries.id, whole('id')))
    .returning({ id: deliveries.id, subscriberId: deliveries.subscriberId })
    .prepare()
})

/**
 * `waiting` → `submitted`, where a report of the provider has already proved that it accepted them, in batches that end
 * without an answer. `batchIds` selects the ids of those.
 */
export async function settleProven(tx: Queries, batchIds: SQL): Promise<void> {
  const proven = and(waitingIn(batchIds), isNotNull(deliveries.providerId))
  for (const delivery of await tx.select().from(deliveries).where(proven).all()) {
    const { covered = null } = JSON.parse(delivery.frozen ?? '{}') as { covered?: number[] | null }
    await accept(tx, delivery, covered)
  }
}

/** `unknown` → `submitted`: a report says that it was accepted. False when it was not unknown. */
export async function acceptUnknown(tx: Queries, delivery: typeof deliveries.$inferSelect): Promise<boolean> {
  const { state, subscriberId } = delivery
  if (state !== 'unknown') return false
  await accept(tx, delivery, subscriberId === null ? null : await surelyCovered(tx, subscriberId))
  return true
}

async function accept(
  tx: Queries,
  { id, editionId, subscriberId }: typeof deliveries.$inferSelect,
  covered: number[] | null,
): Promise<void> {
  // For someone who was erased, we keep nothing that leads to them.
  const erased = subscriberId === null && { providerId: null }
  const isThis = eq(deliveries.id, id)
  await tallied(tx, isThis, () =>
    tx
      .update(deliveries)
      .set({ state: 'submitted', reason: null, frozen: null, ...erased })
      .where(isThis)
      .run(),
  )
  if (subscriberId !== null) await markSeen(tx, editionId, new Map([[subscriberId, covered]]))
}

/**
 * Notes Resend's id of a delivery that has none, which proves that it was accepted. While its batch is being submitted the
 * state stays: a retry must send the same bytes, so it must find the same deliveries waiting.
 */
export async function proveAccepted(tx: Queries, id: number, providerId: string | null): Promise<void> {
  const unproven = and(
    eq(deliveries.id, id),
    isNull(deliveries.providerId),
    inArray(deliveries.state, ['waiting', 'unknown']),
  )
  await tx.update(deliveries).set({ providerId }).where(unproven).run()
}

/** `waiting` → `unknown`, in batches that end without an answer; returns how many. */
export async function loseWaiting(tx: Queries, batchIds: SQL, reason: string): Promise<number> {
  const lost = await tallied(tx, isIn(batchIds), () =>
    tx.update(deliveries).set({ state: 'unknown', reason, frozen: null }).where(waitingIn(batchIds)).run(),
  )
  return lost.changes
}

/** `waiting` → `excluded`, in batches that end before their first attempt. */
export async function excludeWaiting(
  tx: Queries,
  batchIds: SQL,
  reason: 'cancelled' | 'superseded',
): Promise<void> {
  await tallied(tx, isIn(batchIds), () =>
    tx.update(deliveries).set({ state: 'excluded', reason, frozen: null }).where(waitingIn(batchIds)).run(),
  )
}

/**
 * `waiting` → `excluded` for someone who is being erased, where no attempt was made. What was frozen of them is forgotten,
 * unless a retry must send the same bytes.
 */
export async function detachDeliveries(tx: Queries, subscriberId: number): Promise<void> {
  const own = eq(deliveries.subscriberId, subscriberId)
  const attempted = isNotNull(batches.firstAttemptAt)
  const batchesWhere = (condition: SQL | undefined) =>
    tx.select({ id: batches.id }).from(batches).where(condition)
  const outside = (condition: SQL | undefined) =>
    or(isNull(deliveries.batchId), notInArray(deliveries.batchId, batchesWhere(condition)))
  await tallied(tx, own, () =>
    tx
      .update(deliveries)
      .set({ state: 'excluded', reason: 'erased', frozen: null })
      .where(and(own, eq(deliveries.state, 'waiting'), outside(attempted)))
      .run(),
  )
  await tx
    .update(deliveries)
    .set({ frozen: null })
    .where(and(own, outside(and(attempted, unfinished(batches)))))
    .run()
  await tx.update(deliveries).set({ shown: null }).where(own).run() // it says which topics they follow
}

const isIn = (batchIds: SQL): SQL => sql`${deliveries.batchId} in (${batchIds})`

const waitingIn = (batchIds: SQL): SQL | undefined => and(isIn(batchIds), eq(deliveries.state, 'waiting'))

const isOneOf = (tx: Queries, ids: readonly number[]): SQL => sql`${deliveries.id} in ${idsIn(tx, ids)}`
