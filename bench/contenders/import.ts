import { importSubscribers } from '../../src/actions/import-subscribers.ts'
import { openLedger } from '../../src/app.ts'
import { benchConfig, clockFromSlot, quietLog, readerAt } from '../installation.ts'
import { measured, optionsFromBench, tellBench } from '../measure.ts'

export type ImportOptions = { file: string; subscribers: number }

// A CSV file of new subscribers, as `subscribers import` reads it. `mails` are the subscribers added.
const { file, subscribers } = optionsFromBench<ImportOptions>()
const ledger = await openLedger(benchConfig(file, 'http://127.0.0.1:9'), {
  log: quietLog(),
  now: clockFromSlot(),
})
const outcome = await measured(async () => {
  const consent = { consent: 'asked on paper', skipInvalid: false }
  const { report } = await importSubscribers(ledger, csv(), consent)
  return report.added
})
tellBench(outcome)
await ledger.close()

async function* csv(): AsyncGenerator<string> {
  yield 'email,name,time_zone,topics\n'
  for (let from = 0; from < subscribers; from += 1000) yield lines(from, Math.min(from + 1000, subscribers))
}

function lines(from: number, to: number): string {
  const readers = Array.from({ length: to - from }, (_, n) => readerAt(from + n))
  return readers
    .map(({ email, name, timeZone, topics }) => `${email},${name},${timeZone},${topics.join(';')}\n`)
    .join('')
}
