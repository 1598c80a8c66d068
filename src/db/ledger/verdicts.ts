import type { Candidate, Exclusion } from '../../core/audience/exclusion.ts'
import type { TopicRow } from '../../core/audience/seen.ts'
import { failpoint } from '../../failpoint.ts'
import { and, eq } from '../drizzle.ts'
import { type Db, statement, unsynced } from '../open.ts'
import { editions } from '../schema.ts'

/** A subscriber as planning and the last checks see one. */
export type KnownCandidate = Candidate & { id: number; seenThrough: number; topicRows: TopicRow[] }

/** The planner's word on one candidate: null = recipient. */
export type Verdict = { subscriberId: number; seenThrough: number; exclusion: Exclusion | null }

/** How many deliveries go to the provider in one call, and share a key and a claim. */
const BATCH_SIZE = 100

/** The next candidates of the edition's audience, `limit` at most, in order of id; empty when all are planned. */
export async function candidatesAfter(
  db: Db,
  edition: { audienceThrough: number },
  afterId: number,
  limit: number,
): Promise<KnownCandidate[]> {
  const rows = statement<
    [number, number, number],
    Omit<KnownCandidate, 'suppressed' | 'topicRows'> & { suppressed: number }
  >(
    db,
    `select id, status, paused_until as pausedUntil, cadence, last_edition_id as lastEditionId,
       seen_through as seenThrough, suppressions.email_hash is not null as suppressed
     from subscribers left join suppressions using (email_hash)
     where id > ? and id <= ? order by id limit ?`,
  ).all(afterId, edition.audienceThrough, limit)
  const topicRows = topicRowsBetween(db, afterId, rows.at(-1)?.id ?? afterId)
  return rows.map((row) => ({
    ...row,
    suppressed: row.suppressed === 1,
    topicRows: topicRows.get(row.id) ?? [],
  }))
}

/**
 * Writes the verdicts on the candidates after `from`, freezes them into deliveries and batches of `BATCH_SIZE`, and
 * moves the planner's mark on. False when another planner was there first, or the edition is no longer being planned:
 * then nothing was written.
 */
export async function recordVerdicts(
  db: Db,
  editionId: string,
  from: number,
  verdicts: readonly Verdict[],
): Promise<boolean> {
  const through = verdicts.at(-1)?.subscriberId ?? from
  // A chunk that a power cut takes back is planned again from the mark; `finishPlanning` waits for the disk, for all.
  return unsynced(db, () =>
    db.transaction(
      (tx) => {
        const mine = and(
          eq(editions.id, editionId),
          eq(editions.state, 'planning'),
          eq(editions.plannedThrough, from),
        )
        if (tx.update(editions).set({ plannedThrough: through }).where(mine).run().changes === 0) return false
        insertDeliveries(db, editionId, 0, verdicts)
        failpoint('before-verdicts')
        return true
      },
      { behavior: 'immediate' },
    ),
  )
}

/** Ends planning: the edition may be submitted. False when another planner ended it. */
export async function finishPlanning(db: Db, editionId: string, now: Date): Promise<boolean> {
  const planning = and(eq(editions.id, editionId), eq(editions.state, 'planning'))
  return (
    db.update(editions).set({ state: 'submitting', plannedAt: now.getTime() }).where(planning).run()
      .changes === 1
  )
}

/** Inside a transaction: one delivery per verdict, the recipients in batches; an unfilled last batch is filled first. */
export function insertDeliveries(
  db: Db,
  editionId: string,
  generation: number,
  verdicts: readonly Verdict[],
  again = false,
): void {
  const sqlite = db.$client
  const addDelivery = sqlite.prepare(
    'insert into deliveries (edition_id, subscriber_id, generation, batch_id, state, reason, seen_through) values (?, ?, ?, ?, ?, ?, ?)',
  )
  const addBatch = sqlite.prepare(
    "insert into batches (edition_id, generation, number, key, state, size, again) values (?, ?, ?, ?, 'planned', 0, ?) returning id",
  )
  const setSize = sqlite.prepare('update batches set size = ? where id = ?')
  let batch = sqlite
    .prepare<unknown[], OpenBatch>(
      'select id, number, size from batches where edition_id = ? and generation = ? order by number desc limit 1',
    )
    .get(editionId, generation) ?? { id: 0, number: 0, size: BATCH_SIZE }

  for (const { subscriberId, seenThrough, exclusion } of verdicts) {
    if (exclusion !== null) {
      addDelivery.run(editionId, subscriberId, generation, null, 'excluded', exclusion, seenThrough)
      continue
    }
    if (batch.size >= BATCH_SIZE) {
      if (batch.id > 0) setSize.run(batch.size, batch.id)
      const number = batch.number + 1
      const added = addBatch.get(
        editionId,
        generation,
        number,
        batchKey(editionId, generation, number),
        again ? 1 : 0,
      ) as { id: number }
      batch = { id: added.id, number, size: 0 }
    }
    addDelivery.run(editionId, subscriberId, generation, batch.id, 'waiting', null, seenThrough)
    batch.size += 1
  }
  if (batch.id > 0) setSize.run(batch.size, batch.id)
}

type OpenBatch = { id: number; number: number; size: number }

function batchKey(editionId: string, generation: number, number: number): string {
  return `openseat/${editionId}/g${generation}/b${number}`
}

/** The topic rows of these subscribers, gathered by subscriber. */
export function topicRowsOf(db: Db, subscriberIds: readonly number[]): Map<number, TopicRow[]> {
  const rows = statement<[string], TopicRow & { subscriberId: number; chosen: number | boolean }>(
    db,
    `select subscriber_id as subscriberId, topic_id as topicId, chosen, seen_through as seenThrough
     from subscriber_topics where subscriber_id in (select value from json_each(?))`,
  ).all(JSON.stringify(subscriberIds))
  return bySubscriber(rows.map((row) => ({ ...row, chosen: Boolean(row.chosen) })))
}

function topicRowsBetween(db: Db, afterId: number, throughId: number): Map<number, TopicRow[]> {
  const rows = statement<[number, number], TopicRow & { subscriberId: number; chosen: number | boolean }>(
    db,
    `select subscriber_id as subscriberId, topic_id as topicId, chosen, seen_through as seenThrough
     from subscriber_topics where subscriber_id > ? and subscriber_id <= ?`,
  ).all(afterId, throughId)
  return bySubscriber(rows.map((row) => ({ ...row, chosen: Boolean(row.chosen) })))
}

/** Topic rows gathered by their subscriber. */
export function bySubscriber(
  rows: readonly (TopicRow & { subscriberId: number })[],
): Map<number, TopicRow[]> {
  const gathered = new Map<number, TopicRow[]>()
  for (const row of rows) {
    const list = gathered.get(row.subscriberId)
    if (list) list.push(row)
    else gathered.set(row.subscriberId, [row])
  }
  return gathered
}
