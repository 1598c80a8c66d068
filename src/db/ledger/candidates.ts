import type { KnownCandidate, ResendFacts } from '../../core/audience/judge.ts'
import { type Db, statement } from '../open.ts'
import { topicRowsBetween, topicRowsOf } from '../people/topic-rows.ts'

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

/** Whose deliveries a resend takes up again: by how the last one of each reader ended, or one reader's. */
export type ResendScope =
  | { kind: 'failed' }
  | { kind: 'unknown' }
  | { kind: 'all' }
  | { kind: 'to'; subscriberId: number }

/** A reader whom a resend may reach. */
export type ResendCandidate = KnownCandidate & ResendFacts

/** The readers in scope. Those whom the edition itself left out are not among `all`; `to` may be anyone. */
export async function resendCandidates(
  db: Db,
  editionId: string,
  scope: ResendScope,
): Promise<ResendCandidate[]> {
  const rows = db.$client
    .prepare<{ edition: string; subscriber: number | null }, Row>(
      `select s.id, s.status, s.paused_until as pausedUntil, s.cadence, s.last_edition_id as lastEditionId,
              s.seen_through as seenThrough, x.email_hash is not null as suppressed,
              coalesce(first.seen_through, s.seen_through) as firstSeenThrough,
              (${LATER} and l.state = 'waiting') as waitsIn,
              (${LATER} and (l.state = 'unknown' or o.first_attempt_at is not null and l.state = 'waiting')) as inDoubtIn
       from ${FROM[scope.kind]}
       left join suppressions x on x.email_hash = s.email_hash
       left join deliveries first on first.subscriber_id = s.id and first.edition_id = @edition and first.generation = 0
       order by s.id`,
    )
    .all({ edition: editionId, subscriber: scope.kind === 'to' ? scope.subscriberId : null })
  const topicRows = topicRowsOf(
    db,
    rows.map(({ id }) => id),
  )
  return rows.map((row) => ({
    ...row,
    suppressed: row.suppressed === 1,
    topicRows: topicRows.get(row.id) ?? [],
  }))
}

type Row = Omit<ResendCandidate, 'suppressed' | 'topicRows'> & { suppressed: number }

const LATER = `select max(l.edition_id) from deliveries l join batches o on o.id = l.batch_id
  where l.subscriber_id = s.id and l.edition_id > @edition`

const LAST = `not exists (select 1 from deliveries later where later.subscriber_id = d.subscriber_id
  and later.edition_id = d.edition_id and later.generation > d.generation)`

const endedAs = (states: string) =>
  `deliveries d join subscribers s on s.id = d.subscriber_id and d.edition_id = @edition and d.state in (${states}) and ${LAST} and @subscriber is null`

const FROM: Record<ResendScope['kind'], string> = {
  failed: endedAs("'failed'"),
  unknown: endedAs("'unknown'"),
  all: endedAs("'submitted','failed','unknown'"),
  to: '(select * from subscribers where id = @subscriber) s',
}
