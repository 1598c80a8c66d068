import { and, lt, not, type SQL, sql } from '../drizzle.ts'
import { dropUnused } from '../ledger/frozen-contents.ts'
import { type Db, statement, unsynced } from '../open.ts'
import { auditLog } from '../schema/installation.ts'
import { notices, providerEvents, UNFINISHED, unfinished } from '../schema/ledger.ts'
import { addressChanges } from '../schema/people.ts'

/** From when on something is old: `history` by RETENTION_DAYS, `requests` by the life of a link. */
export type Cutoffs = { history: Date; requests: Date }

/** Rows in one step: a writer beside us waits for a few milliseconds. */
const STEP = 100

/**
 * Removes a little of what is older than the cutoffs, in one short transaction, and returns how many rows went; 0 when
 * nothing is left. An edition keeps its row, its sums and what it offered. Nothing that is still owed is touched. A power
 * cut may bring the last steps back; they are done again.
 */
export async function pruneStep(db: Db, before: Cutoffs, now: Date): Promise<number> {
  return unsynced(db, () =>
    db.transaction(
      () => {
        for (const step of STEPS) {
          const removed = step(db, before, now)
          if (removed > 0) return removed
        }
        return 0
      },
      { behavior: 'immediate' },
    ),
  )
}

const STEPS = [
  editionStep,
  eventStep,
  noticeStep,
  auditStep,
  requestStep,
  contentStep,
  historyStep,
  forgottenStep,
]

/**
 * Kept past their time: the bounces of a reader whose emails bounce softly now. Five of them in a row suppress an address,
 * and of a monthly reader that takes five months.
 */
const STILL_COUNTED = `(deliveries.report = 'bounced' and deliveries.subscriber_id in
  (select id from subscribers where status = 'active' and soft_bounces between 1 and 4))`

const OLD_EDITION = `select id from editions e
  where state in ('submitted', 'cancelled') and scheduled_for < @before and coalesce(finished_at, 0) < @before
    and not exists (select 1 from batches where edition_id = e.id and state in ${UNFINISHED})
    and (exists (select 1 from batches where edition_id = e.id)
      or exists (select 1 from deliveries where edition_id = e.id and batch_id is null and not ${STILL_COUNTED}))
  order by id limit 1`

/** Batch by batch, then those who were in none. Nothing but the ledger knows how far it has come, so a restart goes on. */
function editionStep(db: Db, { history }: Cutoffs, now: Date): number {
  const run = (source: string, ...values: unknown[]) => statement(db, source).run(...values).changes
  const id = statement(db, OLD_EDITION).pluck().get({ before: history.getTime() }) as string | undefined
  if (id === undefined) return 0
  run('update editions set pruned_at = ? where id = ? and pruned_at is null', now.getTime(), id)
  const batch = statement(db, 'select id from batches where edition_id = ? limit 1').pluck().get(id)
  if (batch === undefined)
    return run(
      `delete from deliveries where id in (select id from deliveries
         where edition_id = ? and batch_id is null and not ${STILL_COUNTED} limit ${STEP})`,
      id,
    )
  run(`update deliveries set batch_id = null where batch_id = ? and ${STILL_COUNTED}`, batch)
  return (
    run('delete from deliveries where batch_id = ?', batch) + run('delete from batches where id = ?', batch)
  )
}

function eventStep(db: Db, { history }: Cutoffs): number {
  return removeSome(db, providerEvents, lt(providerEvents.receivedAt, history.getTime()))
}

function noticeStep(db: Db, { history }: Cutoffs): number {
  return removeSome(db, notices, and(lt(notices.createdAt, history.getTime()), not(unfinished(notices))))
}

function auditStep(db: Db, { history }: Cutoffs): number {
  return removeSome(db, auditLog, lt(auditLog.at, history.getTime()))
}

/** New addresses that were asked for; a link to confirm one ends long before. */
function requestStep(db: Db, { requests }: Cutoffs): number {
  return removeSome(db, addressChanges, lt(addressChanges.createdAt, requests.getTime()))
}

type Table = typeof providerEvents | typeof notices | typeof auditLog | typeof addressChanges

function removeSome(db: Db, table: Table, old: SQL | undefined): number {
  const some = sql`rowid in (select rowid from ${table} where ${old} limit ${STEP})`
  return db.delete(table).where(some).run().changes
}

/**
 * What readers knew of a session between its first state and the last that an old edition showed. A reader whose mark is
 * still there, who was paused all the time, hears of the session again as moved: twice is better than never.
 */
function historyStep(db: Db, { history }: Cutoffs): number {
  const between = `select h.session_id, h.seq from session_history h
    where h.seq > (select min(seq) from session_history where session_id = h.session_id)
      and exists (select 1 from session_history later where later.session_id = h.session_id and later.seq > h.seq
        and later.seq <= (select max(through_seq) from editions where scheduled_for < ?))`
  const [row] = statement(db, `${between} order by h.session_id limit 1`).all(history.getTime()) as {
    session_id: number
  }[]
  if (row === undefined) return 0
  const id = row.session_id
  statement(
    db,
    `update session_history set times = '' where session_id = ?
       and seq = (select min(seq) from session_history where session_id = ?)`,
  ).run(id, id)
  return statement(
    db,
    `delete from session_history where (session_id, seq) in (${between} and h.session_id = ?)`,
  ).run(history.getTime(), id).changes
}

/** A session that was deleted so long ago is new when it comes back; its id stays its own. */
function forgottenStep(db: Db, { history }: Cutoffs): number {
  const gone = statement(
    db,
    `select session_id from known_sessions
     where gone_after < ? and session_id not in (select id from sessions) order by session_id limit ${STEP}`,
  )
    .pluck()
    .all(history.toISOString().slice(0, 10)) as number[]
  for (const id of gone) {
    statement(db, "update counters set value = max(value, ?) where name = 'forgotten_session'").run(id)
    statement(db, 'delete from session_history where session_id = ?').run(id)
    statement(db, 'delete from known_sessions where session_id = ?').run(id)
  }
  return gone.length
}

/** Templates that no unfinished batch was frozen with; nothing else reads them. */
function contentStep(db: Db): number {
  return dropUnused(db, 'digest')
}
