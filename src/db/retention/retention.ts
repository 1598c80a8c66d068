import { pruneAudit } from '../audit.ts'
import { and, eq, inArray, isNull, lt, not, type SQL, sql } from '../drizzle.ts'
import { larger } from '../fragments.ts'
import { dropUnused } from '../ledger/frozen-contents.ts'
import { removeReviews } from '../ledger/reviews.ts'
import {
  batches,
  deliveries,
  editions,
  notices,
  providerEvents,
  UNFINISHED,
  unfinished,
} from '../schema/ledger.ts'
import { challenges, entryLinks, signIns, signInTries } from '../schema/operators.ts'
import { addressChanges } from '../schema/people.ts'
import { counters, knownSessions, sessionHistory, sessionImports } from '../schema/sessions.ts'
import type { Queries, Store } from '../store.ts'

/** From when on something is old: `history` by RETENTION_DAYS, `requests` by the life of a link. */
export type Cutoffs = { history: Date; requests: Date }

/** Rows in one step: a writer beside us waits for a few milliseconds. */
const STEP = 100

/**
 * Removes a little of what is older than the cutoffs, in one short transaction, and returns how many rows went; 0 when
 * nothing is left. An edition keeps its row, its sums and what it offered. Nothing that is still owed is touched. A power
 * cut may bring the last steps back; they are done again.
 */
export async function pruneStep(store: Store, before: Cutoffs, now: Date): Promise<number> {
  return store.write(
    async (tx) => {
      for (const step of STEPS) {
        const removed = await step(tx, before, now)
        if (removed > 0) return removed
      }
      return 0
    },
    { durable: false },
  )
}

const STEPS = [
  editionStep,
  eventStep,
  noticeStep,
  reviewStep,
  auditStep,
  requestStep,
  contentStep,
  historyStep,
  forgottenStep,
  signInStep,
]

/**
 * Kept past their time: the bounces of a reader whose emails bounce softly now. Five of them in a row suppress an address,
 * and of a monthly reader that takes five months.
 */
const STILL_COUNTED = sql`(deliveries.report = 'bounced' and deliveries.subscriber_id in
  (select id from subscribers where status = 'active' and soft_bounces between 1 and 4))`

const oldEdition = (before: number) => sql`select id from editions e
  where state in ('submitted', 'cancelled') and scheduled_for < ${before} and coalesce(finished_at, 0) < ${before}
    and not exists (select 1 from batches where edition_id = e.id and state in ${sql.raw(UNFINISHED)})
    and (exists (select 1 from batches where edition_id = e.id)
      or exists (select 1 from deliveries where edition_id = e.id and batch_id is null and not ${STILL_COUNTED}))
  order by id limit 1`

/** Batch by batch, then those who were in none. Nothing but the ledger knows how far it has come, so a restart goes on. */
async function editionStep(tx: Queries, { history }: Cutoffs, now: Date): Promise<number> {
  const edition = await tx.get<{ id: string } | undefined>(oldEdition(history.getTime()))
  if (edition === undefined) return 0
  const { id } = edition
  const begun = and(eq(editions.id, id), isNull(editions.prunedAt))
  await tx.update(editions).set({ prunedAt: now.getTime() }).where(begun).run()
  const batch = await tx
    .select({ id: batches.id })
    .from(batches)
    .where(eq(batches.editionId, id))
    .limit(1)
    .get()
  if (batch === undefined) {
    const unbatched = sql`${deliveries.id} in (select id from deliveries
      where edition_id = ${id} and batch_id is null and not ${STILL_COUNTED} limit ${STEP})`
    return (await tx.delete(deliveries).where(unbatched).run()).changes
  }
  const ofBatch = eq(deliveries.batchId, batch.id)
  await tx.update(deliveries).set({ batchId: null }).where(and(ofBatch, STILL_COUNTED)).run()
  const gone = await tx.delete(deliveries).where(ofBatch).run()
  return gone.changes + (await tx.delete(batches).where(eq(batches.id, batch.id)).run()).changes
}

async function eventStep(tx: Queries, { history }: Cutoffs): Promise<number> {
  return await removeSome(tx, providerEvents, lt(providerEvents.receivedAt, history.getTime()))
}

