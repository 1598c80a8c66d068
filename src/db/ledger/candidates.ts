import type { KnownCandidate, ResendFacts } from '../../core/audience/judge.ts'
import { and, eq, gt, lte, type SQL, sql } from '../drizzle.ts'
import { topicRowsBetween, topicRowsOf } from '../people/topic-rows.ts'
import { subscribers, suppressions } from '../schema/people.ts'
import { prepared, type Store } from '../store.ts'

/** The next candidates of the edition's audience, `limit` at most, in order of id; empty when all are planned. */
export async function candidatesAfter(
  { read }: Store,
  edition: { audienceThrough: number },
  afterId: number,
  limit: number,
): Promise<KnownCandidate[]> {
  const rows = await candidatesBetween(read).all({ afterId, throughId: edition.audienceThrough, limit })
  const topicRows = await topicRowsBetween(read, afterId, rows.at(-1)?.id ?? afterId)
  return rows.map((row) => ({ ...row, topicRows: topicRows.get(row.id) ?? [] }))
}

/** What the judge must know of a subscriber. */
export const CANDIDATE = {
  id: subscribers.id,
  status: subscribers.status,
  pausedUntil: subscribers.pausedUntil,
  cadence: subscribers.cadence,
  lastEditionId: subscribers.lastEditionId,
  seenThrough: subscribers.seenThrough,
  suppressed: sql<boolean>`${suppressions.emailHash} is not null`.mapWith(Boolean),
}

const candidatesBetween = prepared((read) =>
  read
    .select(CANDIDATE)
    .from(subscribers)
    .leftJoin(suppressions, eq(suppressions.emailHash, subscribers.emailHash))
    .where(
      and(gt(subscribers.id, sql.placeholder('afterId')), lte(subscribers.id, sql.placeholder('throughId'))),
    )
    .orderBy(subscribers.id)
    .limit(sql.placeholder('limit'))
    .prepare(),
)

/** Whose deliveries a resend takes up again: by how the last one of each reader ended, one reader's, or who was shown a session. */
export type ResendScope =
  | { kind: 'failed' }
  | { kind: 'unknown' }
  | { kind: 'all' }
  | { kind: 'to'; subscriberId: number }
  | { kind: 'correct'; sessionId: number }

/** A reader that a resend may go to. */
export type ResendCandidate = KnownCandidate & ResendFacts

/** The readers in scope. `all` does not include readers that the edition itself left out; `to` may be anyone. */
export async function resendCandidates(
  { read }: Store,
  editionId: string,
  scope: ResendScope,
): Promise<ResendCandidate[]> {
  const first = sql`(select seen_through from deliveries where subscriber_id = ${subscribers.id}
    and edition_id = ${editionId} and generation = 0)`
  const rows = await read
    .select({
      ...CANDIDATE,
      firstSeenThrough: sql<number>`coalesce(${first}, ${subscribers.seenThrough})`,
      waitsIn: sql<string | null>`(${later(editionId)} and l.state = 'waiting')`,
      inDoubtIn: sql<
        string | null
      >`(${later(editionId)} and (l.state = 'unknown' or o.first_attempt_at is not null and l.state = 'waiting'))`,
    })
    .from(subscribers)
    .leftJoin(suppressions, eq(suppressions.emailHash, subscribers.emailHash))
    .where(inScope(editionId, scope))
    .orderBy(subscribers.id)
    .all()
  const topicRows = await topicRowsOf(
    read,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => ({ ...row, topicRows: topicRows.get(row.id) ?? [] }))
}

/** Whether an earlier release sent some of the edition: then nobody knows what exactly it showed. */
export async function isUnrecorded({ read }: Store, editionId: string): Promise<boolean> {
  // A batch is frozen at once, so one of its deliveries stands for all; those of erased readers say nothing any more.
  const row = await read.get(sql`select 1 as one from batches b where b.edition_id = ${editionId}
    and exists (select 1 from (select d.shown as shown from deliveries d
      where d.batch_id = b.id and d.state = 'submitted' and d.subscriber_id is not null limit 1) as one_of where one_of.shown is null) limit 1`)
  return row !== undefined
}

/** How many emails of an edition showed this session; counts `most` at most, as a large list takes long to read. */
export async function countShown(
  { read }: Pick<Store, 'read'>,
  { editionId, sessionId }: { editionId: string; sessionId: number },
  most: number,
): Promise<number> {
  const row = await read.get<{ n: number }>(sql`select count(*) as n from (select 1 as one from deliveries d
    where d.edition_id = ${editionId} and d.state = 'submitted' and ${showed(sessionId)}
    limit ${most}) as some_of_them`)
  return row.n
}

const showed = (sessionId: number): SQL => sql`',' || d.shown || ',' like ${`%,${sessionId},%`}`

const later = (editionId: string): SQL => sql`select max(l.edition_id)
  from deliveries l join batches o on o.id = l.batch_id
  where l.subscriber_id = ${subscribers.id} and l.edition_id > ${editionId}`

const ENDED = { failed: "('failed')", unknown: "('unknown')", all: "('submitted','failed','unknown')" }

/** By the last delivery of each reader. */
function inScope(editionId: string, scope: ResendScope): SQL {
  if (scope.kind === 'to') return eq(subscribers.id, scope.subscriberId)
  if (scope.kind === 'correct')
    return sql`${subscribers.id} in (select d.subscriber_id from deliveries d
      where d.edition_id = ${editionId} and d.state = 'submitted' and d.subscriber_id is not null
        and ${showed(scope.sessionId)})`
  return sql`${subscribers.id} in (select d.subscriber_id from deliveries d
    where d.edition_id = ${editionId} and d.state in ${sql.raw(ENDED[scope.kind])} and d.subscriber_id is not null
      and not exists (select 1 from deliveries later where later.subscriber_id = d.subscriber_id
        and later.edition_id = d.edition_id and later.generation > d.generation))`
}
