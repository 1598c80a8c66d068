import { failpoint, guardOn } from '../../failpoint.ts'
import { and, eq, gte, inArray, isNotNull, isNull, lt, or, type SQL, sql } from '../drizzle.ts'
import { type Db, unsynced } from '../open.ts'
import { NOT_HELD } from '../restore/facts.ts'
import { batches, editions, unfinished } from '../schema/ledger.ts'
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

/** Inside a transaction: adds batches of one generation, each as `planned`, and returns their ids. */
export function batchAdder(
  db: Db,
  { editionId, generation, again }: Pick<Batch, 'editionId' | 'generation' | 'again'>,
): (number: number) => number {
  const add = db.$client
    .prepare<unknown[], number>(
      "insert into batches (edition_id, generation, number, key, state, size, again) values (?, ?, ?, ?, 'planned', 0, ?) returning id",
    )
    .pluck()
  const key = (number: number) => `openseat/${editionId}/g${generation}/b${number}`
  return (number) => add.get(editionId, generation, number, key(number), again ? 1 : 0) as number
}

/**
 * Takes the batch for `by`, if it is planned, or claimed under a lease that has run out or by `gone` (a claim owner known
 * to be dead). Null: someone else has it, it is done, its edition may not go on, the installation is held, or an email of
 * another edition may be on its way to one of the same readers. The update is the guard; of two claimers one wins.
 */
export async function claimBatch(
  db: Db,
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
  const row = unsynced(db, () =>
    db
      .update(batches)
      .set(claim)
      .where(and(eq(batches.id, id), free, mayGoOn, sql`not ${otherEmailOpen(now)}`, NOT_HELD))
      .returning()
      .get(),
  )
  return row ?? null
}

/**
 * Freezes the content of a claimed batch, so that every later attempt sends the same bytes, and starts the clock of its
 * key: from now on it is in doubt. False when the claim was lost meanwhile or its lease has run out, as another email may
 * have gone to the same readers since: then nothing was written.
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
            stillClaimed(batches, batch),
            gte(batches.claimedAt, leaseEnd(now)),
            or(isNull(batches.firstAttemptAt), isNull(batches.bodyHash)),
          ),
        )
        .run()
      if (change.changes === 0) return false
      if (!guardOn('whole-freeze')) db.$client.exec('commit; begin immediate')
      keepContents(tx, freeze)
      endChecked(db, freeze)
      freezeWaiting(db, freeze.frozen)
      failpoint('before-freeze')
      return true
    },
    { behavior: 'immediate' },
  )
}

/** Ends a claimed batch in which nobody is left to email. False when the claim was lost. */
export async function closeEmptyBatch(db: Db, batch: Batch, ended: Ended, now: Date): Promise<boolean> {
  return db.transaction(
    (tx) => {
      const done = { state: 'submitted' as const, submittedAt: now.getTime(), size: 0, claimedBy: null }
      if (tx.update(batches).set(done).where(stillClaimed(batches, batch)).run().changes === 0) return false
      endChecked(db, ended)
      failpoint('before-close')
      return true
    },
    { behavior: 'immediate' },
  )
}

/**
 * Records what the provider answered for a whole batch: deliveries become `submitted` or `failed`, readers of the
 * submitted ones have now seen the edition. False when the batch had ended already (a second claimer was faster, with
 * the same answer): then nothing was written.
 */
export async function recordSubmission(
  db: Db,
  batch: Batch,
  receipts: readonly Receipt[],
  now: Date,
): Promise<boolean> {
  return unsynced(db, () =>
    db.transaction(
      (tx) => {
        const open = and(
          eq(batches.id, batch.id),
          inArray(batches.state, ['planned', 'submitting', 'unknown']),
        )
        const done = {
          state: 'submitted' as const,
          submittedAt: now.getTime(),
          reason: null,
          claimedBy: null,
        }
        if (tx.update(batches).set(done).where(open).run().changes === 0) return false
        recordReceipts(db, batch.editionId, receipts)
        failpoint('before-record')
        return true
      },
      { behavior: 'immediate' },
    ),
  )
}

/**
 * Gives a claimed batch back after an attempt that did not end in acceptance. `refused`: the provider surely took
 * nothing, so, unless an earlier attempt is in doubt, what was frozen is forgotten and the next attempt looks afresh. In a
 * cancelled edition there is no next attempt. Does nothing when the claim was lost.
 */
