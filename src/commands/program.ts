import { Command } from 'commander'
import project from '../../package.json' with { type: 'json' }
import { printable } from '../core/text/printable.ts'
import { withoutAddresses } from '../core/text/redact.ts'
import { addAudit } from './audit.ts'
import { addBackup } from './backup.ts'
import { addDemo } from './demo.ts'
import { addDoctor } from './doctor.ts'
import { addEditions } from './editions.ts'
import { addExplain } from './explain.ts'
import { addMove } from './move.ts'
import { addOperators } from './operators.ts'
import { addRelease } from './release.ts'
import { addSessions } from './sessions.ts'
import { addStart } from './start.ts'
import { addSubscribers } from './subscribers.ts'
import type { Terminal } from './terminal.ts'

/** The command line: parses it and runs one command. Throws `CommanderError` after it printed what is wrong. */
export function program(terminal: Terminal): Command {
  const openseat = new Command('openseat')
    .description("Emails subscribers the week's new group-therapy sessions.")
    .version(project.version)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(oneLine(text)) })
    .helpCommand(false)
    .addHelpText('after', AFTERWORD)
  for (const add of [
    addStart,
    addDemo,
    addSessions,
    addSubscribers,
    addEditions,
    addExplain,
    addOperators,
    addAudit,
    addDoctor,
    addBackup,
    addMove,
    addRelease,
  ])
    add(openseat, terminal)
  return openseat
}

const AFTERWORD = `
Each command has its own --help. Settings are read from the environment and from
.env in this folder; "openseat doctor" checks them.

Example:
  $ openseat edition preview

Exit codes: 0 done, 1 could not be done, 2 invalid input.`

function oneLine(text: string): string {
  const message = text
    .trim()
    .replace(/^error: /, '')
    .replace(/\s*\n\s*/g, ' ')
  return `${printable(withoutAddresses(message))} (see --help)\n`
}
