import type { Command } from 'commander'
import type { AuditEntry } from '../actions/operators/audit.ts'
import { BadInput } from '../core/errors.ts'
import { table, when } from './layout.ts'
import { command, type Terminal } from './terminal.ts'

type Options = { json?: boolean; csv?: boolean; since?: string }

/** Adds `audit`. */
export function addAudit(openseat: Command, terminal: Terminal): void {
  openseat
    .command('audit')
    .description('show who did what, when, and from where; it holds no address')
    .option('--since <date>', 'only from this day on, like 2026-11-23')
    .option('--csv', 'print CSV on stdout')
    .option('--json', 'print one JSON document on stdout')
    .action(command(terminal, (options: Options) => show(terminal, options)))
    .addHelpText(
      'after',
      '\nRows are chained: "openseat doctor" says whether one was changed or taken away.\n\nExample:\n  $ openseat audit --since 2026-11-23',
    )
}

async function show(terminal: Terminal, options: Options): Promise<undefined> {
  const { auditCsv, auditEntries } = await import('../actions/operators/audit.ts')
  const { resolveLocal } = await import('../core/time/calendar.ts')
  const day = dayIn(options.since)
  await terminal.withInstallation(async (installation) => {
    const { timeZone } = installation.config.slotRule
    const since = day === null ? null : resolveLocal(`${day}T00:00`, timeZone).at
    if (options.csv) {
      for await (const piece of auditCsv(installation, since)) process.stdout.write(piece)
      return
    }
    const entries: AuditEntry[] = []
    for await (const entry of auditEntries(installation, since)) entries.push(entry)
    const rows = entries.map(({ at, actor, network, action, subject, detail }) => [
      when(at, timeZone, installation.now()),
      [actor ?? 'before it was kept', network].filter(Boolean).join(' from '),
      action,
      subject,
      detail ?? '',
    ])
    terminal.show(options, entries, rows.length === 0 ? 'Nothing is on record.' : table([HEAD, ...rows]))
  })
}

const HEAD = ['WHEN', 'WHO', 'DID', 'WHAT', 'DETAIL']

function dayIn(given: string | undefined): string | null {
  if (given === undefined) return null
  if (/^\d{4}-\d\d-\d\d$/.test(given) && new Date(`${given}T00:00Z`).toJSON()?.startsWith(given)) return given
  throw new BadInput(`--since is ${JSON.stringify(given)}; write a day, for example 2026-11-23`)
}
