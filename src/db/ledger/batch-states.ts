import { failpoint, guardOn } from '../../failpoint.ts'
import { and, eq, gte, inArray, isNotNull, isNull, lt, or, type SQL, sql } from '../drizzle.ts'
import { insertFrom, rowsIn, whole, words } from '../fragments.ts'
import { NOT_HELD } from '../restore/facts.ts'
import { batches, editions, unfinished } from '../schema/ledger.ts'
import type { Queries, Store } from '../store.ts'
import { type Batch, claimable, leaseEnd, otherEmailOpen, stillClaimed } from './batches.ts'
import {
  type Ended,
  endChecked,
  excludeWaiting,
  freezeWaiting,
  loseWaiting,
  type Receipt,
  recordReceipts,
  settleProven,
} from './delivery-states.ts'
import { type FrozenContents, keepContents } from './frozen-contents.ts'

// Every transition of a batch; README.md has them in one table. Nothing else writes `batches.state`.

/** What freezing writes: everything that the bytes of the request are made from, and their hash. */
export type Freeze = Ended & FrozenContents & { frozen: { id: number; frozen: string }[]; bodyHash: string }

/** Which batches are added; `installation` is this one's id (`installationId`). */
export type NewBatches = Pick<Batch, 'editionId' | 'generation' | 'again'> & { installation: string }

/** Inside a transaction: adds a batch of one generation for each of these, as `planned`, after the number `last`. */
export async function addBatches<Member>(
  tx: Queries,
  { editionId, generation, again, installation }: NewBatches,
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
    ...{ editionId, generation, again, state: 'planned' as const },
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

/**
 * Takes the batch for `by`, if it is planned, or claimed under a lease that has run out or by `gone` (a claim owner known
 * to be dead). Null: someone else has it, it is done, its edition may not go on, the installation is held, or an email of
 * another edition may be on its way to one of the same readers. The update is the guard; of two claimers one wins.
 */
export async function claimBatch(
  store: Store,
  id: number,
  by: string,
  now: Date,
  gone?: string | null,
): Promise<Batch | null> {
  const free = guardOn('claim') ? claimable(batches, now, gone) : undefined
  const mayGoOn = sql`exists (select 1 from editions e where e.id = ${batches.editionId} and e.state = 'submitting' and e.paused_at is null)`
  const claim = {
    state: 'submitting' as const,
    claimedBy: by,
    claimedAt: now.getTime(),
    attempts: sql`${batches.attempts} + 1`,
    ...(!guardOn('frozen-content') && { firstAttemptAt: null }),
  }
  const claimableNow = and(eq(batches.id, id), free, mayGoOn, sql`not ${otherEmailOpen(now)}`, NOT_HELD)
  const row = await store.write((tx) => tx.update(batches).set(claim).where(claimableNow).returning().get(), {
    durable: false,
  })
  return row ?? null
}

/**
 * Freezes the content of a claimed batch, so that every later attempt sends the same bytes, and starts the clock of its
 * key: from now on it is in doubt. False when the claim was lost meanwhile or its lease has run out, as another email may
 * have gone to the same readers since: then nothing was written.
 */
export async function freezeBatch(store: Store, batch: Batch, freeze: Freeze, now: Date): Promise<boolean> {
  return store.write(async (tx) => {
    const { templateHash, offersHash, bodyHash } = freeze
    const change = await tx
      .update(batches)
      .set({
        templateHash,
        offersHash,
        bodyHash,
        // A batch from a restored copy may have been submitted at any time since the copy was taken.
        firstAttemptAt: batch.firstAttemptAt ?? now.getTime(),
        size: freeze.frozen.length,
      })
      .where(
        and(
          stillClaimed(batches, batch),
          gte(batches.claimedAt, leaseEnd(now)),
          or(isNull(batches.firstAttemptAt), isNull(batches.bodyHash)),
        ),
      )
      .run()
    if (change.changes === 0) return false
    if (!guardOn('whole-freeze')) for (const cut of ['commit', 'begin']) await tx.run(sql.raw(cut))
    await keepContents(tx, freeze)
    await endChecked(tx, freeze)
    await freezeWaiting(tx, freeze.frozen)
    failpoint('before-freeze')
    return true
  })
}

/** Ends a claimed batch that has no one left to email. False when the claim was lost. */
export async function closeEmptyBatch(store: Store, batch: Batch, ended: Ended, now: Date): Promise<boolean> {
  return store.write(async (tx) => {
    const done = { state: 'submitted' as const, submittedAt: now.getTime(), size: 0, claimedBy: null }
    if ((await tx.update(batches).set(done).where(stillClaimed(batches, batch)).run()).changes === 0)
      return false
    await endChecked(tx, ended)
    failpoint('before-close')
    return true
  })
}

/**
 * Records what the provider answered for a whole batch: deliveries become `submitted` or `failed`, readers of the
 * submitted ones have now seen the edition. False when the batch had ended already (a second claimer was faster, with
 * the same answer): then nothing was written.
 */
export async function recordSubmission(
  store: Store,
  batch: Batch,
  receipts: readonly Receipt[],
  now: Date,
): Promise<boolean> {
  return store.write(
    async (tx) => {
      const open = and(eq(batches.id, batch.id), inArray(batches.state, ['planned', 'submitting', 'unknown']))
      const done = { state: 'submitted' as const, submittedAt: now.getTime(), reason: null, claimedBy: null }
      if ((await tx.update(batches).set(done).where(open).run()).changes === 0) return false
      await recordReceipts(tx, batch.editionId, receipts)
      failpoint('before-record')
      return true
    },
    { durable: false },
  )
}

/**
 * Gives a claimed batch back after an attempt that did not end in acceptance. `refused`: the provider surely took
 * nothing, so, unless an earlier attempt is in doubt, what was frozen is forgotten and the next attempt looks afresh. In a
 * cancelled edition there is no next attempt. Does nothing when the claim was lost.
 */
export async function returnBatch(
  store: Store,
  batch: Batch,
  how: { refused: boolean; nextAttemptAt: Date | null; reason: string },
): Promise<void> {
  await store.write(async (tx) => {
    const forget = how.refused && batch.firstAttemptAt === null
    const change = {
      state: 'planned' as const,
      claimedBy: null,
      claimedAt: null,
      reason: how.reason,
      nextAttemptAt: how.nextAttemptAt?.getTime() ?? null,
      ...(forget ? { firstAttemptAt: null } : {}),
      ...(how.refused ? { attempts: batch.attempts - 1 } : {}), // a refusal that asks us to wait uses no attempt
    }
    if ((await tx.update(batches).set(change).where(stillClaimed(batches, batch)).run()).changes === 0) return
    failpoint('before-release')
    const edition = await tx
      .select({ state: editions.state })
      .from(editions)
      .where(eq(editions.id, batch.editionId))
      .get()
    if (edition?.state === 'cancelled') await cancelPlanned(tx, eq(batches.id, batch.id), 'cancelled')
  })
  failpoint('after-release')
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
