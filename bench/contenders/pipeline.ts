import { setTimeout } from 'node:timers/promises'
import { planEdition } from '../../src/actions/plan-edition.ts'
import { openApp } from '../../src/app.ts'
import { findEdition, tallyOf } from '../../src/db/editions.ts'
import { startWorker } from '../../src/worker.ts'
import { benchConfig, clockFromSlot, quietLog, SLOT } from '../installation.ts'
import { type Measured, measured, optionsFromBench, tellBench } from '../measure.ts'

export type PipelineOptions = { file: string; providerUrl: string }
export type PipelineOutcome = Measured & { planSeconds: number; peakRssAfterPlanning: number }

// One worker process as production wires it: real Redis, a database file, an edition from plan to last receipt.
const { file, providerUrl } = optionsFromBench<PipelineOptions>()
const app = await openApp(benchConfig(file, providerUrl), { log: quietLog(), now: clockFromSlot() })
let planSeconds = 0
let peakRssAfterPlanning = 0

const outcome = await measured(async () => {
  const plan = await measured(async () => (await planEdition(app, SLOT)) && 0)
  planSeconds = plan.seconds
  peakRssAfterPlanning = plan.peakRssMegabytes
  const worker = await startWorker(app, { scheduled: false }) // rings for the batches itself
  while ((await findEdition(app.db, SLOT.editionId))?.state !== 'submitted') await setTimeout(20)
  await worker.stop()
  return (await tallyOf(app.db, SLOT.editionId)).submitted
})
tellBench({ ...outcome, planSeconds, peakRssAfterPlanning } satisfies PipelineOutcome)
await app.close()
