import type { Command } from 'commander'
import { door, type Terminal } from './terminal.ts'

/** Adds `demo`. */
export function addDemo(openseat: Command, terminal: Terminal): void {
  openseat
    .command('demo')
    .description(
      'show it all with invented people, a private Redis and a local Resend with an inbox; mails nobody',
    )
    .option('--once', 'end when the edition is through')
    .option('--json', 'print one JSON document on stdout')
    .action(
      door(terminal, async ({ once = false, json = false }: { once?: boolean; json?: boolean }) => {
        const { demo } = await import('../dev/demo.ts')
        await demo({ once, json })
        return undefined
      }),
    )
    .addHelpText(
      'after',
      '\nIt needs no settings and leaves nothing behind.\n\nExample:\n  $ openseat demo --once',
    )
}
