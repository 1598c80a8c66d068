import { BREAKER } from '../../core/provider/breaker.ts'
import { count, desc, eq, sum } from '../drizzle.ts'
import { batches, editionTally, notices, providerEvents, unfinished } from '../schema/ledger.ts'
import { suppressions } from '../schema/people.ts'
import type { Queries, Store } from '../store.ts'
import { allEditions, type Edition } from './editions.ts'

/** The state of the ledger in numbers. It reads tallies and partial indexes, so it costs the same for a list of any size. */
export type LedgerStats = {
  newest: Edition | null
  editions: Record<string, number>
  paused: { breaker: number; other: number }
  deliveries: Record<string, number>
  newestDeliveries: Record<string, number>
  batchesOwed: number
  noticesOwed: number
  suppressions: Record<string, number>
  /** When the provider last reported something, ms UTC. */
  lastReportAt: number | null
}

const STATES = { waiting: 0, submitted: 0, excluded: 0, failed: 0, unknown: 0 }
const EDITIONS = { planning: 0, submitting: 0, submitted: 0, paused: 0, cancelled: 0 }

/** Reads `LedgerStats`. */
export async function ledgerStats(store: Store): Promise<LedgerStats> {
  const all = await allEditions(store)
  const [newest = null] = all
  const waiting = all.filter(({ state }) => state === 'paused')
  const breaker = waiting.filter(({ pauseReason }) => pauseReason?.startsWith(BREAKER)).length
  return {
    newest,
    editions: all.reduce((counts, { state }) => ({ ...counts, [state]: counts[state] + 1 }), EDITIONS),
    paused: { breaker, other: waiting.length - breaker },
    deliveries: await tallied(store.read, null),
    newestDeliveries: newest ? await tallied(store.read, newest.id) : STATES,
    batchesOwed: await owed(store.read, batches),
    noticesOwed: await owed(store.read, notices),
    suppressions: await suppressed(store.read),
    lastReportAt: await lastReportAt(store),
  }
}

/** When the provider last reported anything, ms UTC; null: never. */
export async function lastReportAt(store: Store): Promise<number | null> {
  const { receivedAt: at } = providerEvents
  const newest = await store.read.select({ at }).from(providerEvents).orderBy(desc(at)).limit(1).get()
  return newest?.at ?? null
}

async function tallied(tx: Queries, editionId: string | null): Promise<Record<string, number>> {
  const rows = await tx
    .select({ state: editionTally.state, count: sum(editionTally.count).mapWith(Number) })
    .from(editionTally)
    .where(editionId === null ? undefined : eq(editionTally.editionId, editionId))
    .groupBy(editionTally.state)
    .all()
  return { ...STATES, ...Object.fromEntries(rows.map((row) => [row.state, row.count])) }
}

async function owed(tx: Queries, table: typeof batches | typeof notices): Promise<number> {
  return (await tx.select({ count: count() }).from(table).where(unfinished(table)).get())?.count ?? 0
}

async function suppressed(tx: Queries): Promise<Record<string, number>> {
  const { reason } = suppressions
  const rows = await tx.select({ reason, count: count() }).from(suppressions).groupBy(reason).all()
  return Object.fromEntries(rows.map((row) => [row.reason, row.count]))
}
