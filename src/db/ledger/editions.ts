import type { Exclusion } from '../../core/audience/exclusion.ts'
import { type Offer, thawed } from '../../core/sessions/offers.ts'
import { and, desc, eq, isNull, lt, max, sql } from '../drizzle.ts'
import { batches, editionSessions, editions, editionTally } from '../schema/ledger.ts'
import { prepared, type Store } from '../store.ts'

/** One weekly issue in the ledger; `paused` may be during planning or submitting. Instants are ms UTC. */
export type Edition = Omit<typeof editions.$inferSelect, 'state'> & {
  state: 'planning' | 'submitting' | 'submitted' | 'paused' | 'cancelled'
}

/** Where the deliveries of an edition stand. `candidates` is the sum of all the others, always. */
export type Tally = {
  candidates: number
  submitted: number
  excluded: Partial<Record<Exclusion, number>>
  failed: number
  unknown: number
  waiting: number
}

/** The edition, or null. */
export async function findEdition(store: Store, id: string): Promise<Edition | null> {
  const row = await editionById(store.read).get({ id })
  return row ? asSeen(row) : null
}

const editionById = prepared((read) =>
  read
    .select()
    .from(editions)
    .where(eq(editions.id, sql.placeholder('id')))
    .prepare(),
)

/** The newest edition before this one; null if there is none. */
export async function newestBefore({ read }: Store, id: string): Promise<Edition | null> {
  const before = read.select().from(editions).where(lt(editions.id, id)).orderBy(desc(editions.id))
  const row = await before.limit(1).get()
  return row ? asSeen(row) : null
}

/** The newest edition; null if there is none. */
export async function newestEdition({ read }: Store): Promise<Edition | null> {
  const row = await read.select().from(editions).orderBy(desc(editions.id)).limit(1).get()
  return row ? asSeen(row) : null
}

/** All editions, newest first. */
export async function allEditions(store: Store): Promise<Edition[]> {
  return (await store.read.select().from(editions).orderBy(desc(editions.id)).all()).map(asSeen)
}

/** At most `most` editions, newest first, without the first `skip`. */
export async function someEditions(
  store: Store,
  { skip, most }: { skip: number; most: number },
): Promise<Edition[]> {
  const rows = store.read.select().from(editions).orderBy(desc(editions.id)).limit(most).offset(skip)
  return (await rows.all()).map(asSeen)
}

/** Editions that were begun and whose audience is not wholly planned, oldest first; a paused one is left alone. */
export async function halfPlannedEditions(store: Store): Promise<Edition[]> {
  const rows = store.read
    .select()
    .from(editions)
    .where(and(eq(editions.state, 'planning'), isNull(editions.pausedAt)))
    .orderBy(editions.id)
  return (await rows.all()).map(asSeen)
}

/** Editions that are being submitted, paused ones too. */
export async function unfinishedEditions(store: Store): Promise<Edition[]> {
  return (
    await store.read
      .select()
      .from(editions)
      .where(eq(editions.state, 'submitting'))
      .orderBy(editions.id)
      .all()
  ).map(asSeen)
}

/** The offers that the edition was planned with. */
export async function offersOfEdition(store: Store, id: string): Promise<Offer[]> {
  const rows = await store.read
    .select({ snapshot: editionSessions.snapshot })
    .from(editionSessions)
    .where(eq(editionSessions.editionId, id))
    .all()
  return rows.map((row) => thawed(JSON.parse(row.snapshot) as Partial<Offer>))
}

/** The sum of an edition over all generations, or of one. It costs the same at any size (tally.ts). */
export async function tallyOf(store: Store, id: string, generation?: number): Promise<Tally> {
  const rows = await store.read
    .select({
      state: editionTally.state,
      reason: editionTally.reason,
      count: sql<number>`sum(${editionTally.count})`,
    })
    .from(editionTally)
    .where(
      and(
        eq(editionTally.editionId, id),
        generation === undefined ? undefined : eq(editionTally.generation, generation),
      ),
    )
    .groupBy(editionTally.state, editionTally.reason)
    .all()
  const tally: Tally = { candidates: 0, submitted: 0, excluded: {}, failed: 0, unknown: 0, waiting: 0 }
  for (const { state, reason, count } of rows) {
    if (count === 0) continue
    tally.candidates += count
    if (state === 'excluded') tally.excluded[reason as Exclusion] = count
    else tally[state] += count
  }
  return tally
}

/** How many batches an edition has in each state. */
export async function batchCounts(store: Store, id: string): Promise<Record<string, number>> {
  const rows = await store.read
    .select({ state: batches.state, count: sql<number>`count(*)` })
    .from(batches)
    .where(eq(batches.editionId, id))
    .groupBy(batches.state)
    .all()
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]))
}

/** The newest generation of an edition; 0 when there was no resend. */
export async function latestGeneration(store: Store, id: string): Promise<number> {
  const row = await store.read
    .select({ value: max(editionTally.generation) })
    .from(editionTally)
    .where(eq(editionTally.editionId, id))
    .get()
  return row?.value ?? 0
}

function asSeen(row: typeof editions.$inferSelect): Edition {
  const ended = row.state === 'submitted' || row.state === 'cancelled'
  return { ...row, state: row.pausedAt !== null && !ended ? 'paused' : row.state }
}
