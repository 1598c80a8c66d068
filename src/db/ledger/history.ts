import { and, desc, eq, inArray, lt, ne, or, sql } from '../drizzle.ts'
import { fieldOf } from '../fragments.ts'
import { editionSessions, editions, editionTally } from '../schema/ledger.ts'
import type { Store } from '../store.ts'

/** What the editions before one were like; a review compares with them. */
export type EditionHistory = {
  /** The last one that went out. */
  last: { id: string; throughSeq: number; people: number } | null
  /** How many sessions were news in each of the last eight, newest first. */
  earlierNews: number[]
  /** The booking links of all of them. */
  bookingUrls: string[]
}

const COMPARED = 8

/** The history before an edition. Cancelled editions are no part of it. */
export async function historyBefore({ read }: Store, editionId: string): Promise<EditionHistory> {
  const wentOut = and(lt(editions.id, editionId), inArray(editions.state, ['submitting', 'submitted']))
  const earlier = sql`(select coalesce(max(p.through_seq), 0) from editions p
    where p.id < editions.id and p.state in ('submitting', 'submitted'))`
  const news = sql<number>`(select count(*) from edition_sessions s
    where s.edition_id = editions.id and s.seq > ${earlier})`
  const rows = await read
    .select({ id: editions.id, throughSeq: editions.throughSeq, news: news.mapWith(Number) })
    .from(editions)
    .where(wentOut)
    .orderBy(desc(editions.id))
    .limit(COMPARED)
    .all()
  const url = fieldOf(read, editionSessions.snapshot, 'bookingUrl')
  const links = await read
    .selectDistinct({ url })
    .from(editionSessions)
    .innerJoin(editions, eq(editions.id, editionSessions.editionId))
    .where(wentOut)
    .all()
  const [last = null] = rows
  return {
    last: last && {
      id: last.id,
      throughSeq: last.throughSeq,
      people: await peopleOf({ read }, last.id),
    },
    earlierNews: rows.map((row) => row.news),
    bookingUrls: links.flatMap((link) => link.url ?? []),
  }
}

/** Recipients, and those whose monthly email was not due: their weeks come and go, and are not odd. */
async function peopleOf({ read }: Pick<Store, 'read'>, editionId: string): Promise<number> {
  const { count, state, generation, reason } = editionTally
  const reached = or(ne(state, 'excluded'), eq(reason, 'monthly-not-due'))
  const first = and(eq(editionTally.editionId, editionId), eq(generation, 0), reached)
  const row = await read
    .select({ n: sql<number>`coalesce(sum(${count}), 0)`.mapWith(Number) })
    .from(editionTally)
    .where(first)
    .get()
  return row?.n ?? 0
}
