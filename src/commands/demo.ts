import type { Command } from 'commander'
import { command, type Terminal } from './terminal.ts'

/** Adds `demo`. */
export function addDemo(openseat: Command, terminal: Terminal): void {
  openseat
    .command('demo')
    .description(
      'show everything with invented people, a private Redis, and an inbox that shows each email; emails no one',
    )
    .option('--once', 'exit when the edition is finished')
    .option('--json', 'print one JSON document on stdout')
    .action(
      command(terminal, async ({ once = false, json = false }: { once?: boolean; json?: boolean }) => {
        const { demo } = await import('../demo/demo.ts')
        await demo({ once, json })
        return undefined
      }),
    )
    .addHelpText(
      'after',
      '\nIt needs no settings and cleans up after itself.\n\nExample:\n  $ openseat demo --once',
    )
}
