import { createReadStream } from 'node:fs'
import { importSubscribers } from '../../src/actions/imports/subscribers.ts'
import { openStore } from '../../src/open-store.ts'
import { benchConfig, quietLog } from '../installation.ts'
import { measured, optionsFromBench, tellBench } from '../measure.ts'
import { clockFromSlot } from '../settings.ts'

export type ImportOptions = { file: string; csv: string }

// A CSV file of new subscribers, as `subscribers import` reads it. `mails` are the subscribers added.
const { file, csv } = optionsFromBench<ImportOptions>()
const store = await openStore(benchConfig(file, 'http://127.0.0.1:9'), {
  log: quietLog(),
  now: clockFromSlot(),
})
const outcome = await measured(async () => {
  const consent = { consent: 'asked on paper', skipInvalid: false }
  const { report } = await importSubscribers(store, createReadStream(csv), consent)
  return report.added
})
tellBench(outcome)
await store.close()
