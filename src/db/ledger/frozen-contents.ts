import { and, desc, eq, lt, type SQL, sql } from '../drizzle.ts'
import { batches, frozenContents, UNFINISHED } from '../schema/ledger.ts'
import { prepared, type Queries, type Store } from '../store.ts'

/** The template and the offers that a batch was frozen with, as text, each with its hash. */
export type FrozenContents = { template: string; templateHash: string; offers: string; offersHash: string }

/** Inside a transaction: stores what is not stored yet. */
export async function keepContents(tx: Queries, contents: FrozenContents): Promise<void> {
  const { template, templateHash, offers, offersHash } = contents
  const kept = await keptAmong(tx).all({ templateHash, offersHash }) // they are long, and the same for most batches
  const isNew = ({ hash }: { hash: string }) => !kept.some((one) => one.hash === hash)
  const added = [
    { hash: templateHash, kind: 'digest' as const, content: template },
    { hash: offersHash, kind: 'offers' as const, content: offers },
  ].filter(isNew)
  if (added.length > 0) await tx.insert(frozenContents).values(added).onConflictDoNothing().run()
}

const keptAmong = prepared((tx) =>
  tx
    .select({ hash: frozenContents.hash })
    .from(frozenContents)
    .where(
      sql`${frozenContents.hash} in (${sql.placeholder('templateHash')}, ${sql.placeholder('offersHash')})`,
    )
    .prepare(),
)

/** A frozen template or list of offers by its hash; throws when it is missing, which nothing but a damaged file explains. */
export async function frozenContent(store: Store, hash: string): Promise<string> {
  const row = await store.read
    .select({ content: frozenContents.content })
    .from(frozenContents)
    .where(eq(frozenContents.hash, hash))
    .get()
  if (!row) throw new Error(`frozen content ${hash} is missing from the database`)
  return row.content
}

/** The template that an edition was first frozen with; null if it has none, or it is no longer kept. */
export async function frozenTemplateOf(store: Store, editionId: string): Promise<string | null> {
  const row = await store.read
    .select({ content: frozenContents.content })
    .from(batches)
    .innerJoin(frozenContents, eq(frozenContents.hash, batches.templateHash))
    .where(eq(batches.editionId, editionId))
    .orderBy(batches.id)
    .limit(1)
    .get()
  return row?.content ?? null
}

/** The offers that the last correction of a session in an edition was frozen with, as text; null if there was none. */
export async function lastCorrectedOffers(
  store: Store,
  { editionId, sessionId, before }: { editionId: string; sessionId: number; before: number | null },
): Promise<string | null> {
  const row = await store.read
    .select({ content: frozenContents.content })
    .from(batches)
    .innerJoin(frozenContents, eq(frozenContents.hash, batches.offersHash))
    .where(
      and(
        eq(batches.editionId, editionId),
        eq(batches.corrects, sessionId),
        before === null ? undefined : lt(batches.generation, before),
      ),
    )
    .orderBy(desc(batches.generation), desc(batches.number))
    .limit(1)
    .get()
  return row?.content ?? null
}

/**
 * Inside a transaction: removes offers that no unfinished batch was frozen with, or templates that no batch was; returns how
 * many. Templates are few, and `edition preview ID` shows an edition with its own. What a correction told stays, as the next
 * one is compared with it.
 */
export async function dropUnused(tx: Queries, kind: 'offers' | 'digest'): Promise<number> {
  const unused = sql`${frozenContents.hash} not in (${HASHES_IN_USE[kind]})`
  return (
    await tx
      .delete(frozenContents)
      .where(and(eq(frozenContents.kind, kind), unused))
      .run()
  ).changes
}

const HASHES_IN_USE: Record<'offers' | 'digest', SQL> = {
  offers: sql.raw(
    `select offers_hash from batches where (state in ${UNFINISHED} or corrects is not null) and offers_hash is not null`,
  ),
  digest: sql.raw('select template_hash from batches where template_hash is not null'),
}
