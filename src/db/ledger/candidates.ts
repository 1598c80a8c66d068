import { failpoint } from '../../failpoint.ts'
import { eq, inArray } from '../drizzle.ts'
import type { Db } from '../open.ts'
import { editions, subscriberTopics } from '../schema.ts'
import { audit } from './editions.ts'
import { bySubscriber, insertDeliveries, type KnownCandidate, type Verdict } from './verdicts.ts'

/** Whose deliveries a resend takes up again: by how the last one of each reader ended, or one reader's. */
export type ResendScope =
  | { kind: 'failed' }
  | { kind: 'unknown' }
  | { kind: 'all' }
  | { kind: 'to'; subscriberId: number }

/**
 * A reader whom a resend may reach; `firstSeenThrough` is what they had seen when the edition was first planned. The
 * others name the newest later edition whose email to them waits to be submitted, or may have reached them already: it
 * tells all of this edition that is still news to them.
 */
export type ResendCandidate = KnownCandidate & {
  firstSeenThrough: number
  waitsIn: string | null
  inDoubtIn: string | null
}

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
  const topicRows = topicRowsOf(db, rows)
  return rows.map((row) => ({
    ...row,
    suppressed: row.suppressed === 1,
    topicRows: topicRows.get(row.id) ?? [],
  }))
}

/**
 * Adds a generation to an edition that was submitted and opens it again, all in one transaction.
 * Returns its number; null when the edition is not `submitted` (any more).
 */
export async function addGeneration(
  db: Db,
  editionId: string,
  resend: { verdicts: readonly Verdict[]; again: boolean; note: string },
  now: Date,
): Promise<number | null> {
  return db.transaction(
    (tx) => {
      const edition = tx
        .select({ state: editions.state, prunedAt: editions.prunedAt })
        .from(editions)
        .where(eq(editions.id, editionId))
        .get()
      if (edition?.state !== 'submitted' || edition.prunedAt !== null) return null
      const { latest } = db.$client
        .prepare('select coalesce(max(generation), 0) as latest from edition_tally where edition_id = ?')
        .get(editionId) as { latest: number }
      insertDeliveries(db, editionId, latest + 1, resend.verdicts, resend.again)
      tx.update(editions)
        .set({ state: 'submitting', finishedAt: null })
        .where(eq(editions.id, editionId))
        .run()
      audit(tx, now, 'edition resent', editionId, resend.note)
      failpoint('before-resend')
      return latest + 1
    },
    { behavior: 'immediate' },
  )
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

function topicRowsOf(db: Db, rows: readonly Row[]) {
  const all =
    rows.length > 500
      ? undefined
      : inArray(
          subscriberTopics.subscriberId,
          rows.map((row) => row.id),
        )
  return bySubscriber(db.select().from(subscriberTopics).where(all).all())
}
