import type { Command } from 'commander'
import type { Installation } from '../app.ts'
import { BadInput } from '../core/errors.ts'
import {
  checkNew,
  completed,
  type Given,
  missingIn,
  newExternalId,
  type Practice,
  startIsPast,
} from '../core/intake/new-session.ts'
import { SESSION_COLUMNS, type SessionRow } from '../core/intake/records.ts'
import { nextOccurrence } from '../core/time/occurrences.ts'
import { canAsk, openPrompt } from './prompt.ts'
import { askForSession, NOTHING_ADDED } from './session-questions.ts'
import { sessionLine } from './session-text.ts'
import { command, type Terminal } from './terminal.ts'

type Options = { json?: boolean; farAhead?: boolean } & Record<string, unknown>

/** Adds `sessions add`, with an option for each column of a file. */
export function addSessionAdd(sessions: Command, terminal: Terminal): void {
  const add = sessions
    .command('add')
    .description('add one session; on a terminal it asks for what the options do not give')
  for (const column of SESSION_COLUMNS.known)
    add.option(`${optionOf(column)} <text>`, HELP[column] ?? `the column ${column} of a file`)
  add
    .option('--far-ahead', 'accept a start more than two years ahead')
    .option('--json', 'print one JSON document on stdout')
    .action(command(terminal, (options: Options) => addOne(terminal, options)))
    .addHelpText('after', NOTES)
}

const optionOf = (column: string): string => `--${column.replaceAll('_', '-')}`

const HELP: Readonly<Record<string, string>> = {
  external_id: 'its id in your booking system (default: made from group and time)',
  group: 'the name of the group',
  topic: 'its topic; see "openseat sessions topics"',
  kind: 'therapy or skills (default: therapy)',
  therapist: 'who leads it',
  starts_at: 'the first start, like "12/1/2026 7:00 PM" or 2026-12-01T19:00',
  time_zone: 'like Eastern or America/New_York (default: DIGEST_TIME_ZONE)',
  duration_minutes: 'how long it takes (default: 90)',
  repeats: 'weekly or once (default: weekly)',
  occurrences: 'for how many weeks (default: no end)',
  seats_total: 'how many spots there are',
  seats_left: 'how many spots are left',
  status: 'open, full, or cancelled (default: open)',
  booking_url: 'the https link to reserve a spot',
  summary: 'one sentence about the group',
  group_url: 'its page on your website',
  language: 'the language it is held in, like es or Spanish',
  place: 'online, or where',
  price: 'what it costs, in a line',
}

const NOTES = `
On a terminal it checks each answer, and asks again with the reason if it is not
right. For a group that has sessions, it suggests their values. Ctrl-C adds nothing.
Without a terminal, --group, --topic, --therapist, --starts-at, and --booking-url are
required.

Examples:
  $ openseat sessions add
  $ openseat sessions add --group "Steady Ground" --topic anxiety \\
      --therapist "Dr. Mira Lee" --starts-at "12/1/2026 7:00 PM" \\
      --booking-url https://booking.example.com/steady-ground`

async function addOne(terminal: Terminal, options: Options): Promise<number> {
  return terminal.withInstallation(async (installation) => {
    const { practiceOf } = await import('../actions/sessions/practice.ts')
    const practice = await practiceOf(installation, options.farAhead ?? false)
    const given = givenIn(options)
    const now = installation.now()
    if (missingIn(completed(given, practice)).length === 0)
      return insert(terminal, installation, rowOf(given, practice, now), options)
    if (!canAsk(terminal)) throw missing(given, practice)

    refuseWrong(given, practice)
    const prompt = openPrompt(terminal, NOTHING_ADDED)
    try {
      const row = rowOf(await askForSession(terminal, prompt, given, practice), practice, now)
      terminal.note(`\n${sessionLine(row, nextOccurrence(row, now), now)}`)
      if (!/^(y|yes|)$/i.test((await prompt.ask('Add it? [Y/n] ')) ?? 'no')) {
        terminal.note('Not done: nothing was added.')
        return 1
      }
      return await insert(terminal, installation, row, options)
    } finally {
      prompt.close()
    }
  })
}

/** Commander names options in camel case. */
function givenIn(options: Options): Given {
  const valueOf = (column: string) =>
    options[column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())]
  return Object.fromEntries(
    SESSION_COLUMNS.known.flatMap((column) => {
      const value = valueOf(column)
      return typeof value === 'string' && value.trim() !== '' ? [[column, value.trim()]] : []
    }),
  )
}

function missing(given: Given, practice: Practice): BadInput {
  const names = missingIn(completed(given, practice)).map(optionOf)
  const all = names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
  return new BadInput(`sessions add needs ${all}; on a terminal it asks for them`)
}

/** Refuses options with wrong values, before any question. */
function refuseWrong(given: Given, practice: Practice): void {
  const checked = checkNew(completed(given, practice), practice)
  if (checked.ok) return
  const wrong = checked.errors.filter(({ field }) => field in given)
  if (wrong.length > 0) throw wrongOptions(wrong)
}

function wrongOptions(errors: readonly { field: string; message: string }[]): BadInput {
  return new BadInput(errors.map(({ field, message }) => `${optionOf(field)} ${message}`).join('\n'))
}

function rowOf(given: Given, practice: Practice, now: Date): SessionRow {
  const checked = checkNew(completed(given, practice), practice)
  if (!checked.ok) throw wrongOptions(checked.errors)
  const { row } = checked
  const past = startIsPast(row, now)
  if (past !== null) throw wrongOptions([past])
  return given.external_id ? row : { ...row, externalId: newExternalId(row, practice.sessions) }
}

async function insert(
  terminal: Terminal,
  installation: Installation,
  row: SessionRow,
  options: Options,
): Promise<number> {
  const { addSession } = await import('../actions/sessions/add.ts')
  const session = await addSession(installation, row)
  if (session === null)
    throw new BadInput(
      `${optionOf('external_id')} "${row.externalId}" exists; use another, or change that session with "openseat sessions import"`,
    )
  const now = installation.now()
  const next = nextOccurrence(session, now)
  const shown =
    session.status === 'open'
      ? 'The coming email shows it as new.'
      : `It is ${session.status}, so it is not shown.`
  terminal.show(
    options,
    { ...session, nextStartsAt: next?.at.toISOString() ?? null },
    `Added ${session.externalId} (number ${session.id}): ${sessionLine(session, next, now)}\n${shown}`,
  )
  return 0
}
