import type { App, SweepWaker } from '../../app.ts'
import { cancelEdition, pauseEdition, resumeEdition } from '../../db/ledger/edition-states.ts'
import { findEdition } from '../../db/ledger/editions.ts'
import { demand } from '../operators/acting.ts'

/** The outcome of pausing, resuming, or canceling an edition. */
export type ControlOutcome = { kind: 'done' } | { kind: 'refused'; reason: string } | { kind: 'not-found' }

type Control = Pick<App, 'store' | 'now' | 'actor'>

/** Stops the edition before its next batch. A batch that is at the provider now is still recorded. */
export async function pause(app: Control, id: string, reason: string): Promise<ControlOutcome> {
  demand(app, 'editions.control')
  return outcome(app, id, await pauseEdition(app.store, id, reason, app.now()), 'paused')
}

/** Continues a paused edition, and wakes the sweep for it. */
export async function resume(app: Control & { queue: SweepWaker }, id: string): Promise<ControlOutcome> {
  demand(app, 'editions.control')
  const resumed = await resumeEdition(app.store, id, app.now())
  if (resumed) await app.queue.wakeSweep()
  return outcome(app, id, resumed, 'resumed')
}

/** Ends the edition permanently: what was not attempted is excluded as `cancelled`. */
export async function cancel(app: Control, id: string): Promise<ControlOutcome> {
  demand(app, 'editions.control')
  return outcome(app, id, await cancelEdition(app.store, id, app.now()), 'cancelled')
}

async function outcome(app: Control, id: string, done: boolean, verb: string): Promise<ControlOutcome> {
  if (done) return { kind: 'done' }
  const edition = await findEdition(app.store, id)
  if (edition === null) return { kind: 'not-found' }
  return { kind: 'refused', reason: `edition ${id} is ${edition.state}, so it cannot be ${verb}` }
}
