import { planEdition } from '../../src/actions/plan-edition.ts'
import { openLedger } from '../../src/app.ts'
import { tallyOf } from '../../src/db/editions.ts'
import { benchConfig, clockFromSlot, quietLog, SLOT } from '../installation.ts'
import { measured, optionsFromBench, tellBench } from '../measure.ts'

export type PlanningOptions = { file: string }

// Planning alone: who gets the edition, frozen into deliveries and batches. `mails` are the recipients.
const { file } = optionsFromBench<PlanningOptions>()
const ledger = await openLedger(benchConfig(file, 'http://127.0.0.1:9'), {
  log: quietLog(),
  now: clockFromSlot(),
})
const outcome = await measured(async () => {
  await planEdition(ledger, SLOT)
  return (await tallyOf(ledger.db, SLOT.editionId)).waiting
})
tellBench(outcome)
await ledger.close()
