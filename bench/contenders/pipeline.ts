import { setTimeout } from 'node:timers/promises'
import { planEdition } from '../../src/actions/editions/plan.ts'
import { findEdition, tallyOf } from '../../src/db/ledger/editions.ts'
import { openApp } from '../../src/open-app.ts'
import { startWorker } from '../../src/worker.ts'
import { benchConfig, quietLog } from '../installation.ts'
import { type Measured, measured, optionsFromBench, tellBench } from '../measure.ts'
import { clockFromSlot, SLOT } from '../settings.ts'

/** `redis`: the socket of one that outlives this process; `since`: when the first of several processes began. */
export type PipelineOptions = {
  file: string
  providerUrl: string
  rate?: string
  redis?: string
  since?: number
}
export type PipelineOutcome = Measured & { planned: Measured; submitted: Measured }

// One worker process as production wires it: real Redis, a database file, an edition from plan to last receipt.
const { file, providerUrl, rate, redis, since } = optionsFromBench<PipelineOptions>()
const app = await openApp(benchConfig(file, providerUrl, rate), {
  log: quietLog(),
  now: clockFromSlot(since),
  ...(redis !== undefined && { redis: { path: redis } }),
})

let planned: Measured | undefined
let submitted: Measured | undefined
const outcome = await measured(async () => {
  planned = await measured(async () => {
    await planEdition(app, SLOT)
    return (await tallyOf(app.store, SLOT.editionId)).waiting
  })
  submitted = await measured(submit)
  return submitted.mails
})
tellBench({ ...outcome, planned, submitted })
await app.close()

async function submit(): Promise<number> {
  const worker = await startWorker(app, { scheduled: false }) // enqueues the batches itself
  while ((await findEdition(app.store, SLOT.editionId))?.state !== 'submitted') await setTimeout(20)
  await worker.stop()
  return (await tallyOf(app.store, SLOT.editionId)).submitted
}