async function noticeStep(tx: Queries, { history }: Cutoffs): Promise<number> {
  return await removeSome(
    tx,
    notices,
    and(lt(notices.createdAt, history.getTime()), not(unfinished(notices))),
  )
}

async function reviewStep(tx: Queries, { history }: Cutoffs): Promise<number> {
  return await removeReviews(tx, history.getTime(), STEP)
}

async function auditStep(tx: Queries, { history }: Cutoffs): Promise<number> {
  return await pruneAudit(tx, history, STEP)
}

/** New addresses that were asked for; a link to confirm one ends long before. */
async function requestStep(tx: Queries, { requests }: Cutoffs): Promise<number> {
  return await removeSome(tx, addressChanges, lt(addressChanges.createdAt, requests.getTime()))
}

type Table = typeof providerEvents | typeof notices | typeof addressChanges

async function removeSome(tx: Queries, table: Table, old: SQL | undefined): Promise<number> {
  const key = table === providerEvents ? providerEvents.svixId : (table as typeof notices).id
  const some = sql`${key} in (select ${key} from ${table} where ${old} limit ${STEP})`
  return (await tx.delete(table).where(some).run()).changes
}

/**
 * What readers knew of a session between its first state and the last that an old edition showed. A reader whose mark is
 * still there, who was paused all the time, hears of the session again as moved: twice is better than never.
 */
async function historyStep(tx: Queries, { history }: Cutoffs): Promise<number> {
  const between = sql`select h.session_id, h.seq from session_history h
    where h.seq > (select min(seq) from session_history where session_id = h.session_id)
      and exists (select 1 from session_history later where later.session_id = h.session_id and later.seq > h.seq
        and later.seq <= (select max(through_seq) from editions where scheduled_for < ${history.getTime()}))`
  const row = await tx.get<{ session_id: number } | undefined>(sql`${between} order by h.session_id limit 1`)
  if (row === undefined) return 0
  const id = row.session_id
  await tx.run(sql`update session_history set times = '' where session_id = ${id}
    and seq = (select min(seq) from session_history where session_id = ${id})`)
  const gone = sql`delete from session_history where (session_id, seq) in (${between} and h.session_id = ${id})`
  return (await tx.run(gone)).changes
}

/** A session that was deleted so long ago is new when it comes back; its id stays its own. */
async function forgottenStep(tx: Queries, { history }: Cutoffs): Promise<number> {
  const { sessionId, goneAfter } = knownSessions
  const gone = await tx
    .select({ id: sessionId })
    .from(knownSessions)
    .where(
      and(
        lt(goneAfter, history.toISOString().slice(0, 10)),
        sql`${sessionId} not in (select id from sessions)`,
      ),
    )
    .orderBy(sessionId)
    .limit(STEP)
    .all()
  if (gone.length === 0) return 0
  const ids = gone.map(({ id }) => id)
  const highest = larger(counters.value, Math.max(...ids))
  await tx.update(counters).set({ value: highest }).where(eq(counters.name, 'forgotten_session')).run()
  await tx.delete(sessionHistory).where(inArray(sessionHistory.sessionId, ids)).run()
  await tx.delete(knownSessions).where(inArray(sessionId, ids)).run()
  return ids.length
}

const DAY_MS = 24 * 3_600_000

/** Files that nobody brought in, guesses that count no more, links that ended, and sign-ins older than any may be. */
async function signInStep(tx: Queries, _before: Cutoffs, now: Date): Promise<number> {
  const ended = now.getTime() - DAY_MS
  const unused = and(isNull(sessionImports.importedAt), lt(sessionImports.createdAt, ended))
  const steps = [
    tx.delete(sessionImports).where(unused),
    tx.delete(signInTries).where(lt(signInTries.at, ended)),
    tx.delete(entryLinks).where(lt(entryLinks.expiresAt, ended)),
    tx.delete(signIns).where(lt(signIns.createdAt, ended)),
    tx.delete(challenges).where(lt(challenges.createdAt, ended)),
  ]
  for (const step of steps) {
    const { changes } = await step.run()
    if (changes > 0) return changes
  }
  return 0
}

/** Templates of batches that were removed; nothing else reads them. */
async function contentStep(tx: Queries): Promise<number> {
  return await dropUnused(tx, 'digest')
}
