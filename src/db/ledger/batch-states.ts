import { failpoint, guardOn } from '../../failpoint.ts'
import { and, eq, inArray, isNotNull, isNull, lt, or, type SQL, sql } from '../drizzle.ts'
import { insertFrom, rowsIn, whole, words } from '../fragments.ts'
import { NOT_HELD } from '../restore/facts.ts'
import { batches, editions, unfinished } from '../schema/ledger.ts'
import { prepared, type Queries, type Store } from '../store.ts'
import {
  type Batch,
  type Claim,
  claimable,
  freezesOnce,
  leaseEnd,
  otherEmailOpen,
  stillClaimed,
} from './batches.ts'
import { type Checked, isStillSo } from './deliveries.ts'
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
export type Freeze = Ended &
  FrozenContents & { frozen: { id: number; frozen: string }[]; bodyHash: string; checked: Checked }

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
 * Claims a batch whose content is frozen already, or is too old to be tried again. Null: someone else has it, it is done,
 * its edition may not go on, the installation is held, or an email of another edition may be on its way to one of the same
 * readers. The update is the guard; of two claimers one wins.
 */
export async function claimBatch(store: Store, id: number, claim: Claim): Promise<Batch | null> {
  const batch = await store.write((tx) => claiming(tx).get(valuesOf(id, claim)), { durable: false })
  return batch ?? null
}

/**
 * Claims a batch for its first attempt and freezes its content, so that every later attempt sends the same bytes, and
 * starts the clock of its key: from now on it is in doubt. Returns the batch with the `firstAttemptAt` of an attempt
 * before, which `returnBatch` must know. Null when `claimBatch` would say so, or when it is frozen;
 * `changed` when the last checks would not read the same now. Then nothing was written.
 */
export async function freezeBatch(
  store: Store,
  { id, firstAttemptAt }: Pick<Batch, 'id' | 'firstAttemptAt'>,
  claim: Claim,
  freeze: Freeze,
): Promise<Batch | 'changed' | null> {
  return store.write(async (tx) => {
    if (!(await isStillSo(tx, id, freeze.checked))) return 'changed'
    const { templateHash, offersHash, bodyHash, frozen } = freeze
    const content = { templateHash, offersHash, bodyHash, size: frozen.length }
    const batch = await freezing(tx).get({ ...valuesOf(id, claim), ...content })
    if (!batch) return null
    if (!guardOn('whole-freeze')) for (const cut of ['commit', 'begin']) await tx.run(sql.raw(cut))
    await keepContents(tx, freeze)
    await endChecked(tx, freeze)
    await freezeWaiting(tx, frozen)
    failpoint('before-freeze')
    return { ...batch, firstAttemptAt }
  })
}

/** Ends a batch in which the last checks left no one to email. Null or `changed` when `freezeBatch` would be. */
export async function closeEmptyBatch(
  store: Store,
  id: number,
  claim: Claim,
  ended: Ended & { checked: Checked },
): Promise<'closed' | 'changed' | null> {
  return store.write(async (tx) => {
    if (!(await isStillSo(tx, id, ended.checked))) return 'changed'
    if ((await closing(tx).run(valuesOf(id, claim))).changes === 0) return null
    await endChecked(tx, ended)
    failpoint('before-close')
    return 'closed'
  })
}

const valuesOf = (id: number, { by, at, gone }: Claim) => ({
  ...{ id, by, gone },
  ...{ at: at.getTime(), leaseEnd: leaseEnd(at) },
})

const given = (name: string): SQL => sql`${sql.placeholder(name)}`

const claimedNow = () => ({
  state: 'submitting' as const,
  claimedBy: given('by'),
  claimedAt: given('at'),
  attempts: sql`${batches.attempts} + 1`,
})

const claimableNow = (): SQL | undefined => {
  const free = { leaseEnd: sql.placeholder('leaseEnd'), gone: sql.placeholder('gone') }
  return and(
    eq(batches.id, sql.placeholder('id')),
    guardOn('claim') ? claimable(batches, free) : undefined,
    sql`exists (select 1 from editions e where e.id = ${batches.editionId} and e.state = 'submitting' and e.paused_at is null)`,
    sql`not ${otherEmailOpen(sql.placeholder('leaseEnd'))}`,
    NOT_HELD,
  )
}

const notFrozen = (): SQL | undefined =>
  freezesOnce() ? or(isNull(batches.firstAttemptAt), isNull(batches.bodyHash)) : undefined

const claiming = prepared((tx) =>
  tx.update(batches).set(claimedNow()).where(claimableNow()).returning().prepare(),
)

const freezing = prepared((tx) =>
  tx
    .update(batches)
    .set({
      ...claimedNow(),
      ...{ templateHash: given('templateHash'), offersHash: given('offersHash') },
      ...{ bodyHash: given('bodyHash'), size: given('size') },
      // A batch from a restored copy may have been submitted at any time since the copy was taken.
      firstAttemptAt: sql`coalesce(${batches.firstAttemptAt}, ${sql.placeholder('at')})`,
    })
    .where(and(claimableNow(), notFrozen()))
    .returning()
    .prepare(),
)

const closing = prepared((tx) =>
  tx
    .update(batches)
    .set({ state: 'submitted', submittedAt: given('at'), size: 0, claimedBy: null })
    .where(and(claimableNow(), notFrozen()))
    .prepare(),
)

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
      const ended = await recording(tx).run({ id: batch.id, at: now.getTime() })
      if (ended.changes === 0) return false
      await recordReceipts(tx, batch.editionId, receipts)
      failpoint('before-record')
      return true
    },
    { durable: false },
  )
}

const recording = prepared((tx) =>
  tx
    .update(batches)
    .set({ state: 'submitted', submittedAt: given('at'), reason: null, claimedBy: null })
    .where(
      and(
        eq(batches.id, sql.placeholder('id')),
        inArray(batches.state, ['planned', 'submitting', 'unknown']),
      ),
    )
    .prepare(),
)

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
