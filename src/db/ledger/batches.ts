import { guardOn, waitOf } from '../../failpoint.ts'
import { and, asc, eq, isNull, lt, ne, or, type Placeholder, type SQL, sql } from '../drizzle.ts'
import { NOT_HELD } from '../restore/facts.ts'
import { batches, editions, type notices, UNFINISHED, unfinished } from '../schema/ledger.ts'
import { prepared, type Store } from '../store.ts'
import { NOT_BEHIND_WAVE } from './first-wave.ts'

/** Up to 100 deliveries that are submitted in one call. Instants are ms UTC. */
export type Batch = typeof batches.$inferSelect

/** A batch that is owed: planned and due, or claimed by someone who may be gone. */
export type OwedBatch = Pick<Batch, 'id' | 'state' | 'claimedBy' | 'claimedAt'>

/**
 * A claim for a batch: by which process, and when. `gone` names an owner that is known to have ended, whose claim may be
 * taken over before its lease runs out.
 */
export type Claim = { by: string; at: Date; gone: string | null }

/** A claim this old is taken over even when its owner seems alive: requests end after 30 s. */
const CLAIM_LEASE_MS = 90_000
/** Resend forgets a key after 24 h; from 23 h on it is not trusted. https://resend.com/docs/dashboard/emails/idempotency-keys */
const KEY_TRUST_MS = 23 * 3_600_000

/**
 * Another email that may be reaching a reader of this batch now, or may have reached them: of another edition, claimed or
 * in doubt. Both may show the same news. Only when the other has ended do we know what is still news.
 * As each batch waits for the other, no two of them are ever claimed at once. Where a release put both in doubt, the
 * older one goes first.
 */
export const otherEmailOpen = (leaseEnd: number | Placeholder): SQL =>
  sql`(exists (${openEmails(leaseEnd, '<')}) or exists (${openEmails(leaseEnd, '>')}))`

// Two ranges instead of one `<>`, so that the index skips the batches of the edition itself, which are thousands.
const openEmails = (leaseEnd: number | Placeholder, side: '<' | '>'): SQL => sql`
  select 1 from batches o
  join deliveries theirs on theirs.batch_id = o.id and theirs.state = 'waiting'
  join deliveries mine on mine.subscriber_id = theirs.subscriber_id and mine.edition_id = batches.edition_id
    and mine.generation = batches.generation and mine.batch_id = batches.id and mine.state = 'waiting'
  where o.state in ${sql.raw(UNFINISHED)} and o.edition_id ${sql.raw(side)} batches.edition_id
    and (o.first_attempt_at is not null or (o.state = 'submitting' and o.claimed_at >= ${leaseEnd}))
    and (batches.first_attempt_at is null or o.id < batches.id)`

/** A batch is frozen once: a retry sends the same bytes. */
export const freezesOnce = (): boolean => guardOn('frozen-content')

/** A claim made before this instant (ms UTC) has run out. */
export const leaseEnd = (now: Date): number => now.getTime() - waitOf('lease', CLAIM_LEASE_MS)

/** A key first used before this instant (ms UTC) is not trusted any more. */
export const keyTrustEnd = (now: Date): number =>
  now.getTime() - (guardOn('key-age') ? KEY_TRUST_MS : 100 * KEY_TRUST_MS)

/** Whether an edition that may go on, or a notice, is unfinished, be it due or not. False while the installation is held. */
export async function owesAnything(store: Store): Promise<boolean> {
  const open = sql.raw(UNFINISHED)
  const owes = sql`select 1 as owes where ${NOT_HELD} and (
    exists (select 1 from editions e where e.state = 'submitting' and e.paused_at is null
      and exists (select 1 from batches b where b.state in ${open} and b.edition_id = e.id))
    or exists (select 1 from notices where state in ${open}))`
  return (await store.read.get(owes)) !== undefined
}

/**
 * Batches the ledger owes and that could be claimed now, oldest first: due ones of editions that may go on, and all that
 * are claimed. One that has to wait for another email to its readers is not among them.
 */
export async function owedBatches(store: Store, now: Date, limit: number): Promise<OwedBatch[]> {
  const due = and(
    eq(batches.state, 'planned'),
    or(isNull(batches.nextAttemptAt), sql`${batches.nextAttemptAt} <= ${now.getTime()}`),
  )
  return await store.read
    .select({
      id: batches.id,
      state: batches.state,
      claimedBy: batches.claimedBy,
      claimedAt: batches.claimedAt,
    })
    .from(batches)
    .innerJoin(editions, eq(editions.id, batches.editionId))
    .where(
      and(
        unfinished(batches),
        eq(editions.state, 'submitting'),
        isNull(editions.pausedAt),
        or(due, eq(batches.state, 'submitting')),
        sql`not ${otherEmailOpen(leaseEnd(now))}`,
        sql`exists (select 1 from editions e where e.id = ${batches.editionId} and ${NOT_BEHIND_WAVE})`,
        NOT_HELD,
      ),
    )
    .orderBy(asc(batches.id))
    .limit(limit)
    .all()
}

/** The batch, or null. */
export async function findBatch(store: Store, id: number): Promise<Batch | null> {
  return (await batchById(store.read).get({ id })) ?? null
}

const batchById = prepared((read) =>
  read
    .select()
    .from(batches)
    .where(eq(batches.id, sql.placeholder('id')))
    .prepare(),
)

/** Whether the batch and its edition may go on: not so when one of them was cancelled, or the edition is paused. */
export async function mayGoOn(store: Store, id: number): Promise<boolean> {
  const row = await store.read
    .select({ state: editions.state, pausedAt: editions.pausedAt, batch: batches.state })
    .from(batches)
    .innerJoin(editions, eq(editions.id, batches.editionId))
    .where(eq(batches.id, id))
    .get()
  return row !== undefined && row.state === 'submitting' && row.pausedAt === null && row.batch !== 'cancelled'
}

/** Batches that are not claimed and whose key the provider no longer remembers. */
export async function batchesInDoubtTooLong(store: Store, now: Date): Promise<number[]> {
  const noLiveClaim = or(ne(batches.state, 'submitting'), lt(batches.claimedAt, leaseEnd(now)))
  const rows = store.read
    .select({ id: batches.id })
    .from(batches)
    .where(and(unfinished(batches), lt(batches.firstAttemptAt, keyTrustEnd(now)), noLiveClaim))
  return (await rows.all()).map((row) => row.id)
}

type Claimed = typeof batches | typeof notices

/** Of batches or notices: planned, or claimed under a lease that has run out or by `gone`, a claim owner known to be dead. */
export function claimable(
  table: Claimed,
  { leaseEnd, gone }: { leaseEnd: number | Placeholder; gone: string | null | Placeholder },
): SQL | undefined {
  const stale = or(lt(table.claimedAt, leaseEnd), gone === null ? undefined : eq(table.claimedBy, gone))
  return or(eq(table.state, 'planned'), and(eq(table.state, 'submitting'), stale))
}

/** This batch or notice, as long as the claim that `row` was returned with is still the one. */
export function stillClaimed(table: Claimed, row: Pick<Batch, 'id' | 'claimedBy'>): SQL | undefined {
  return and(eq(table.id, row.id), eq(table.state, 'submitting'), eq(table.claimedBy, row.claimedBy ?? ''))
}
