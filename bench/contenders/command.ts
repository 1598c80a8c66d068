import { program } from '../../src/commands/program.ts'
import { openTerminal } from '../../src/commands/terminal.ts'
import { tallyOf } from '../../src/db/ledger/editions.ts'
import { openApp } from '../../src/open-app.ts'
import { benchConfig, quietLog } from '../installation.ts'
import { type Measured, measured, optionsFromBench, tellBench } from '../measure.ts'
import { benchEnvironment, clockFromSlot, SLOT } from '../settings.ts'

export type CommandOptions = { file: string; providerUrl: string }

// `edition send --wait` as an operator types it: measured from the plan to the summary, without startup.
const { file, providerUrl } = optionsFromBench<CommandOptions>()
let outcome: Measured | undefined
const terminal = {
  ...openTerminal(benchEnvironment(file, providerUrl, '1000')),
  async withApp<T>(work: (app: Awaited<ReturnType<typeof openApp>>) => Promise<T>): Promise<T> {
    const app = await openApp(benchConfig(file, providerUrl), { log: quietLog(), now: clockFromSlot() })
    const results: T[] = []
    try {
      outcome = await measured(async () => {
        results.push(await work(app))
        return (await tallyOf(app.store, SLOT.editionId)).submitted
      })
    } finally {
      await app.close()
    }
    return results[0] as T
  },
  show() {}, // stdout is for the bench
}
await program(terminal).parseAsync(['edition', 'send', '--wait', '--json'], { from: 'user' })
if (outcome === undefined || terminal.exitCode !== 0) throw new Error('the command did not see it through')
tellBench(outcome)
