import type { App } from '../../app.ts'
import { type Hold, heldBecause } from '../../core/hold.ts'
import { readEpoch, signEpoch } from '../../core/tokens.ts'
import { advanceEpoch, lookForCopy } from '../../db/restore/epoch.ts'
import type { Store } from '../../db/store.ts'

type Needs = Pick<App, 'store' | 'hashKey' | 'log' | 'now' | 'queue'>

/**
 * Detects a copied or rolled-back database, by the file beside it and Redis; otherwise advances the epoch. Called at the
 * start of a worker and by each sweep, before anything is planned. Returns why nothing may go out, or null; each process
 * logs it once.
 */
export async function watchEpoch(app: Needs): Promise<Hold | null> {
  const published = readEpoch(app.hashKey, await app.queue.publishedEpoch())
  const hold = await lookForCopy(app.store, app.now(), published)
  if (hold !== null) {
    if (!said.has(app.store)) app.log.error({ reason: hold.reason, held: true }, heldBecause(hold))
    said.add(app.store)
    return hold
  }
  said.delete(app.store)
  try {
    const epoch = await advanceEpoch(app.store, app.now())
    if (epoch !== null) await app.queue.publishEpoch(signEpoch(app.hashKey, epoch))
  } catch (error) {
    // Not fatal: submitting has its own check that the database can be written.
    app.log.warn({ error: (error as Error).message }, 'how far the database has come could not be noted')
  }
  return null
}

/** The databases whose hold this process has logged. */
const said = new WeakSet<Store>()
