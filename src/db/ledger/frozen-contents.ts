import { and, eq, type SQL, sql } from '../drizzle.ts'
import type { Db } from '../open.ts'
import { frozenContents, UNFINISHED } from '../schema/ledger.ts'

/** The template and the offers that a batch was frozen with, as text, each with its hash. */
export type FrozenContents = { template: string; templateHash: string; offers: string; offersHash: string }

/** Inside a transaction: stores what is not stored yet. */
export function keepContents(tx: Pick<Db, 'insert'>, contents: FrozenContents): void {
  const { template, templateHash, offers, offersHash } = contents
  tx.insert(frozenContents)
    .values([
      { hash: templateHash, kind: 'digest', content: template },
      { hash: offersHash, kind: 'offers', content: offers },
    ])
    .onConflictDoNothing()
    .run()
}

/** A frozen template or list of offers by its hash; throws when it is missing, which nothing but a damaged file explains. */
export async function frozenContent(db: Db, hash: string): Promise<string> {
  const row = db
    .select({ content: frozenContents.content })
    .from(frozenContents)
    .where(eq(frozenContents.hash, hash))
    .get()
  if (!row) throw new Error(`frozen content ${hash} is missing from the database`)
  return row.content
}

/** Inside a transaction: removes offers, or templates, that no unfinished batch was frozen with; returns how many. */
export function dropUnused(db: Pick<Db, 'delete'>, kind: 'offers' | 'digest'): number {
  const unused = sql`${frozenContents.hash} not in (${HASHES_IN_USE[kind]})`
  return db
    .delete(frozenContents)
    .where(and(eq(frozenContents.kind, kind), unused))
    .run().changes
}

const inUse = (column: 'offers_hash' | 'template_hash'): SQL =>
  sql.raw(`select ${column} from batches where state in ${UNFINISHED} and ${column} is not null`)

const HASHES_IN_USE = { offers: inUse('offers_hash'), digest: inUse('template_hash') }
