import type { Exclusion } from '../../core/audience/exclusion.ts'
import { failpoint, guardOn } from '../../failpoint.ts'
import { and, eq } from '../drizzle.ts'
import { type Db, unsynced } from '../open.ts'
import { editions } from '../schema/ledger.ts'
import { batchAdder } from './batch-states.ts'
import { deliveryAdder } from './delivery-states.ts'

/** The planner's word on one candidate: null = recipient. */
export type Verdict = { subscriberId: number; seenThrough: number; exclusion: Exclusion | null }

/** How many deliveries go to the provider in one call, and share a key and a claim. */
const BATCH_SIZE = 100

/**
 * Writes the verdicts on the candidates after `from`, freezes them into deliveries and batches of `BATCH_SIZE`, and
 * moves the planner's mark on. False when another planner was there first, or the edition is no longer being planned:
 * then nothing was written.
 */
export async function recordVerdicts(
  db: Db,
  editionId: string,
  from: number,
  verdicts: readonly Verdict[],
): Promise<boolean> {
  const through = verdicts.at(-1)?.subscriberId ?? from
  // A chunk that a power cut takes back is planned again from the mark; `finishPlanning` waits for the disk, for all.
  return unsynced(db, () =>
    db.transaction(
      (tx) => {
        const mine = and(
          eq(editions.id, editionId),
          eq(editions.state, 'planning'),
          guardOn('planner-mark') ? eq(editions.plannedThrough, from) : undefined,
        )
        if (tx.update(editions).set({ plannedThrough: through }).where(mine).run().changes === 0) return false
        insertVerdicts(db, editionId, 0, verdicts)
        failpoint('before-verdicts')
        return true
      },
      { behavior: 'immediate' },
    ),
  )
}

/** Inside a transaction: one delivery per verdict, the recipients in batches; an unfilled last batch is filled first. */
export function insertVerdicts(
  db: Db,
  editionId: string,
  generation: number,
  verdicts: readonly Verdict[],
  again = false,
): void {
  const addDelivery = deliveryAdder(db, editionId, generation)
  const addBatch = batchAdder(db, { editionId, generation, again })
  const setSize = db.$client.prepare('update batches set size = ? where id = ?')
  let batch = lastBatch(db, editionId, generation) ?? { id: 0, number: 0, size: BATCH_SIZE }

  for (const { subscriberId, seenThrough, exclusion } of verdicts) {
    if (exclusion !== null) {
      addDelivery({ subscriberId, seenThrough, state: 'excluded', reason: exclusion })
      continue
    }
    if (batch.size >= BATCH_SIZE) {
      if (batch.id > 0) setSize.run(batch.size, batch.id)
      const number = batch.number + 1
      batch = { id: addBatch(number), number, size: 0 }
    }
    addDelivery({ subscriberId, seenThrough, state: 'waiting', batchId: batch.id })
    batch.size += 1
  }
  if (batch.id > 0) setSize.run(batch.size, batch.id)
}

type OpenBatch = { id: number; number: number; size: number }

function lastBatch(db: Db, editionId: string, generation: number): OpenBatch | undefined {
  return db.$client
    .prepare<unknown[], OpenBatch>(
      'select id, number, size from batches where edition_id = ? and generation = ? order by number desc limit 1',
    )
    .get(editionId, generation)
}
