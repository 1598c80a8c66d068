import type { Command } from 'commander'
import { BadInput } from '../core/errors.ts'
import { addressGiven } from './address-given.ts'
import { counted, number, table } from './layout.ts'
import { command, type Terminal } from './terminal.ts'

type Options = { json?: boolean; to: string }

/** Adds `move`. */
export function addMove(openseat: Command, terminal: Terminal): void {
  openseat
    .command('move')
    .description('copy a stopped installation from its SQLite file to Postgres')
    .requiredOption('--to <url>', 'an empty database, like postgres://openseat:password@host/openseat')
    .option('--json', 'print one JSON document on stdout')
    .action(command(terminal, (options: Options) => move(terminal, options)))
    .addHelpText('after', NOTES)
}

const NOTES = `
Stop openseat first, on every machine. All tables are copied and compared; if it is
interrupted, nothing has arrived, and you can run it again. The file stays as it is.
Then set DATABASE_URL, and run "openseat release": the copy is held until you do.

Other users of this machine can see a command line. "--to -" reads the address, with
its password, from stdin.

Example:
  $ openseat move --to postgres://openseat@db.your-practice.org/openseat`

async function move(terminal: Terminal, options: Options): Promise<undefined> {
  const url = postgresAddress(await addressGiven(terminal, options.to, '--to'))
  const { moveTo } = await import('../actions/restore/move.ts')
  await terminal.withInstallation(async (installation) => {
    const tables = await moveTo(installation, url)
    const rows = tables.reduce((sum, table) => sum + table.rows, 0)
    const lines = tables.map(({ table: name, rows: count, checksum }) => [
      name,
      number(count).padStart(number(rows).length),
      checksum.slice(0, 12),
    ])
    terminal.show(
      options,
      { tables, held: true },
      `Copied and compared ${counted(rows, 'row')}:\n${table(lines, '  ')}\nIt is held. Set DATABASE_URL, then run: openseat release`,
    )
  })
}

function postgresAddress(url: string): string {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    throw new BadInput(
      '--to: is not a Postgres address; for example postgres://openseat:password@db.your-practice.org/openseat',
    )
  return url
}
