import type { Command } from 'commander'
import { SESSION_COLUMNS } from '../core/intake/records.ts'
import type { Session } from '../core/sessions/offers.ts'
import { weekdayOf } from '../core/time/calendar.ts'
import { reportImport } from './imports.ts'
import { folded, table } from './layout.ts'
import { addSessionAdd } from './session-add.ts'
import { addSessionStatus } from './session-status.ts'
import { command, type Terminal } from './terminal.ts'
import { addTopicCommands } from './topics.ts'

type Json = { json?: boolean }
type ImportOptions = Json & { skipInvalid?: boolean; farAhead?: boolean; preview?: boolean }

/** Adds `sessions import|list|add|full|cancel|open|template|topics|add-topic`. */
export function addSessions(openseat: Command, terminal: Terminal): void {
  const sessions = openseat
    .command('sessions')
    .description('import, add, list, and change the sessions, and add topics')
    .helpCommand(false)
    .addHelpText('after', '\nExample:\n  $ openseat sessions import sessions.csv')
  sessions
    .command('import')
    .argument('<file>', 'CSV or JSON; - reads stdin')
    .description('add and update sessions by external_id, all or nothing')
    .option('--skip-invalid', 'leave rows with problems out and import the rest')
    .option('--preview', 'say what would be imported, and import nothing')
    .option('--far-ahead', 'accept sessions that start more than two years ahead')
    .option('--json', 'print one JSON document on stdout')
    .action(command(terminal, (file: string, options: ImportOptions) => importFile(terminal, file, options)))
    .addHelpText('after', IMPORT_NOTES)
  sessions
    .command('list')
    .description('show every session, soonest first, and those that cannot be read')
    .option('--json', 'print one JSON document on stdout')
    .action(command(terminal, (options: Json) => list(terminal, options)))
    .addHelpText('after', '\nExample:\n  $ openseat sessions list')
  addSessionAdd(sessions, terminal)
  addSessionStatus(sessions, terminal)
  sessions
    .command('template')
    .description('print a sessions file to fill in, with every column and two examples')
    .action(command(terminal, () => printTemplate(terminal)))
    .addHelpText('after', TEMPLATE_NOTES)
  addTopicCommands(sessions, terminal)
}

const OPTIONAL_COLUMNS = SESSION_COLUMNS.known.filter((one) => !SESSION_COLUMNS.required.includes(one))

const IMPORT_NOTES = `
${folded('Required columns:', SESSION_COLUMNS.required)}
${folded('Optional columns:', OPTIONAL_COLUMNS)}
summary (one sentence for readers), group_url (its page on your website), language
(es, Spanish), place, and price are about the group: write them in one row of a
group, or the same in each.
A missing column changes nothing; a new session gets 90 minutes, weekly, open.

Write starts_at as the group's clocks show it: 2026-12-01T19:00, 12/1/2026 7:00 PM,
or Dec 1, 2026 7 PM; and time_zone as America/New_York, Eastern, or a city.
Sessions that are not in the file stay as they are. To remove one, import it with
status cancelled, or run "openseat sessions cancel ID".

Examples:
  $ openseat sessions import sessions.csv --preview
  $ openseat sessions import sessions.csv`

const TEMPLATE_NOTES = `
Replace the examples with your own sessions. They have the status cancelled, so that
no one is shown them if they are imported by mistake; write open in yours.

Example:
  $ openseat sessions template > sessions.csv
  $ openseat sessions import sessions.csv --preview`

async function importFile(terminal: Terminal, file: string, options: ImportOptions): Promise<number> {
  const { openInput } = await import('../files/read-records.ts')
  const { importSessions, previewSessionsFile } = await import('../actions/imports/sessions.ts')
  const { skipInvalid = false, farAhead = false, preview = false } = options
  return terminal.withInstallation(async (installation) => {
    const input = await openInput(file, process.stdin)
    const result = preview
      ? await previewSessionsFile(installation, input, { skipInvalid, farAhead })
      : await importSessions(installation, input, { skipInvalid, farAhead })
    return reportImport(terminal, options, result)
  })
}

async function printTemplate(terminal: Terminal): Promise<undefined> {
  const { sessionsTemplate } = await import('../core/intake/session-template.ts')
  terminal.show({}, null, sessionsTemplate().trimEnd())
}

async function list(terminal: Terminal, options: Json): Promise<undefined> {
  const { allSessions, leftOutSessions } = await import('../db/sessions/sessions.ts')
  const { leftOutLine } = await import('../actions/sessions/left-out.ts')
  const { settleSeats } = await import('../actions/sessions/seats.ts')
  const { nextOccurrence } = await import('../core/time/occurrences.ts')
  await terminal.withInstallation(async ({ store, now }) => {
    await settleSeats({ store, now })
    const listed = (await allSessions(store)).map((session) => ({
      session,
      next: nextOccurrence(session, now()),
    }))
    listed.sort(
      (a, b) =>
        (a.next?.at.getTime() ?? Number.POSITIVE_INFINITY) -
        (b.next?.at.getTime() ?? Number.POSITIVE_INFINITY),
    )
    const leftOut = await leftOutSessions(store)
    const documents = [
      ...listed.map(({ session, next }) => ({ ...session, nextStartsAt: next?.at.toISOString() ?? null })),
      ...leftOut.map(({ id, externalId, field, message }) => ({
        ...{ id, externalId, nextStartsAt: null, problem: `${field} ${message}` },
      })),
    ]
    const rows = listed.map(({ session, next }) => sessionRow(session, next?.local ?? null))
    const head = [
      'NO.',
      'EXTERNAL ID',
      'NEXT',
      'ZONE',
      'REPEATS',
      'GROUP',
      'THERAPIST',
      'TOPIC',
      'SEATS LEFT',
      'STATUS',
    ]
    const none = 'No sessions yet. To add some: openseat sessions add, or openseat sessions import FILE'
    const parts = [
      ...(rows.length > 0 || leftOut.length === 0 ? [rows.length > 0 ? table([head, ...rows]) : none] : []),
      ...(leftOut.length > 0
        ? [
            `Left out of every page and edition, because they cannot be read:\n${leftOut.map((one) => `  ${leftOutLine(one)}`).join('\n')}`,
          ]
        : []),
    ]
    terminal.show(options, documents, parts.join('\n\n'))
  })
}

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

function sessionRow(session: Session, next: string | null): string[] {
  const { id, externalId, timeZone, repeats, group, therapist, topicSlug, seatsLeft, status } = session
  return [
    String(id),
    externalId,
    next === null ? 'over' : `${WEEKDAYS[weekdayOf(next)]} ${next.replace('T', ' ')}`,
    timeZone,
    repeats,
    group,
    therapist,
    topicSlug,
    String(seatsLeft ?? '-'),
    status,
  ]
}
