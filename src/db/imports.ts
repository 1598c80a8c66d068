import { randomBytes } from 'node:crypto'
import type { SessionRow, SubscriberRow } from '../core/intake/records.ts'
import { failpoint } from '../failpoint.ts'
import type { Db } from './open.ts'
import { setTopicsIn } from './people/topic-rows.ts'
import { withPragma } from './pragma.ts'

/**
 * Rows of a file on their way in, in a temporary table: it takes no lock that others wait for, and keeps a file of
 * any length out of the memory. Close it always; it is gone with the connection at the latest.
 */
export type Staging = { table: string }

/** A row that names what an earlier line of the same file named already. */
export type Duplicate = { line: number; firstLine: number }

export type StagedSession = { line: number; row: SessionRow }
export type StagedSubscriber = { line: number; row: SubscriberRow; emailHash: string; publicId: string }

export type Counts = { added: number; updated: number; unchanged: number }

/** Why an address in the file stays as it is: an import revives nobody. `reason` is there for a suppressed one. */
export type LeftUnchanged = {
  line: number
  outcome: 'suppressed' | 'unsubscribed' | 'pending'
  reason: string | null
}

/** What every new subscriber of one import has in common. */
export type Admission = { consent: string; timeZone: string; locale: string }

/** An empty staging table for sessions. */
export async function stagingForSessions(db: Db): Promise<Staging> {
  return createStaging(
    db,
    `external_id text not null unique, topic_id integer not null, kind text, title text, group_id integer,
     therapist text, starts_at_local text, time_zone text, duration_minutes integer, repeats text,
     occurrences integer, seats_total integer, seats_left integer, status text, booking_url text, absent text`,
  )
}

/** An empty staging table for subscribers. */
export async function stagingForSubscribers(db: Db): Promise<Staging> {
  return createStaging(
    db,
    `email_hash text not null unique, email text, name text, time_zone text, locale text, topics text, public_id text,
     outcome text not null default 'new'`,
  )
}

