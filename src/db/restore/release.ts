import type { Hold } from '../../core/hold.ts'
import { audit } from '../audit.ts'
import { and, count, eq, inArray, lt } from '../drizzle.ts'
import { loseBatches, putInDoubt } from '../ledger/batch-states.ts'
import { cancelHalfPlanned, recordCancelled } from '../ledger/edition-states.ts'
import { loseNotices, owedNoticesBefore } from '../people/notices.ts'
import { countReaders } from '../people/subscribers.ts'
import { batches, deliveries, editions, unfinished } from '../schema/ledger.ts'
import type { Store } from '../store.ts'
import { holdIn, skipEpochAhead } from './epoch.ts'
import { witnessOf } from './witness.ts'

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
  /** A slot that may have been emailed since the copy was taken: recorded as cancelled, so that it is not emailed again. */
  slot: { editionId: string; at: Date } | null
  note: string
  /** The epoch that was last published in Redis; null when it does not know. */
  published: number | null
}

/** What was marked. `recipients` and `notices` are now unknown; `editions` were half planned and are cancelled. */
export type Released = { epoch: number; recipients: number; notices: number; editions: string[] }

/** What this database believes that it owes, as far as it was there when the hold was noticed. */
export async function owedWhileHeld(store: Store, hold: Hold): Promise<Owed> {
  const rows = await store.read
    .select({ id: editions.id, state: editions.state, pausedAt: editions.pausedAt })
    .from(editions)
    .where(inArray(editions.state, ['planning', 'submitting']))
    .orderBy(editions.id)
    .all()
  const owed: OwedEdition[] = []
  for (const { id, state, pausedAt } of rows) {
    const mine = and(eq(batches.editionId, id), unfinished(batches))
    const waiting = and(eq(deliveries.editionId, id), eq(deliveries.state, 'waiting'))
    owed.push({
      id,
      state: state as OwedEdition['state'],
      paused: pausedAt !== null,
      recipients: (await store.read.select({ n: count() }).from(deliveries).where(waiting).get())?.n ?? 0,
      batches: (await store.read.select({ n: count() }).from(batches).where(mine).get())?.n ?? 0,
    })
  }
  return {
    editions: owed,
    notices: await owedNoticesBefore(store.read, hold.since),
    activeSubscribers: await countReaders(store),
  }
}

/** Releases a held installation, with all marks in one transaction. Null when it is not held (any more). */
export async function releaseHeld(store: Store, release: Release, now: Date): Promise<Released | null> {
  return store.write(async (tx) => {
    const hold = await holdIn(tx)
    if (hold === null) return null
    const since = hold.knownThrough ?? 0
    const isDoubtful = since < release.trustedSince
    // What was never attempted here may have been first attempted elsewhere right after the copy was taken.
    await putInDoubt(tx, since)
    const doubtful = lt(batches.firstAttemptAt, release.trustedSince)
    const { deliveries: recipients } = await loseBatches(tx, doubtful, SUBMITTED_SINCE)
    const halfPlanned = isDoubtful ? await cancelHalfPlanned(tx, HALF_PLANNED, now) : []
    if (release.slot) await recordCancelled(tx, release.slot, MAILED_SINCE, now)
    // Those made since the hold was noticed are of this database alone, and go out when it is released.
    const lostNotices = isDoubtful ? await loseNotices(tx, hold.since, SUBMITTED_SINCE) : 0
    await audit(tx, now, { action: 'installation released', subject: hold.reason, detail: release.note })
    const epoch = await skipEpochAhead(tx, witnessOf(store), now, release.published)
    return { epoch, recipients, notices: lostNotices, editions: halfPlanned }
  })
}

const SUBMITTED_SINCE =
  'may have been submitted after the copy was taken that this database was restored from'
const MAILED_SINCE = 'may have been mailed after the copy was taken that this database was restored from'
const HALF_PLANNED = 'half planned when the copy was taken'
