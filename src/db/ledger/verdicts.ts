import type { Exclusion } from '../../core/audience/exclusion.ts'
import { failpoint, guardOn } from '../../failpoint.ts'
import { and, desc, eq } from '../drizzle.ts'
import { batches, editions } from '../schema/ledger.ts'
import type { Queries, Store } from '../store.ts'
import { addBatches, type NewBatches, resizeBatch } from './batch-states.ts'
import type { Batch } from './batches.ts'
import { addDeliveries } from './delivery-states.ts'
import { batchSize } from './first-wave.ts'

/** The planner's word on one candidate: null = recipient. */
export type Verdict = { subscriberId: number; seenThrough: number; exclusion: Exclusion | null }

/**
 * Writes the verdicts on the candidates after `from`, freezes them into deliveries and batches of 100 at most, and
 * moves the planner's mark on. False when another planner was there first, or the edition is no longer being planned:
 * then nothing was written.
 */
export async function recordVerdicts(
  store: Store,
  {
    editionId,
    installation,
    wave = false,
  }: Pick<NewBatches, 'editionId' | 'installation'> & { wave?: boolean },
  from: number,
  verdicts: readonly Verdict[],
): Promise<boolean> {
  const through = verdicts.at(-1)?.subscriberId ?? from
  // A chunk that a power cut takes back is planned again from the mark; `finishPlanning` waits for the disk, for all.
  return store.write(
    async (tx) => {
      const mine = and(
        eq(editions.id, editionId),
        eq(editions.state, 'planning'),
        guardOn('planner-mark') ? eq(editions.plannedThrough, from) : undefined,
      )
      const { changes } = await tx.update(editions).set({ plannedThrough: through }).where(mine).run()
      if (changes === 0) return false
      await insertVerdicts(tx, { editionId, installation, generation: 0, again: false }, verdicts, wave)
      failpoint('before-verdicts')
      return true
    },
    { durable: false },
  )
}

/** Inside a transaction: one delivery per verdict, the recipients in batches; an unfilled last batch is filled first. */
export async function insertVerdicts(
  tx: Queries,
  of: NewBatches,
  verdicts: readonly Verdict[],
  wave = false,
): Promise<void> {
  const recipients = verdicts.filter(({ exclusion }) => exclusion === null)
  const last = await lastBatch(tx, of)
  const room = last ? batchSize(last.number, wave) - last.size : 0
  const filled = recipients.slice(0, room)
  if (last && filled.length > 0) await resizeBatch(tx, last.id, last.size + filled.length)
  const added = await addBatches(
    tx,
    of,
    last?.number ?? 0,
    inPortions(recipients.slice(room), last?.number ?? 0, wave),
  )
  const batchOf = new Map([
    ...filled.map(({ subscriberId }) => [subscriberId, last?.id ?? null] as const),
    ...added.flatMap(({ id, members }) => members.map(({ subscriberId }) => [subscriberId, id] as const)),
  ])
  await addDeliveries(
    tx,
    of,
    verdicts.map(({ subscriberId, seenThrough, exclusion }) => {
      const batchId = batchOf.get(subscriberId) ?? null
      const state = exclusion === null ? 'waiting' : 'excluded'
      return { subscriberId, seenThrough, state, reason: exclusion, batchId }
    }),
  )
}

/** What goes into the batches after that number. */
function inPortions(verdicts: readonly Verdict[], after: number, wave: boolean): Verdict[][] {
  const portions: Verdict[][] = []
  for (let from = 0; from < verdicts.length; ) {
    const size = batchSize(after + portions.length + 1, wave)
    portions.push(verdicts.slice(from, from + size))
    from += size
  }
  return portions
}

function lastBatch(tx: Queries, { editionId, generation }: Pick<Batch, 'editionId' | 'generation'>) {
  const { id, number, size } = batches
  return tx
    .select({ id, number, size })
    .from(batches)
    .where(and(eq(batches.editionId, editionId), eq(batches.generation, generation)))
    .orderBy(desc(number))
    .limit(1)
    .get()
}
