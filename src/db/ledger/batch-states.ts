import { failpoint } from '../../failpoint.ts'
import { and, eq, isNotNull, isNull, lt, type SQL, sql } from '../drizzle.ts'
import { insertFrom, rowsIn, whole, words } from '../fragments.ts'
import { batches, unfinished } from '../schema/ledger.ts'
import type { Queries, Store } from '../store.ts'
import { type Batch, leaseEnd } from './batches.ts'
import { excludeWaiting, loseWaiting, settleProven } from './delivery-states.ts'

// The transitions of a batch before its first claim and at its end; batch-claims.ts has those in between. README.md has all of
// them in one table. Nothing else writes `batches.state`.

/** Which batches are added; `installation` is this one's id (`installationId`). */
export type NewBatches = Pick<Batch, 'editionId' | 'generation' | 'again'> & {
  installation: string
  corrects?: number | null
}

/** Inside a transaction: adds a batch of one generation for each of these, as `planned`, after the number `last`. */
export async function addBatches<Member>(
  tx: Queries,
  { editionId, generation, again, installation, corrects = null }: NewBatches,
  last: number,
  portions: readonly Member[][],
): Promise<{ id: number; members: Member[] }[]> {
  if (portions.length === 0) return []
  const numbered = portions.map((members, index) => ({ members, number: last + index + 1 }))
  const rows = numbered.map(({ members, number }) => ({
    number,
    // Staging and production may share an account at the provider, so the key names whose it is.
    key: `openseat/${installation}/${editionId}/g${generation}/b${number}`,
    size: members.length,
  }))
  const values = {
    ...{ editionId, generation, again, corrects, state: 'planned' as const },
    ...{ number: whole('number'), key: words('key'), size: whole('size') },
  }
  const insert = insertFrom(batches, values, rowsIn(tx, rows))
  const added = await tx.all<{ id: number; number: number }>(sql`${insert} returning id, number`)
  const idOf = new Map(added.map(({ id, number }) => [number, id]))
  return numbered.map(({ members, number }) => ({ members, id: idOf.get(number) ?? 0 }))
}

/** Inside a transaction: the number of its members. */
export async function resizeBatch(tx: Queries, id: number, size: number): Promise<void> {
  await tx.update(batches).set({ size }).where(eq(batches.id, id)).run()
}

/** Ends a batch whose outcome can no longer be known. False when it had ended already. */
export async function markUnknown(store: Store, id: number, reason: string): Promise<boolean> {
  const ended = await store.write(async (tx) => {
    if ((await loseBatches(tx, eq(batches.id, id), reason)).batches === 0) return false
    failpoint('before-unknown')
    return true
  })
  failpoint('after-unknown')
  return ended
}

/**
 * Inside a transaction: ends the unfinished batches among `which` without an answer. Those of their deliveries that a
 * report has proved are `submitted`; the others become `unknown`, for a report or an operator to resolve. Returns how many
 * became `unknown`.
 */
export async function loseBatches(
  tx: Queries,
  which: SQL | undefined,
  reason: string,
): Promise<{ batches: number; deliveries: number }> {
  const ending = and(which, unfinished(batches))
  const ids = sql`select id from batches where ${ending}`
  await settleProven(tx, ids)
  const deliveries = await loseWaiting(tx, ids, reason)
  const lost = await tx.update(batches).set({ state: 'unknown', reason, claimedBy: null }).where(ending).run()
  return { batches: lost.changes, deliveries }
}

/** Inside a transaction: ends the batches among `which` that are not claimed. */
export async function cancelPlanned(
  tx: Queries,
  which: SQL | undefined,
  reason: 'cancelled' | 'superseded',
): Promise<void> {
  await cancelBatches(tx, and(which, eq(batches.state, 'planned')), reason)
}

/** Ends batches that a killed process had claimed and whose edition was cancelled since. Nothing else would end them. */
export async function endAbandonedBatches(store: Store, now: Date): Promise<void> {
  const abandoned = and(
    eq(batches.state, 'submitting'),
    lt(batches.claimedAt, leaseEnd(now)),
    sql`${batches.editionId} in (select id from editions where state = 'cancelled')`,
  )
  await store.write(async (tx) => await cancelBatches(tx, abandoned, 'cancelled'))
}

/** Inside a transaction: what is in doubt becomes `unknown`; of what was never attempted the readers are excluded. */
async function cancelBatches(
  tx: Queries,
  which: SQL | undefined,
  reason: 'cancelled' | 'superseded',
): Promise<void> {
  const inDoubt = and(which, isNotNull(batches.firstAttemptAt))
  await loseBatches(tx, inDoubt, `${reason} while an answer of the provider was missing`)
  const untried = and(which, isNull(batches.firstAttemptAt))
  const ids = sql`select id from batches where ${untried}`
  await settleProven(tx, ids)
  await excludeWaiting(tx, ids, reason)
  await tx.update(batches).set({ state: 'cancelled', reason, claimedBy: null }).where(untried).run()
}

/** Inside a transaction: lets batches of an edition that wait for their next attempt go at once. */
export async function retryAtOnce(tx: Queries, editionId: string): Promise<void> {
  const planned = and(eq(batches.editionId, editionId), eq(batches.state, 'planned'))
  await tx.update(batches).set({ nextAttemptAt: null }).where(planned).run()
}

/** Inside a transaction: unfinished batches that were never attempted here may have been so elsewhere since `since` (ms UTC). */
export async function putInDoubt(tx: Queries, since: number): Promise<void> {
  await tx
    .update(batches)
    .set({ firstAttemptAt: since, bodyHash: null })
    .where(and(unfinished(batches), isNull(batches.firstAttemptAt)))
    .run()
}

/** Inside a transaction: an unknown batch of which no delivery is unknown any more was submitted. */
export async function settleUnknown(tx: Queries, id: number): Promise<void> {
  const stillUnknown = sql`exists (select 1 from deliveries d where d.batch_id = ${batches.id} and d.state = 'unknown')`
  await tx
    .update(batches)
    .set({ state: 'submitted', reason: null })
    .where(and(eq(batches.id, id), eq(batches.state, 'unknown'), sql`not ${stillUnknown}`))
    .run()
}
