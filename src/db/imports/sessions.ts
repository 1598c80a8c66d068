import type { SessionRow } from '../../core/intake/records.ts'
import { failpoint } from '../../failpoint.ts'
import type { Db } from '../open.ts'
import { type Counts, createStaging, type Duplicate, type Staging, stage } from './staging.ts'

export type StagedSession = { line: number; row: SessionRow }

/** An empty staging table for sessions. */
export async function stagingForSessions(db: Db): Promise<Staging> {
  return createStaging(
    db,
    `external_id text not null unique, topic_id integer not null, kind text, title text, group_id integer,
     therapist text, starts_at_local text, time_zone text, duration_minutes integer, repeats text,
     occurrences integer, seats_total integer, seats_left integer, status text, booking_url text, absent text`,
  )
}

/** Adds sessions to the staging table, save those whose external id it has already: these are returned. */
export async function stageSessions(
  db: Db,
  { table }: Staging,
  rows: readonly StagedSession[],
): Promise<Duplicate[]> {
  const insert = db.$client.prepare(
    `insert into ${table} (line, external_id, topic_id, kind, title, therapist, starts_at_local, time_zone,
       duration_minutes, repeats, occurrences, seats_total, seats_left, status, booking_url, absent)
     values (:line, :externalId, (select id from topics where slug = :topic), :kind, :group, :therapist,
       :startsAtLocal, :timeZone, :durationMinutes, :repeats, :occurrences, :seatsTotal, :seatsLeft, :status,
       :bookingUrl, :absent)
     on conflict (external_id) do nothing`,
  )
  const first = db.$client.prepare(`select line from ${table} where external_id = ?`).pluck()
  return stage(db, rows, ({ line, row }) =>
    insert.run({ line, ...row, absent: `,${row.absent.join()},` }).changes === 1
      ? null
      : Number(first.get(row.externalId)),
  )
}

const SESSION_FIELDS = [
  'group_id',
  'therapist',
  'starts_at_local',
  'time_zone',
  'duration_minutes',
  'repeats',
  'occurrences',
  'seats_total',
  'seats_left',
  'status',
  'booking_url',
]

/** A staged row that does not go with what is stored of its session. */
export type SeatConflict = { line: number; seatsLeft: number; seatsTotal: number; absent: string }

/**
 * Brings the staged sessions in, all in one transaction. Only a session that differs is written, so that the
 * triggers see what really changed. Rows whose seats contradict what is stored in a column that the file lacks are returned;
 * unless `skipInvalid` leaves them out, nothing is written then.
 */
export async function applySessions(
  db: Db,
  { table }: Staging,
  { skipInvalid }: { skipInvalid: boolean },
): Promise<Counts & { conflicts: SeatConflict[] }> {
  const fields = SESSION_FIELDS.join(', ')
  const staged = SESSION_FIELDS.map((field) => `staged.${field}`).join(', ')
  const current = SESSION_FIELDS.map((field) => `sessions.${field}`).join(', ')
  const run = (sql: string) => db.$client.prepare(sql).run().changes
  return db.transaction(
    () => {
      keepAbsent(db, table)
      const conflicts = seatConflicts(db, table)
      if (conflicts.length > 0 && !skipInvalid) return { added: 0, updated: 0, unchanged: 0, conflicts }
      run(`delete from ${table} where seats_left > seats_total`)
      run(`insert into groups (topic_id, kind, title) select topic_id, kind, title from ${table} where true
           order by line on conflict do nothing`)
      const total = run(`update ${table} as staged set group_id = (select id from groups
           where (topic_id, kind, title) = (staged.topic_id, staged.kind, staged.title))`)
      const updated = run(`update sessions set (${fields}) = (${staged}) from ${table} as staged
           where staged.external_id = sessions.external_id and (${current}) is not (${staged})`)
      const added = run(`insert into sessions (external_id, ${fields})
           select external_id, ${fields} from ${table} where external_id not in (select external_id from sessions)
           order by line`)
      failpoint('before-import')
      return { added, updated, unchanged: total - updated - added, conflicts }
    },
    { behavior: 'immediate' },
  )
}

const ABSENT_FIELDS = ['duration_minutes', 'repeats', 'occurrences', 'seats_total', 'seats_left', 'status']

/** A column that the file lacks changes nothing. Only, a session that was full for want of seats opens when it has some. */
function keepAbsent(db: Db, table: string): void {
  const lacks = (column: string) => `instr(staged.absent, ',${column},')`
  const kept = ABSENT_FIELDS.map(
    (field) => `${field} = iif(${lacks(field)}, sessions.${field}, staged.${field})`,
  )
  db.$client.exec(`
    update ${table} as staged set kind = iif(${lacks('kind')}, groups.kind, staged.kind), ${kept.join(', ')}
      from sessions join groups on groups.id = sessions.group_id
      where sessions.external_id = staged.external_id and staged.absent <> ',,';
    update ${table} as staged set status = 'open' from sessions
      where sessions.external_id = staged.external_id and ${lacks('status')}
        and sessions.status = 'full' and sessions.seats_left = 0 and staged.seats_left > 0;
    update ${table} set occurrences = null where repeats = 'once';`)
}

function seatConflicts(db: Db, table: string): SeatConflict[] {
  const over = `select line, seats_left as seatsLeft, seats_total as seatsTotal, absent from ${table}
    where seats_left > seats_total order by line`
  return db.$client.prepare<[], SeatConflict>(over).all()
}
