import { rmSync, statSync, utimesSync } from 'node:fs'
import Database from 'better-sqlite3'
import { Unavailable } from '../../core/errors.ts'
import { and, between, count, eq, gt, isNotNull, isNull, sql } from '../drizzle.ts'
import { factIn, putFact } from '../restore/facts.ts'
import { installation } from '../schema/installation.ts'
import { batches, deliveries, unfinished } from '../schema/ledger.ts'
import { subscribers } from '../schema/people.ts'
import type { Queries, Store } from '../store.ts'
import { copiesOf } from './migrations.ts'
import { pragma } from './pragma.ts'

/** What an erasure could not reach yet. */
export type LeftToWipe = {
  /** Since when erased data is in the write-ahead log, ms UTC; null = it is not. */
  logSince: number | null
  /** Emails to erased people whose outcome is not known yet; a retry must send the same bytes. */
  inFlight: number
}

/** Waiting for a reader blocks this process, and the next sweep tries again. */
const PATIENCE_MS = 100

/**
 * Moves the write-ahead log into the database file and cuts it to nothing, so that what was deleted is in neither: the
 * file's own pages are overwritten (`secure_delete`). False when another process is reading; then try again later.
 * https://www.sqlite.org/pragma.html#pragma_wal_checkpoint
 */
export async function emptyLog(store: Store): Promise<boolean> {
  const { sqlite } = store
  if (sqlite === null) return true
  const noted = await factIn(store.read, 'wipe')
  const outcome = await sqlite.alone((connection) => {
    using _ = pragma(connection, 'busy_timeout', PATIENCE_MS)
    return connection.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[]
  })
  if (outcome[0]?.busy !== 0) return false
  // Only what was noted before: what another process erased in the meantime may be in the log again.
  const done = and(eq(installation.name, 'wipe'), eq(installation.value, noted ?? ''))
  if (noted !== null) await store.write((tx) => tx.delete(installation).where(done).run())
  return true
}

/** Inside the transaction that erases: notes that the log is to be emptied, until that is done. */
export async function noteToWipe(tx: Queries, now: Date): Promise<void> {
  const noted = await factIn(tx, 'wipe')
  const before = noted === null ? { since: now.getTime(), times: 0 } : (JSON.parse(noted) as Noted)
  await putFact(tx, 'wipe', JSON.stringify({ ...before, times: before.times + 1 }))
}

type Noted = { since: number; times: number }

/**
 * Inside the transaction that erased a subscriber: rewrites the rows around theirs. When rows grow, SQLite moves some to a
 * neighboring page and leaves the old bytes in the gap of the first, where deleting the row does not reach them. A page
 * that is emptied is zeroed, so the neighbors move away and back.
 */
export async function clearGapsAround(tx: Queries, id: number): Promise<void> {
  await tx.run(sql`pragma defer_foreign_keys = on`) // their children find them again before the commit
  const near = between(subscribers.id, id - NEIGHBORS, id + NEIGHBORS)
  await tx
    .update(subscribers)
    .set({ id: sql`${subscribers.id} + ${FAR}` })
    .where(near)
    .run()
  const moved = gt(subscribers.id, FAR / 2)
  await tx
    .update(subscribers)
    .set({ id: sql`${subscribers.id} - ${FAR}` })
    .where(moved)
    .run()
}

/** Some seven pages on either side. */
const NEIGHBORS = 100
const FAR = 1e12

/** What is left to wipe. */
export async function leftToWipe(store: Store): Promise<LeftToWipe> {
  const noted = await factIn(store.read, 'wipe')
  const kept = and(unfinished(batches), isNull(deliveries.subscriberId), isNotNull(deliveries.frozen))
  const inFlight = await store.read
    .select({ n: count() })
    .from(batches)
    .innerJoin(deliveries, eq(deliveries.batchId, batches.id))
    .where(kept)
    .get()
  return {
    logSince: noted === null ? null : (JSON.parse(noted) as Noted).since,
    inFlight: inFlight?.n ?? 0,
  }
}

/**
 * Deletes a person from the copies that migrations left beside the database; a copy where that fails is removed. They are
 * found by address or row, as the address may have been another one then. Throws `Unavailable` when one cannot be removed.
 */
export function eraseFromCopies({ sqlite }: Store, person: { id: number; emailHash: string }): void {
  if (!sqlite?.file) return
  for (const copy of copiesOf(sqlite.file))
    try {
      eraseFrom(copy, person)
    } catch {
      removeCopy(copy)
    }
}

/** Removes the copies of migrations, and drafts of such copies that were never finished, from before an instant. */
export async function removeCopiesBefore({ sqlite }: Store, before: Date): Promise<number> {
  if (!sqlite?.file) return 0
  const old = copiesOf(sqlite.file, { drafts: true }).filter(
    (copy) => statSync(copy).mtimeMs < before.getTime(),
  )
  old.forEach(removeCopy)
  return old.length
}

function eraseFrom(file: string, person: { id: number; emailHash: string }): void {
  const { atime, mtime } = statSync(file)
  const copy = new Database(file, { fileMustExist: true, timeout: 1_000 })
  try {
    for (const pragma of ['secure_delete = ON', 'foreign_keys = ON']) copy.pragma(pragma)
    const ids = copy
      .prepare<[number, string], { id: number; publicId: string }>(
        'select id, public_id as publicId from subscribers where id = ? or email_hash = ?',
      )
      .all(person.id, person.emailHash)
    // A copy that was made before the log was chained has no salt.
    const { chained } = copy
      .prepare<[], { chained: number }>(
        "select count(*) as chained from pragma_table_info('audit_log') where name = 'salt'",
      )
      .get() ?? { chained: 0 }
    const unsalt = chained > 0 ? ', salt = null' : ''
    copy.transaction(() => {
      for (const { id, publicId } of ids) {
        copy
          .prepare(`update audit_log set subject = 'erased', detail = null${unsalt} where subject = ?`)
          .run(publicId)
        copy
          .prepare('update deliveries set frozen = null, provider_id = null where subscriber_id = ?')
          .run(id)
        copy.prepare('delete from subscribers where id = ?').run(id)
      }
    })()
  } finally {
    copy.close()
  }
  utimesSync(file, atime, mtime) // its age says when it may go
}

function removeCopy(copy: string): void {
  try {
    rmSync(copy, { force: true })
  } catch (error) {
    throw new Unavailable(
      `${copy} still holds what was erased and cannot be removed (${(error as NodeJS.ErrnoException).code}); delete it`,
    )
  }
}
