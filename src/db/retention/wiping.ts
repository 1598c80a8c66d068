import { rmSync, statSync, utimesSync } from 'node:fs'
import Database from 'better-sqlite3'
import { Unavailable } from '../../core/errors.ts'
import { copiesOf } from '../migrations.ts'
import type { Db } from '../open.ts'
import { withPragma } from '../pragma.ts'
import { factIn } from '../restore/facts.ts'
import { UNFINISHED } from '../schema/ledger.ts'

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
export async function emptyLog(db: Db): Promise<boolean> {
  const noted = factIn(db.$client, 'wipe')
  const cut = () => db.$client.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[]
  const [outcome] = withPragma(db.$client, 'busy_timeout', PATIENCE_MS, cut)
  if (outcome?.busy !== 0) return false
  // Only what was noted before: what another process erased meanwhile may be in the log again.
  if (noted !== null)
    db.$client.prepare("delete from installation where name = 'wipe' and value = ?").run(noted)
  return true
}

/** Inside the transaction that erases: notes that the log is to be emptied, until that is done. */
export function noteToWipe(db: Db, now: Date): void {
  db.$client
    .prepare(
      `insert into installation (name, value) values ('wipe', json_object('since', ?, 'times', 1))
       on conflict do update set value = json_set(value, '$.times', value ->> '$.times' + 1)`,
    )
    .run(now.getTime())
}

/**
 * Inside the transaction that erased a subscriber: rewrites the rows around theirs. When rows grow, SQLite moves some to a
 * neighboring page and leaves the old bytes in the gap of the first, where deleting the row does not reach them. A page
 * that is emptied is zeroed, so the neighbors move away and back.
 */
export function clearGapsAround(db: Db, id: number): void {
  db.$client.pragma('defer_foreign_keys = ON') // their children find them again before the commit
  db.$client
    .prepare(`update subscribers set id = id + ${FAR} where id between ? and ?`)
    .run(id - NEIGHBORS, id + NEIGHBORS)
  db.$client.prepare(`update subscribers set id = id - ${FAR} where id > ${FAR / 2}`).run()
}

/** Some seven pages on either side. */
const NEIGHBORS = 100
const FAR = 1e12

/** What is left to wipe. */
export async function leftToWipe(db: Db): Promise<LeftToWipe> {
  const noted = factIn(db.$client, 'wipe')
  const inFlight = db.$client
    .prepare(
      `select count(*) from batches join deliveries on deliveries.batch_id = batches.id
       where batches.state in ${UNFINISHED} and subscriber_id is null and frozen is not null`,
    )
    .pluck()
    .get()
  return {
    logSince: noted === null ? null : (JSON.parse(noted) as { since: number }).since,
    inFlight: Number(inFlight),
  }
}

/**
 * Deletes a person from the copies that migrations left beside the database; a copy where that fails is removed. They are
 * found by address or row, as the address may have been another one then. Throws `Unavailable` when one cannot be removed.
 */
export function eraseFromCopies(db: Db, person: { id: number; emailHash: string }): void {
  if (db.$client.memory) return
  for (const copy of copiesOf(db.$client.name))
    try {
      eraseFrom(copy, person)
    } catch {
      removeCopy(copy)
    }
}

/** Removes the copies of migrations, and drafts of such copies that were never finished, from before an instant. */
export async function removeCopiesBefore(db: Db, before: Date): Promise<number> {
  if (db.$client.memory) return 0
  const old = copiesOf(db.$client.name, { drafts: true }).filter(
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
    copy.transaction(() => {
      for (const { id, publicId } of ids) {
        copy.prepare("update audit_log set subject = 'erased', detail = null where subject = ?").run(publicId)
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
