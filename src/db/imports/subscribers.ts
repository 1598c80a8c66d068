import type { SubscriberRow } from '../../core/intake/records.ts'
import { failpoint } from '../../failpoint.ts'
import type { Db } from '../open.ts'
import { setTopicsIn } from '../people/topic-rows.ts'
import { withPragma } from '../pragma.ts'
import { type Counts, createStaging, type Duplicate, type Staging, stage } from './staging.ts'

export type StagedSubscriber = { line: number; row: SubscriberRow; emailHash: string; publicId: string }

/** Why an address in the file stays as it is: an import revives nobody. `reason` is there for a suppressed one. */
export type LeftUnchanged = {
  line: number
  outcome: 'suppressed' | 'unsubscribed' | 'pending'
  reason: string | null
}

/** What every new subscriber of one import has in common. */
export type Admission = { consent: string; timeZone: string; locale: string }

/** An empty staging table for subscribers. */
export async function stagingForSubscribers(db: Db): Promise<Staging> {
  return createStaging(
    db,
    `email_hash text not null unique, email text, name text, time_zone text, locale text, topics text, public_id text,
     outcome text not null default 'new'`,
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
