import type { Command } from 'commander'
import type { StatusOutcome } from '../actions/sessions/status.ts'
import { BadInput } from '../core/errors.ts'
import type { Session } from '../core/sessions/offers.ts'
import { sessionLine } from './session-text.ts'
import { command, type Terminal } from './terminal.ts'

type Options = { json?: boolean; seatsLeft?: string }
type Change = { name: string; status: Session['status']; description: string }

const CHANGES: readonly Change[] = [
  { name: 'full', status: 'full', description: 'mark a session as full, so that no one is shown it' },
  { name: 'cancel', status: 'cancelled', description: 'cancel a session, so that no one is shown it' },
  { name: 'open', status: 'open', description: 'open a session again, which is news to readers' },
]

/** Adds `sessions full|cancel|open`. */
export function addSessionStatus(sessions: Command, terminal: Terminal): void {
  for (const { name, status, description } of CHANGES) {
    const one = sessions
      .command(name)
      .argument('<id>', 'its external id, or its number in "openseat sessions list"')
      .description(description)
    if (status === 'open') one.option('--seats-left <number>', 'how many spots are left')
    one
      .option('--json', 'print one JSON document on stdout')
      .action(command(terminal, (id: string, options: Options) => change(terminal, id, status, options)))
      .addHelpText(
        'after',
        `\n${NOTES[status]}\n\nExample:\n  $ openseat sessions ${name} steady-ground-tue-1900`,
      )
  }
}

const NOTES: Record<Session['status'], string> = {
  full: 'It leaves every page at once, and every email that has not begun to go out. An\nimport whose status column says otherwise opens it again.',
  cancelled:
    'It leaves every page at once, and every email that has not begun to go out.\nOpenseat does not know who reserved a spot: let them know yourself.',
  open: 'The coming email shows it as reopened to those who were shown it before, and as\nnew to others.',
}

async function change(
  terminal: Terminal,
  id: string,
  status: Session['status'],
  options: Options,
): Promise<undefined> {
  const seatsLeft = seatsIn(options)
  const { changeStatus } = await import('../actions/sessions/status.ts')
  await terminal.withInstallation(async (installation) => {
    const outcome = await changeStatus(installation, id, { status, seatsLeft })
    if (outcome.kind !== 'changed' && outcome.kind !== 'already') throw refusal(id, outcome)
    const { session, next } = outcome
    terminal.show(
      options,
      { outcome: outcome.kind, ...session, nextStartsAt: next?.at.toISOString() ?? null },
      changedText(outcome, installation.now()),
    )
  })
}

function seatsIn({ seatsLeft }: Options): number | undefined {
  if (seatsLeft === undefined) return undefined
  if (/^[1-9]\d{0,4}$/.test(seatsLeft) && Number(seatsLeft) <= 10_000) return Number(seatsLeft)
  throw new BadInput('--seats-left: write a whole number from 1 to 10000')
}

function refusal(id: string, outcome: Exclude<StatusOutcome, { session: unknown }>): BadInput {
  switch (outcome.kind) {
    case 'not-found':
      return new BadInput(
        `there is no session "${id}"${outcome.hint || ';'} "openseat sessions list" shows all`,
      )
    case 'several':
      return new BadInput(
        `"${id}" is the external id of number ${outcome.byName}, and the number of "${outcome.byNumber}"; write one of these`,
      )
    case 'left-out':
      return new BadInput(
        `session "${id}" cannot be read (${outcome.problem.field} ${outcome.problem.message}), so no one is shown it; import it again`,
      )
    case 'no-seats':
      return new BadInput(`session "${id}" has no spots left; say how many there are, like --seats-left 2`)
    case 'too-many-seats':
      return new BadInput(`--seats-left: is over the ${outcome.seatsTotal} seats of session "${id}"`)
  }
}

function changedText(
  { kind, session, next, wasOffered }: Extract<StatusOutcome, { session: unknown }>,
  now: Date,
): string {
  const line = sessionLine(session, next, now)
  if (kind === 'already') return `It was ${session.status} already, so nothing changed. ${line}`
  if (session.status === 'open' && wasOffered)
    return `${line}\nIt was open already. A new number of spots is not news.`
  return `${line}\n${becomes(session.status, next === null)}`
}

function becomes(status: Session['status'], over: boolean): string {
  switch (status) {
    case 'full':
      return 'Full: dropped from the coming email and from the pages.'
    case 'cancelled':
      return 'Cancelled: dropped from the coming email and from the pages. Let those who reserved a spot know.'
    case 'open':
      return over
        ? 'Open, but it has no dates left, so no one is shown it.'
        : 'Open: the coming email shows it as reopened to those who were shown it before, and as new to others.'
  }
}
