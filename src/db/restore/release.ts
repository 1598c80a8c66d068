import type { Hold } from '../../core/hold.ts'
import { and, count, eq, inArray, isNull, lt, sql } from '../drizzle.ts'
import { UNFINISHED } from '../ledger/batches.ts'
import { settleProven } from '../ledger/delivery-states.ts'
import { audit } from '../ledger/editions.ts'
import type { Db } from '../open.ts'
import { batches, deliveries, editions, notices, subscribers, suppressions } from '../schema.ts'
import { skipEpochAhead } from './epoch.ts'

/** What a held database believes that it owes. Each may have been submitted by another since the copy was taken. */
export type Owed = { editions: OwedEdition[]; notices: number; activeSubscribers: number }

export type OwedEdition = {
  id: string
  /** `planning`: its audience was not wholly planned when the copy was taken. */
  state: 'planning' | 'submitting'
  paused: boolean
  recipients: number
  batches: number
}

/** How to release: what may have been submitted before `trustedSince` (ms UTC) ends as unknown, the rest goes on. */
export type Release = {
  trustedSince: number
  /** A slot that may have been mailed since the copy was taken: recorded as cancelled, so that it is not mailed again. */
  slot: { editionId: string; at: Date } | null
  note: string
  /** The epoch that was last published in Redis; null when it does not know. */
  published: number | null
}

/** What was marked. `recipients` and `notices` are now unknown; `editions` were half planned and are cancelled. */
export type Released = { epoch: number; recipients: number; notices: number; editions: string[] }

/** What this database believes that it owes, as far as it was there when the hold was noticed. */
export async function owedWhileHeld(db: Db, hold: Hold): Promise<Owed> {
  const rows = db
    .select({ id: editions.id, state: editions.state, pausedAt: editions.pausedAt })
    .from(editions)
    .where(inArray(editions.state, ['planning', 'submitting']))
    .orderBy(editions.id)
    .all()
  const owed = rows.map(({ id, state, pausedAt }): OwedEdition => {
    const mine = and(eq(batches.editionId, id), inArray(batches.state, UNFINISHED))
    const waiting = and(eq(deliveries.editionId, id), eq(deliveries.state, 'waiting'))
    return {
      id,
      state: state as OwedEdition['state'],
      paused: pausedAt !== null,
      recipients: db.select({ n: count() }).from(deliveries).where(waiting).get()?.n ?? 0,
      batches: db.select({ n: count() }).from(batches).where(mine).get()?.n ?? 0,
    }
  })
  const active = db
    .select({ n: count() })
    .from(subscribers)
    .leftJoin(suppressions, eq(suppressions.emailHash, subscribers.emailHash))
    .where(and(eq(subscribers.status, 'active'), isNull(suppressions.emailHash)))
    .get()
  return {
    editions: owed,
    notices: db.select({ n: count() }).from(notices).where(doubtfulNotices(hold)).get()?.n ?? 0,
    activeSubscribers: active?.n ?? 0,
  }
}

/** Lets a held installation go on, with all marks in one transaction. Null when it is not held (any more). */
export async function releaseHeld(db: Db, release: Release, now: Date): Promise<Released | null> {
  return db.transaction(
    (tx) => {
      const hold = holdNow(db)
      if (hold === null) return null
      const since = hold.knownThrough ?? 0
      // What was never attempted here may have been first attempted elsewhere right after the copy was taken.
      tx.update(batches)
        .set({ firstAttemptAt: since, bodyHash: null })
        .where(and(inArray(batches.state, UNFINISHED), isNull(batches.firstAttemptAt)))
        .run()
      const recipients = endBatches(db, release.trustedSince)
      const halfPlanned = since < release.trustedSince ? cancelHalfPlanned(db, now) : []
      if (release.slot) recordSlot(db, release.slot, now)
      const ended =
        since < release.trustedSince
          ? tx
              .update(notices)
              .set({ state: 'unknown', reason: REASON, body: null, claimedBy: null })
              .where(doubtfulNotices(hold))
              .run().changes
          : 0
      audit(tx, now, 'installation released', hold.reason, release.note)
      const epoch = skipEpochAhead(db, now, release.published)
      return { epoch, recipients, notices: ended, editions: halfPlanned }
    },
    { behavior: 'immediate' },
  )
}

const REASON = 'may have been submitted after the copy was taken that this database was restored from'

function holdNow(db: Db): Hold | null {
  const text = db.$client.prepare("select value from installation where name = 'held'").pluck().get()
  return text === undefined ? null : (JSON.parse(text as string) as Hold)
}

/** Ends unfinished batches whose key may be as old; those that a report has proved are submitted, the others unknown. */
function endBatches(db: Db, trustedSince: number): number {
  const doubtful = and(inArray(batches.state, UNFINISHED), lt(batches.firstAttemptAt, trustedSince))
  const ids = sql`select id from batches where ${doubtful}`
  settleProven(db, ids)
  const waiting = and(eq(deliveries.state, 'waiting'), sql`${deliveries.batchId} in (${ids})`)
  const { changes } = db
    .update(deliveries)
    .set({ state: 'unknown', reason: REASON, frozen: null })
    .where(waiting)
    .run()
  db.update(batches).set({ state: 'unknown', reason: REASON, claimedBy: null }).where(doubtful).run()
  return changes
}

function cancelHalfPlanned(db: Db, now: Date): string[] {
  const ended = {
    state: 'cancelled' as const,
    pausedAt: null,
    pauseReason: 'half planned when the copy was taken',
    finishedAt: now.getTime(),
  }
  const rows = db
    .update(editions)
    .set(ended)
    .where(eq(editions.state, 'planning'))
    .returning({ id: editions.id })
  return rows.all().map(({ id }) => id)
}

function recordSlot(db: Db, { editionId, at }: { editionId: string; at: Date }, now: Date): void {
  const row = {
    id: editionId,
    scheduledFor: at.getTime(),
    state: 'cancelled' as const,
    throughSeq: 0,
    audienceThrough: 0,
    pauseReason: 'may have been mailed after the copy was taken that this database was restored from',
    createdAt: now.getTime(),
    finishedAt: now.getTime(),
  }
  db.insert(editions).values(row).onConflictDoNothing().run()
}

// Those made since the hold was noticed are of this database alone, and go out when it is released.
function doubtfulNotices(hold: Hold) {
  return and(inArray(notices.state, UNFINISHED), lt(notices.createdAt, hold.since))
}
