import type { SessionRow } from '../../core/intake/records.ts'
import { failpoint } from '../../failpoint.ts'
import { type SQL, sql } from '../drizzle.ts'
import { idsIn, whole, words } from '../fragments.ts'
import type { Queries, Store } from '../store.ts'
import { type Counts, createStaging, type Duplicate, type Staging, stage } from './staging.ts'

export type StagedSession = { line: number; row: SessionRow }

/** An empty staging table for sessions. */
export async function stagingForSessions(store: Store): Promise<Staging> {
  return createStaging(
    store,
    `external_id text not null unique, topic_id integer not null, kind text, title text, group_id integer,
     therapist text, starts_at_local text, time_zone text, duration_minutes integer, repeats text,
     occurrences integer, seats_total integer, seats_left integer, status text, booking_url text, summary text, group_url text, language text, place text,
     price text, absent text`,
  )
}

/** Adds sessions to the staging table. Returns the ones whose external id is in it already. */
export async function stageSessions(staging: Staging, rows: readonly StagedSession[]): Promise<Duplicate[]> {
  const values = [
    ...[whole('line'), words('externalId'), sql`(select id from topics where slug = ${words('topic')})`],
    ...[words('kind'), words('group'), words('therapist'), words('startsAtLocal'), words('timeZone')],
    ...[whole('durationMinutes'), words('repeats'), whole('occurrences'), whole('seatsTotal')],
    ...[whole('seatsLeft'), words('status'), words('bookingUrl')],
    ...[
      words('summary'),
      words('groupUrl'),
      words('language'),
      words('place'),
      words('price'),
      words('absent'),
    ],
  ]
  return stage(staging, { column: 'external_id', of: ({ row }: StagedSession) => row.externalId }, rows, {
    columns: `external_id, topic_id, kind, title, therapist, starts_at_local, time_zone, duration_minutes, repeats,
      occurrences, seats_total, seats_left, status, booking_url, summary, group_url, language, place, price, absent`,
    values: sql.join(values, sql`, `),
    given: rows.map(({ line, row }) => ({ line, ...row, absent: `,${row.absent.join()},` })),
  })
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

/** A staged row that says something else of its group than an earlier one does. */
export type GroupConflict = { line: number; firstLine: number; column: string; group: string }

/** A staged row that does not go with what is stored of its session. */
export type SeatConflict = { line: number; seatsLeft: number; seatsTotal: number; absent: string }

/** Runs at the end of the transaction of an import. Throwing undoes all of it. */
export type LastStep = (tx: Queries, applied: Applied, table: SQL) => Promise<void>

/** How many rows were written, and the rows that contradict what is stored or an earlier row. */
export type Applied = Counts & { conflicts: SeatConflict[]; contradictions: GroupConflict[] }

/**
 * Brings the staged sessions in, all in one transaction. Only a session that differs is written, so that the
 * triggers see what really changed. Rows whose seats contradict what is stored in a column that the file lacks are returned;
 * as are rows that contradict an earlier one about their group. Unless `skipInvalid` leaves them out, nothing is written then.
 */
export async function applySessions(
  { table, connection }: Staging,
  {
    skipInvalid,
    first = async () => {},
    last = async () => {},
  }: { skipInvalid: boolean; first?: (tx: Queries, table: SQL) => Promise<void>; last?: LastStep },
): Promise<Applied> {
  const [fields, staged, current] = ['', 'staged.', 'sessions.'].map((prefix) =>
    sql.raw(SESSION_FIELDS.map((field) => `${prefix}${field}`).join(', ')),
  )
  return connection.write(async (tx) => {
    await first(tx, table)
    await keepAbsent(tx, table)
    const conflicts = await seatConflicts(tx, table)
    if (skipInvalid) await tx.run(sql`delete from ${table} where seats_left > seats_total`)
    const contradictions = await groupConflicts(tx, table)
    if (conflicts.length + contradictions.length > 0 && !skipInvalid)
      return { added: 0, updated: 0, unchanged: 0, conflicts, contradictions }
    await leaveOut(tx, table, contradictions)
    await tx.run(sql`insert into groups (topic_id, kind, title) select topic_id, kind, title from ${table} where true
      order by line on conflict do nothing`)
    const total = await tx.run(sql`update ${table} as staged set group_id = (select id from groups
      where (topic_id, kind, title) = (staged.topic_id, staged.kind, staged.title))`)
    const changed = await changeGroups(tx, table)
    const updated = await tx.get<{ n: number }>(sql`select count(*) as n from ${table} as staged
      join sessions on sessions.external_id = staged.external_id
      where (${current}) is distinct from (${staged}) or staged.group_id in ${idsIn(tx, changed)}`)
    await tx.run(sql`update sessions set (${fields}) = (${staged}) from ${table} as staged
      where staged.external_id = sessions.external_id and (${current}) is distinct from (${staged})`)
    const added = await tx.run(sql`insert into sessions (external_id, ${fields})
      select external_id, ${fields} from ${table} where external_id not in (select external_id from sessions)
      order by line`)
    failpoint('before-import')
    const unchanged = total.changes - updated.n - added.changes
    const applied = { added: added.changes, updated: updated.n, unchanged, conflicts, contradictions }
    await last(tx, applied, table)
    return applied
  })
}

const ABSENT_FIELDS = ['duration_minutes', 'repeats', 'occurrences', 'seats_total', 'seats_left', 'status']

/** A column that the file lacks changes nothing, with one exception: a session that was full because no seats were left opens when it has some. */
async function keepAbsent(tx: Queries, table: SQL): Promise<void> {
  const lacks = (column: string) => `staged.absent like '%,${column},%'`
  const kept = ABSENT_FIELDS.map(
    (field) => `${field} = case when ${lacks(field)} then sessions.${field} else staged.${field} end`,
  )
  await tx.run(sql`update ${table} as staged
    set kind = case when ${sql.raw(lacks('kind'))} then groups.kind else staged.kind end, ${sql.raw(kept.join(', '))}
    from sessions join groups on groups.id = sessions.group_id
    where sessions.external_id = staged.external_id and staged.absent <> ',,'`)
  await tx.run(sql`update ${table} as staged set status = 'open' from sessions
    where sessions.external_id = staged.external_id and ${sql.raw(lacks('status'))}
      and sessions.status = 'full' and sessions.seats_left = 0 and staged.seats_left > 0`)
  await tx.run(sql`update ${table} set occurrences = null where repeats = 'once'`)
}

function seatConflicts(tx: Queries, table: SQL): Promise<SeatConflict[]> {
  return tx.all<SeatConflict>(
    sql`select line, seats_left as "seatsLeft", seats_total as "seatsTotal", absent from ${table}
        where seats_left > seats_total order by line`,
  )
}

/** The columns of a file about groups, and where they are stored. */
const GROUP_FIELDS = [
  { column: 'summary', field: 'summary' },
  { column: 'group_url', field: 'url' },
  { column: 'language', field: 'language' },
  { column: 'place', field: 'place' },
  { column: 'price', field: 'price' },
]

/** Of each group and column, the rows that say something else than the first row that says something. */
async function groupConflicts(tx: Queries, table: SQL): Promise<GroupConflict[]> {
  const conflicts: GroupConflict[] = []
  for (const { column } of GROUP_FIELDS) {
    const name = sql.identifier(column)
    const others = await tx.all<Omit<GroupConflict, 'column'>>(
      sql`select staged.line, first.line as "firstLine", staged.title as "group" from ${table} as staged
          join (select topic_id, kind, title, min(line) as line from ${table} where ${name} is not null
            group by topic_id, kind, title) as led
            on (led.topic_id, led.kind, led.title) = (staged.topic_id, staged.kind, staged.title)
          join ${table} as first on first.line = led.line
          where staged.${name} <> first.${name} order by staged.line`,
    )
    conflicts.push(...others.map((other) => ({ ...other, column })))
  }
  return conflicts
}

async function leaveOut(tx: Queries, table: SQL, rows: readonly { line: number }[]): Promise<void> {
  const lines = rows.map(({ line }) => line)
  if (lines.length > 0) await tx.run(sql`delete from ${table} where line in ${idsIn(tx, lines)}`)
}

/**
 * Writes what the file says of groups, and returns the ids of those that it changes. A cell that is filled in one row of a
 * group counts for all of them; a column that is empty in all of them clears.
 */
async function changeGroups(tx: Queries, table: SQL): Promise<number[]> {
  const list = (write: (one: (typeof GROUP_FIELDS)[number]) => string) =>
    sql.raw(GROUP_FIELDS.map(write).join(', '))
  const said = list(
    ({ column, field }) =>
      `max(${column}) as new_${field}, max(case when absent like '%,${column},%' then 0 else 1 end) as says_${field}`,
  )
  const fields = list(({ field }) => `groups.${field}`)
  const news = list(
    ({ field }) => `case when said.says_${field} = 1 then said.new_${field} else groups.${field} end`,
  )
  const changed = await tx.all<{ id: number }>(sql`update groups
    set (${list(({ field }) => field)}) = (${news})
    from (select group_id, ${said} from ${table} group by group_id) as said
    where said.group_id = groups.id and (${fields}) is distinct from (${news}) returning groups.id`)
  return changed.map(({ id }) => id)
}
