import type { Command } from 'commander'
import { addressGiven } from './address-given.ts'
import { command, editionId, noSuchEdition, type Terminal } from './terminal.ts'

/** Adds `explain`. */
export function addExplain(openseat: Command, terminal: Terminal): void {
  openseat
    .command('explain')
    .argument('<email>', 'the address that was asked about; - reads stdin')
    .argument('<id>', 'the edition, by its date')
    .description('say why this person did or did not get that edition')
    .option('--json', 'print one JSON document on stdout')
    .action(
      command(terminal, async (given: string, text: string, options: { json?: boolean }) => {
        const id = editionId(text)
        const email = await addressGiven(terminal, given)
        const { explain } = await import('../actions/editions/explain.ts')
        const explanation = await terminal.withInstallation((installation) =>
          explain(installation, email, id),
        )
        if (explanation === null) throw noSuchEdition(id)
        terminal.show(options, explanation, explanation.sentence)
        return undefined
      }),
    )
    .addHelpText('after', '\nExample:\n  $ openseat explain mara@sample.test 2026-11-23')
}
