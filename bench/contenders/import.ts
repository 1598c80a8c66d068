import { createReadStream } from 'node:fs'
import { importSubscribers } from '../../src/actions/imports/subscribers.ts'
import { openInstallation } from '../../src/open-installation.ts'
import { benchConfig, quietLog } from '../installation.ts'
import { measured, optionsFromBench, tellBench } from '../measure.ts'
import { clockFromSlot } from '../settings.ts'

export type ImportOptions = { file: string; csv: string }

// A CSV file of new subscribers, as `subscribers import` reads it. `mails` counts the subscribers added.
const { file, csv } = optionsFromBench<ImportOptions>()
const installation = await openInstallation(benchConfig(file, 'http://127.0.0.1:9'), {
  log: quietLog(),
  now: clockFromSlot(),
})
const outcome = await measured(async () => {
  const consent = { consent: 'asked on paper', skipInvalid: false }
  const { report } = await importSubscribers(installation, createReadStream(csv), consent)
  return report.added
})
tellBench(outcome)
await installation.close()
