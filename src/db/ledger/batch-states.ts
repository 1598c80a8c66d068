import { failpoint } from '../../failpoint.ts'
import { and, eq, inArray, isNotNull, isNull, lt, ne, or, type SQL, sql } from '../drizzle.ts'
import type { Db } from '../open.ts'
import { batches, deliveries, editions } from '../schema.ts'
import { type Batch, CLAIM_LEASE_MS, KEY_TRUST_MS, stillClaimed, UNFINISHED } from './batches.ts'
import { settleProven } from './delivery-states.ts'

/**
 * Gives a claimed batch back after an attempt that did not end in acceptance.
 * `refused`: the provider surely took nothing, so, unless an earlier attempt is in doubt, the content thaws and the next
 * attempt looks afresh. In a cancelled edition there is no next attempt. Does nothing when the claim was lost.
 */
export async function returnBatch(
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
      if (tx.update(batches).set(change).where(stillClaimed(batch)).run().changes === 0) return
      failpoint('before-release')
      const edition = tx
        .select({ state: editions.state })
        .from(editions)
        .where(eq(editions.id, batch.editionId))
        .get()
      if (edition?.state === 'cancelled') cancelBatches(db, eq(batches.id, batch.id), 'cancelled')
    },
    { behavior: 'immediate' },
  )
  failpoint('after-release')
}

/** Ends a batch whose outcome nobody can know any more: its deliveries become `unknown`, for a report or an operator to resolve. */
export async function markUnknown(db: Db, id: number, reason: string): Promise<boolean> {
  const ended = db.transaction(
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
      failpoint('before-unknown')
      return true
    },
    { behavior: 'immediate' },
  )
  failpoint('after-unknown')
  return ended
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

/**
 * Ends what was never attempted of every edition before `editionId`: its news goes out with the new one instead. What is
 * in doubt stays, to be settled under its key: the new edition waits for that, reader by reader.
 */
export async function supersedeBefore(db: Db, editionId: string): Promise<void> {
  db.transaction(
    (tx) => {
      const untried = sql`${batches.editionId} < ${editionId} and ${batches.firstAttemptAt} is null`
      cancelBatches(db, untried, 'superseded')
      const halfPlanned = and(lt(editions.id, editionId), eq(editions.state, 'planning'))
      tx.update(editions)
        .set({ state: 'cancelled', pauseReason: `superseded by ${editionId}` })
        .where(halfPlanned)
        .run()
    },
    { behavior: 'immediate' },
  )
}

function noLiveClaim(now: Date): SQL | undefined {
  return or(ne(batches.state, 'submitting'), lt(batches.claimedAt, now.getTime() - CLAIM_LEASE_MS))
}