export async function returnBatch(
  db: Db,
  batch: Batch,
  how: { refused: boolean; nextAttemptAt: Date | null; reason: string },
): Promise<void> {
  db.transaction(
    (tx) => {
      const forget = how.refused && batch.firstAttemptAt === null
      const change = {
        state: 'planned' as const,
        claimedBy: null,
        claimedAt: null,
        reason: how.reason,
        nextAttemptAt: how.nextAttemptAt?.getTime() ?? null,
        ...(forget ? { firstAttemptAt: null } : {}),
        ...(how.refused ? { attempts: batch.attempts - 1 } : {}), // being told to wait uses no attempt
      }
      if (tx.update(batches).set(change).where(stillClaimed(batches, batch)).run().changes === 0) return
      failpoint('before-release')
      const edition = tx
        .select({ state: editions.state })
        .from(editions)
        .where(eq(editions.id, batch.editionId))
        .get()
      if (edition?.state === 'cancelled') cancelPlanned(db, eq(batches.id, batch.id), 'cancelled')
    },
    { behavior: 'immediate' },
  )
  failpoint('after-release')
}

/** Ends a batch whose outcome nobody can know any more. False when it had ended already. */
export async function markUnknown(db: Db, id: number, reason: string): Promise<boolean> {
  const ended = db.transaction(
    () => {
      if (loseBatches(db, eq(batches.id, id), reason).batches === 0) return false
      failpoint('before-unknown')
      return true
    },
    { behavior: 'immediate' },
  )
  failpoint('after-unknown')
  return ended
}

/**
 * Inside a transaction: ends the unfinished batches among `which` without an answer. Those of their deliveries that a
 * report has proved are `submitted`; the others become `unknown`, for a report or an operator to resolve. Returns how many
 * became `unknown`.
 */
export function loseBatches(
  db: Db,
  which: SQL | undefined,
  reason: string,
): { batches: number; deliveries: number } {
  const ending = and(which, unfinished(batches))
  const ids = sql`select id from batches where ${ending}`
  settleProven(db, ids)
  const deliveries = loseWaiting(db, ids, reason)
  const lost = db.update(batches).set({ state: 'unknown', reason, claimedBy: null }).where(ending).run()
  return { batches: lost.changes, deliveries }
}

/** Inside a transaction: ends the batches among `which` that nobody has claimed. */
export function cancelPlanned(db: Db, which: SQL | undefined, reason: 'cancelled' | 'superseded'): void {
  cancelBatches(db, and(which, eq(batches.state, 'planned')), reason)
}

/** Ends what a killed process had claimed of an edition that was cancelled meanwhile; nobody else would come back to it. */
export async function endAbandonedBatches(db: Db, now: Date): Promise<void> {
  const abandoned = and(
    eq(batches.state, 'submitting'),
    lt(batches.claimedAt, leaseEnd(now)),
    sql`${batches.editionId} in (select id from editions where state = 'cancelled')`,
  )
  db.transaction(() => cancelBatches(db, abandoned, 'cancelled'), { behavior: 'immediate' })
}

/** Inside a transaction: what is in doubt becomes `unknown`; of what was never attempted the readers are excluded. */
function cancelBatches(db: Db, which: SQL | undefined, reason: 'cancelled' | 'superseded'): void {
  const inDoubt = and(which, isNotNull(batches.firstAttemptAt))
  loseBatches(db, inDoubt, `${reason} while an answer of the provider was missing`)
  const untried = and(which, isNull(batches.firstAttemptAt))
  const ids = sql`select id from batches where ${untried}`
  settleProven(db, ids)
  excludeWaiting(db, ids, reason)
  db.update(batches).set({ state: 'cancelled', reason, claimedBy: null }).where(untried).run()
}

/** Inside a transaction: lets batches of an edition that wait for their next attempt go at once. */
export function retryAtOnce(db: Pick<Db, 'update'>, editionId: string): void {
  const planned = and(eq(batches.editionId, editionId), eq(batches.state, 'planned'))
  db.update(batches).set({ nextAttemptAt: null }).where(planned).run()
}

/** Inside a transaction: unfinished batches that were never attempted here may have been so elsewhere since `since` (ms UTC). */
export function putInDoubt(db: Db, since: number): void {
  db.update(batches)
    .set({ firstAttemptAt: since, bodyHash: null })
    .where(and(unfinished(batches), isNull(batches.firstAttemptAt)))
    .run()
}

/** Inside a transaction: an unknown batch of which no delivery is unknown any more was submitted. */
export function settleUnknown(db: Db, id: number): void {
  const stillUnknown = sql`exists (select 1 from deliveries d where d.batch_id = ${batches.id} and d.state = 'unknown')`
  db.update(batches)
    .set({ state: 'submitted', reason: null })
    .where(and(eq(batches.id, id), eq(batches.state, 'unknown'), sql`not ${stillUnknown}`))
    .run()
}