/** Drops the staging table. */
export async function closeStaging(db: Db, { table }: Staging): Promise<void> {
  db.$client.exec(`drop table if exists ${table}`)
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

/** Adds subscribers to the staging table, save those whose address it has already: these are returned. */
export async function stageSubscribers(
  db: Db,
  { table }: Staging,
  rows: readonly StagedSubscriber[],
): Promise<Duplicate[]> {
  const insert = db.$client.prepare(
    `insert into ${table} (line, email_hash, email, name, time_zone, locale, topics, public_id)
     values (:line, :emailHash, :email, :name, :timeZone, :locale, :topics, :publicId)
     on conflict (email_hash) do nothing`,
  )
  const first = db.$client.prepare(`select line from ${table} where email_hash = ?`).pluck()
  const idsOf = topicIds(db)
  return stage(db, rows, ({ line, row, emailHash, publicId }) => {
    const topics = row.topics && idsOf(row.topics)
    const change = insert.run({ line, emailHash, publicId, ...row, topics })
    return change.changes === 1 ? null : Number(first.get(emailHash))
  })
}

/** Makes slugs the JSON of their ids, in order. Most rows repeat one of a few choices, so each is looked up once. */
function topicIds(db: Db): (slugs: readonly string[]) => string {
  const ids = db.$client
    .prepare<[string], string>(
      `select json_group_array(id order by id) from topics where slug in (select value from json_each(?))`,
    )
    .pluck()
  const known = new Map<string, string>()
  return (slugs) => {
    const choice = JSON.stringify(slugs)
    const found = known.get(choice) ?? ids.get(choice) ?? '[]'
    known.set(choice, found)
    return found
  }
}

const SESSION_FIELDS = [
  ...['group_id', 'therapist', 'starts_at_local', 'time_zone', 'duration_minutes', 'repeats'],
  ...['occurrences', 'seats_total', 'seats_left', 'status', 'booking_url'],
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

/**
 * Brings the staged subscribers in, all in one transaction: new ones as active with the recorded consent, active ones
 * with the name, zone, language and topics that the file gives. Others stay as they are and are returned, in order of line.
 */
export async function applySubscribers(
  db: Db,
  { table }: Staging,
  admission: Admission,
  now: Date,
): Promise<Counts & { leftUnchanged: LeftUnchanged[] }> {
  return withLargeCache(db, () =>
    db.transaction(
      () => {
        decideOutcomes(db, table)
        const counted = db.$client
          .prepare<[], { outcome: string; n: number }>(
            `select outcome, count(*) n from ${table} group by outcome`,
          )
          .all()
        const count = (outcome: string) => counted.find((one) => one.outcome === outcome)?.n ?? 0
        updateChanged(db, table)
        insertNew(db, table, admission, now)
        const leftUnchanged = db.$client
          .prepare<[], LeftUnchanged>(
            `select line, outcome, reason from ${table} left join suppressions using (email_hash)
           where outcome in ('suppressed', 'unsubscribed', 'pending') order by line`,
          )
          .all()
        failpoint('before-import')
        return {
          added: count('new'),
          updated: count('updated'),
          unchanged: count('unchanged'),
          leftUnchanged,
        }
      },
      { behavior: 'immediate' },
    ),
  )
}

/** Keys of an index on hashes come in no order. Without room for it, pages would be written and read once per row. */
function withLargeCache<Result>(db: Db, work: () => Result): Result {
  try {
    return withPragma(db.$client, 'cache_size', -48_000, work) // kB
  } finally {
    db.$client.pragma('shrink_memory')
  }
}

function createStaging(db: Db, columns: string): Staging {
  const table = `temp.import_${randomBytes(8).toString('hex')}`
  db.$client.pragma('temp.journal_mode = MEMORY') // a file made and removed for each chunk costs more than the rows
  db.$client.pragma('temp.cache_size = -16000') // kB
  db.$client.exec(`create table ${table} (line integer not null, ${columns})`)
  return { table }
}

/** `firstLineOf` stages one row and returns null, or the line that has its key already. */
function stage<Row extends { line: number }>(
  db: Db,
  rows: readonly Row[],
  firstLineOf: (row: Row) => number | null,
): Duplicate[] {
  return db.$client.transaction(() =>
    rows.flatMap((row) => {
      const firstLine = firstLineOf(row)
      return firstLine === null ? [] : [{ line: row.line, firstLine }]
    }),
  )()
}

function decideOutcomes(db: Db, table: string): void {
  const chosen = `(select json_group_array(topic_id order by topic_id) from subscriber_topics
    where subscriber_id = subscribers.id and chosen)`
  db.$client.exec(
    // Whoever is not on record stays `new`, so that in a first import no row is written twice.
    `update ${table} as staged set outcome = case
       when exists (select 1 from suppressions where email_hash = staged.email_hash) then 'suppressed'
       else (select case
            when status <> 'active' then status
            when staged.name is not null and staged.name is not subscribers.name
              or staged.time_zone is not null and staged.time_zone <> subscribers.time_zone
              or staged.locale is not null and staged.locale <> subscribers.locale
              or staged.topics is not null and staged.topics <> ${chosen} then 'updated'
            else 'unchanged' end
          from subscribers where email_hash = staged.email_hash) end
     where exists (select 1 from suppressions where email_hash = staged.email_hash)
       or exists (select 1 from subscribers where email_hash = staged.email_hash)`,
  )
}

const PAGE = 500

function updateChanged(db: Db, table: string): void {
  db.$client.exec(
    `update subscribers set name = coalesce(staged.name, subscribers.name),
       time_zone = coalesce(staged.time_zone, subscribers.time_zone),
       locale = coalesce(staged.locale, subscribers.locale)
     from ${table} as staged where staged.email_hash = subscribers.email_hash and staged.outcome = 'updated'`,
  )
  const page = db.$client.prepare<[number], { rowid: number; id: number; topics: string }>(
    `select staged.rowid, subscribers.id, topics from ${table} as staged join subscribers using (email_hash)
     where outcome = 'updated' and topics is not null and staged.rowid > ? order by staged.rowid limit ${PAGE}`,
  )
  for (let rows = page.all(0); rows.length > 0; rows = page.all(rows.at(-1)?.rowid ?? 0))
    for (const { id, topics } of rows) setTopicsIn(db, id, new Set<number>(JSON.parse(topics)))
}

// In order of hash, so that the index on it only grows at its end, and so do ids and what is keyed by them.
function insertNew(db: Db, table: string, { consent, timeZone, locale }: Admission, now: Date): void {
  db.$client
    .prepare(
      `insert into subscribers (public_id, email, email_hash, name, status, time_zone, locale, consent_text,
         consent_source, consented_at, created_at)
       select public_id, email, email_hash, name, 'active', coalesce(time_zone, :timeZone), coalesce(locale, :locale), :consent,
         'import', :now, :now
       from ${table} where outcome = 'new' order by email_hash`,
    )
    .run({ timeZone, locale, consent, now: now.getTime() })
  db.$client.exec(
    `insert into subscriber_topics (subscriber_id, topic_id, chosen)
     select subscribers.id, topic.value, 1 from ${table} as staged join subscribers using (email_hash),
       json_each(staged.topics) as topic
     where staged.outcome = 'new' order by staged.email_hash`,
  )
}
