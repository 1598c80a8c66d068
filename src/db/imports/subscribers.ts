import type { SubscriberRow } from '../../core/intake/records.ts'
import { failpoint } from '../../failpoint.ts'
import { inArray, type SQL, sql } from '../drizzle.ts'
import { elementsOf, whole, words } from '../fragments.ts'
import { setTopicsIn } from '../people/topic-rows.ts'
import { topics } from '../schema/sessions.ts'
import type { Queries, Store } from '../store.ts'
import { type Counts, createStaging, type Duplicate, type Staging, stage } from './staging.ts'

export type StagedSubscriber = { line: number; row: SubscriberRow; emailHash: string; publicId: string }

/** Why an address in the file stays as it is: an import brings no one back. `reason` is set for a suppressed address. */
export type LeftUnchanged = {
  line: number
  outcome: 'suppressed' | 'unsubscribed' | 'pending'
  reason: string | null
}

/** What every new subscriber of one import has in common. */
export type Admission = { consent: string; timeZone: string; locale: string }

/** An empty staging table for subscribers. */
export async function stagingForSubscribers(store: Store): Promise<Staging> {
  return createStaging(
    store,
    `email_hash text not null unique, email text, name text, time_zone text, locale text, topics text, public_id text,
     outcome text not null default 'new'`,
  )
}

/** Adds subscribers to the staging table. Returns the ones whose address is in it already. */
export async function stageSubscribers(
  { read }: Store,
  staging: Staging,
  rows: readonly StagedSubscriber[],
): Promise<Duplicate[]> {
  const idsOf = await topicIds(read, rows)
  const values = [
    ...[whole('line'), words('emailHash'), words('email'), words('name'), words('timeZone')],
    ...[words('locale'), words('topics'), words('publicId')],
  ]
  return stage(staging, { column: 'email_hash', of: (row: StagedSubscriber) => row.emailHash }, rows, {
    columns: 'email_hash, email, name, time_zone, locale, topics, public_id',
    values: sql.join(values, sql`, `),
    given: rows.map(({ line, row, emailHash, publicId }) => ({
      ...{ line, emailHash, publicId, ...row },
      topics: row.topics && idsOf(row.topics),
    })),
  })
}

/** Makes slugs the list of their ids, in order: `[1,4]`. */
async function topicIds(
  read: Queries,
  rows: readonly StagedSubscriber[],
): Promise<(slugs: readonly string[]) => string> {
  const slugs = [...new Set(rows.flatMap(({ row }) => row.topics ?? []))]
  const found = await read.select().from(topics).where(inArray(topics.slug, slugs)).orderBy(topics.id).all()
  return (chosen) => JSON.stringify(found.filter(({ slug }) => chosen.includes(slug)).map(({ id }) => id))
}

/**
 * Brings the staged subscribers in, all in one transaction: new ones as active with the recorded consent, active ones
 * with the name, zone, language and topics that the file gives. Others stay as they are and are returned, in order of line.
 */
export async function applySubscribers(
  { sqlite }: Store,
  { table, connection }: Staging,
  admission: Admission,
  now: Date,
): Promise<Counts & { leftUnchanged: LeftUnchanged[] }> {
  // Keys of an index on hashes come in no order. Without room for it, pages would be written and read once per row.
  await sqlite?.alone((own) => own.pragma('cache_size = -48000')) // kB
  try {
    return await connection.write(async (tx) => {
      await decideOutcomes(tx, table)
      const counted = await tx.all<{ outcome: string; n: number }>(
        sql`select outcome, count(*) as n from ${table} group by outcome`,
      )
      const count = (outcome: string) => counted.find((one) => one.outcome === outcome)?.n ?? 0
      await updateChanged(tx, table)
      await insertNew(tx, table, admission, now)
      const leftUnchanged = await tx.all<LeftUnchanged>(
        sql`select line, outcome, reason from ${table} left join suppressions using (email_hash)
            where outcome in ('suppressed', 'unsubscribed', 'pending') order by line`,
      )
      failpoint('before-import')
      return {
        added: count('new'),
        updated: count('updated'),
        unchanged: count('unchanged'),
        leftUnchanged,
      }
    })
  } finally {
    await sqlite?.alone((own) => {
      own.pragma('cache_size = -2000') // SQLite's own
      own.pragma('shrink_memory')
    })
  }
}

async function decideOutcomes(tx: Queries, table: SQL): Promise<void> {
  const chosen = sql`(select '[' || coalesce(string_agg(cast(topic_id as text), ',' order by topic_id), '') || ']'
    from subscriber_topics where subscriber_id = subscribers.id and chosen = 1)`
  await tx.run(
    // People we do not know stay `new`, so that a first import writes no row twice.
    sql`update ${table} as staged set outcome = case
       when exists (select 1 from suppressions where email_hash = staged.email_hash) then 'suppressed'
       else (select case
            when status <> 'active' then status
            when staged.name is not null and staged.name is distinct from subscribers.name
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

async function updateChanged(tx: Queries, table: SQL): Promise<void> {
  await tx.run(
    sql`update subscribers set name = coalesce(staged.name, subscribers.name),
       time_zone = coalesce(staged.time_zone, subscribers.time_zone),
       locale = coalesce(staged.locale, subscribers.locale)
     from ${table} as staged where staged.email_hash = subscribers.email_hash and staged.outcome = 'updated'`,
  )
  const pageAfter = (line: number) =>
    tx.all<{ line: number; id: number; topics: string }>(
      sql`select staged.line, subscribers.id, topics from ${table} as staged join subscribers using (email_hash)
          where outcome = 'updated' and topics is not null and staged.line > ${line} order by staged.line limit ${PAGE}`,
    )
  for (let rows = await pageAfter(0); rows.length > 0; rows = await pageAfter(rows.at(-1)?.line ?? 0))
    for (const { id, topics: ids } of rows) await setTopicsIn(tx, id, new Set<number>(JSON.parse(ids)))
}

// In order of hash, so that the index on it only grows at its end, and so do ids and what is keyed by them.
async function insertNew(
  tx: Queries,
  table: SQL,
  { consent, timeZone, locale }: Admission,
  now: Date,
): Promise<void> {
  await tx.run(
    sql`insert into subscribers (public_id, email, email_hash, name, status, time_zone, locale, consent_text,
         consent_source, consented_at, created_at)
       select public_id, email, email_hash, name, 'active', coalesce(time_zone, ${timeZone}), coalesce(locale, ${locale}),
         cast(${consent} as text), 'import', cast(${now.getTime()} as bigint), cast(${now.getTime()} as bigint)
       from ${table} where outcome = 'new' order by email_hash`,
  )
  await tx.run(
    sql`insert into subscriber_topics (subscriber_id, topic_id, chosen)
     select subscribers.id, cast(topic.value as bigint), 1
     from ${table} as staged join subscribers using (email_hash), ${elementsOf(tx, sql`staged.topics`, 'topic')}
     where staged.outcome = 'new' order by staged.email_hash`,
  )
}
