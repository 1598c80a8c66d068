import { failpoint, guardOn } from '../../failpoint.ts'
import { and, eq, inArray, isNull, or, type SQL, sql } from '../drizzle.ts'
import { NOT_HELD } from '../restore/facts.ts'
import { batches, editions } from '../schema/ledger.ts'
import { prepared, type Store } from '../store.ts'
import { cancelPlanned } from './batch-states.ts'
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
import { type Ended, endChecked, freezeWaiting, type Receipt, recordReceipts } from './delivery-states.ts'
import { NOT_BEHIND_WAVE } from './first-wave.ts'
import { type FrozenContents, keepContents } from './frozen-contents.ts'

// The transitions of a batch from its claim to the provider's answer; batch-states.ts has the others.

/** What freezing writes: everything that the bytes of the request are made from, and their hash. */
export type Freeze = Ended &
  FrozenContents & {
    frozen: { id: number; frozen: string; shown: string }[]
    bodyHash: string
    checked: Checked
  }

/**
 * Claims a batch without freezing it: it is frozen already, too old to be tried again, or must wait because the program
 * failed on it. Null: someone else has it, it is done, its edition may not go on, the installation is held, or an email of another edition may be on its way to one of the same
 * readers. The update is the guard; of two claimers one wins.
 */
export async function claimBatch(store: Store, id: number, claim: Claim): Promise<Batch | null> {
  const batch = await store.write((tx) => claiming(tx).get(valuesOf(id, claim)), { durable: false })
  return batch ?? null
}

/**
 * Claims a batch for its first attempt and freezes its content, so that every later attempt sends the same bytes, and
 * starts the clock of its key: from now on it is in doubt. Returns the batch with its earlier `firstAttemptAt`, from which
 * `returnBatch` knows whether an earlier attempt is in doubt. Null when `claimBatch` would return null, or it is frozen
 * already; `changed` when the last checks would read something else now. Then nothing was written.
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
    sql`exists (select 1 from editions e where e.id = ${batches.editionId} and e.state = 'submitting' and e.paused_at is null
      and ${NOT_BEHIND_WAVE})`,
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
