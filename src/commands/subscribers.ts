import type { Command } from 'commander'
import type { Resubscribed } from '../actions/subscribers/consent.ts'
import type { Shown } from '../actions/subscribers/records.ts'
import { BadInput } from '../core/errors.ts'
import type { Lifted } from '../db/people/suppressions.ts'
import type { LeftToWipe } from '../db/sqlite/wiping.ts'
import { addressGiven } from './address-given.ts'
import { reportImport } from './imports.ts'
import { table, when } from './layout.ts'
import { canAsk, confirmed } from './prompt.ts'
import { command, type Terminal } from './terminal.ts'

type Json = { json?: boolean }
type ImportOptions = Json & { consent: string; skipInvalid?: boolean }

/** Adds `subscribers import|show|unsubscribe|resubscribe|allow|export|erase`. */
export function addSubscribers(openseat: Command, terminal: Terminal): void {
  const subscribers = openseat
    .command('subscribers')
    .description('import, look up, and change the people on the list')
    .helpCommand(false)
    .addHelpText('after', '\nExample:\n  $ openseat subscribers show mara@sample.test')
  subscribers
    .command('import')
    .argument('<file>', 'CSV or JSON; - reads stdin')
    .description('add people who agreed elsewhere, and update known ones')
    .requiredOption(
      '--consent <text>',
      'how and when these people agreed to get the email; kept with each of them',
    )
    .option('--skip-invalid', 'leave rows with problems out and import the rest')
    .option('--json', 'print one JSON document on stdout')
    .action(command(terminal, (file: string, options: ImportOptions) => importFile(terminal, file, options)))
    .addHelpText('after', IMPORT_NOTES)

  const one = (
    name: string,
    description: string,
    work: (email: string, options: Json & { consent?: string }) => Promise<number | undefined>,
    more = '',
  ) =>
    subscribers
      .command(name)
      .argument('<email>', 'their address; - reads stdin')
      .description(description)
      .option('--json', 'print one JSON document on stdout')
      .action(
        command(terminal, async (given: string, options: Json & { consent?: string }) =>
          work(await addressGiven(terminal, given), options),
        ),
      )
      .addHelpText('after', `\nExample:\n  $ openseat subscribers ${name} mara@sample.test${more}`)
  one('show', 'show one subscriber at a glance', (email, options) => show(terminal, email, options))
  one('unsubscribe', 'stop all email to them, from the next batch on', (email, options) =>
    unsubscribe(terminal, email, options),
  )
  one('resubscribe', 'subscribe them again, at their request', (email, options) =>
    resubscribe(terminal, email, options),
  )
  one(
    'allow',
    'lift a suppression (bounce, complaint, by hand), at their request',
    (email, options) => allow(terminal, email, options),
    ' --consent "Called on May 4: mailbox fixed, wants the email"',
  ).requiredOption('--consent <text>', 'how and when this person said so; kept with them')
  one('export', 'print all that is held about them, as JSON, for them to have', (email) =>
    exportAll(terminal, email),
  )
  one(
    'erase',
    "permanently delete their data; a keyed hash stays so that an import can't add them back",
    (email, options) => erase(terminal, email, options),
  ).option('--yes', 'do not ask')
}

const IMPORT_NOTES = `
Columns: email is required; name, time_zone, locale, and topics (slugs separated by ;,
none = all) are optional. People who unsubscribed, bounced, complained, or were erased
stay so, and are listed. This emails no one.

Example:
  $ openseat subscribers import people.csv --consent "Paper form at the front desk, spring 2026"`

const nobody = () => new BadInput('EMAIL: this address is not on the list')

async function importFile(terminal: Terminal, file: string, options: ImportOptions): Promise<number> {
  const { openInput } = await import('../files/read-records.ts')
  const { importSubscribers } = await import('../actions/imports/subscribers.ts')
  const { consent, skipInvalid = false } = options
  const result = await terminal.withInstallation(async (installation) =>
    importSubscribers(installation, await openInput(file, process.stdin), { consent, skipInvalid }),
  )
  return reportImport(terminal, options, result)
}

async function show(terminal: Terminal, email: string, options: Json): Promise<undefined> {
  const { showSubscriber } = await import('../actions/subscribers/records.ts')
  await terminal.withInstallation(async (installation) => {
    const shown = await showSubscriber(installation, email)
    if (shown.kind === 'found')
      return terminal.show(
        options,
        shown.subscriber,
        glance(shown.subscriber, installation.config.DIGEST_TIME_ZONE, installation.now()),
      )
    if (shown.suppressed === null) throw nobody()
    throw new BadInput(
      `EMAIL: this address is not on the list; it is suppressed (${shown.suppressed}) and gets no email`,
    )
  })
}

/** Where a consent came from, in words. */
const SOURCES: Readonly<Record<string, string>> = {
  '/confirm': 'confirmed by the link in an email (/confirm)',
  '/change-address': 'confirmed from their new address (/change-address)',
  import: 'given with an import',
  operator: 'recorded by an operator',
}

function glance(
  subscriber: Extract<Shown, { kind: 'found' }>['subscriber'],
  zone: string,
  now: Date,
): string {
  const { consent, pausedUntil, unsubscribedAt } = subscriber
  const rows: (readonly [string, string | null])[] = [
    ['email', subscriber.email],
    ['name', subscriber.name],
    [
      'status',
      subscriber.suppressed
        ? `${subscriber.status}, suppressed (${subscriber.suppressed})`
        : subscriber.status,
    ],
    ['unsubscribed', unsubscribedAt && when(unsubscribedAt, zone, now)],
    ['paused until', pausedUntil && when(pausedUntil, zone, now)],
    ['topics', subscriber.topics?.join(', ') ?? 'all'],
    ['cadence', subscriber.cadence],
    ['time zone', subscriber.timeZone],
    ['language', subscriber.locale],
    ['last edition', subscriber.lastEdition ?? 'none yet'],
    [
      'consent',
      [
        consent.text ?? 'none on record',
        consent.source && (SOURCES[consent.source] ?? consent.source),
        consent.at && consent.at.slice(0, 10),
      ]
        .filter(Boolean)
        .join(', '),
    ],
  ]
  return table(rows.flatMap(([name, value]) => (value === null ? [] : [[name, value]])))
}

async function unsubscribe(terminal: Terminal, email: string, options: Json): Promise<undefined> {
  const { unsubscribeEmail } = await import('../actions/subscribers/consent.ts')
  const { kind } = await terminal.withInstallation((installation) => unsubscribeEmail(installation, email))
  if (kind === 'not-found') throw nobody()
  terminal.show(
    options,
    { outcome: kind },
    kind === 'already' ? `${email.trim()} was already unsubscribed.` : `Unsubscribed ${email.trim()}.`,
  )
}

async function resubscribe(terminal: Terminal, email: string, options: Json): Promise<number> {
  const { resubscribeEmail } = await import('../actions/subscribers/consent.ts')
  const outcome = await terminal.withInstallation((installation) => resubscribeEmail(installation, email))
  if (outcome.kind === 'not-found') throw nobody()
  const done = outcome.kind === 'resubscribed' || outcome.kind === 'already'
  const { kind, ...more } = outcome
  if (done || options.json)
    terminal.show(options, { outcome: kind, ...more }, resubscribeSays(outcome, email.trim()))
  else terminal.note(resubscribeSays(outcome, email.trim()))
  return done ? 0 : 1
}

function resubscribeSays(outcome: Resubscribed, email: string): string {
  switch (outcome.kind) {
    case 'resubscribed':
      return `Resubscribed ${email}. The next edition includes what they missed.`
    case 'already':
      return `${email} is already subscribed.`
    case 'pending':
      return 'Not done: they have not confirmed their subscription yet, and only they can do that.'
    case 'suppressed':
      return `Not done: the address is suppressed (${outcome.reason}). ${
        outcome.reason === 'erased' ? 'Only they can sign up again.' : 'See `subscribers allow --help`.'
      }`
    case 'not-found':
      return nobody().message
  }
}

async function allow(
  terminal: Terminal,
  email: string,
  { consent = '', ...options }: Json & { consent?: string },
): Promise<number> {
  const { allowEmail } = await import('../actions/subscribers/consent.ts')
  const outcome = await terminal.withInstallation((installation) => allowEmail(installation, email, consent))
  if (outcome.kind === 'not-found') throw nobody()
  const { kind, ...more } = outcome
  const done = kind !== 'erased'
  if (done || options.json) terminal.show(options, { outcome: kind, ...more }, allowSays(outcome))
  else terminal.note(allowSays(outcome))
  return done ? 0 : 1
}

function allowSays(outcome: Lifted): string {
  switch (outcome.kind) {
    case 'allowed':
      return `${allowedSays(outcome)}\nResend keeps a list of its own: if it has the address, remove it at resend.com/emails/suppressions.`
    case 'erased':
      return 'Not done: they were erased. They can only come back by signing up and confirming.'
    case 'refusal-lifted':
      return 'The address was not suppressed. Its owner had chosen “Not me, never again”; that is lifted, and forms can send to it again.'
    case 'not-suppressed':
      return 'The address is not suppressed. Nothing was changed.'
    case 'not-found':
      return nobody().message
  }
}

function allowedSays({ reason, status, erased }: Extract<Lifted, { kind: 'allowed' }>): string {
  const lifted = `The suppression (${reason}) is lifted`
  if (erased) return `${lifted}. They were also erased: they can only come back by signing up and confirming.`
  switch (status) {
    case 'active':
      return `${lifted} and the consent recorded. They are subscribed: the next edition shows them what they missed.`
    case 'unsubscribed':
      return `${lifted} and the consent recorded. They are still unsubscribed. If they ask for it: openseat subscribers resubscribe`
    case 'pending':
      return `${lifted} and the consent recorded. They have not confirmed their subscription yet, and only they can do that.`
    case null:
      return `${lifted}. The address is not on the list: they can sign up, or you can import them with their consent.`
  }
}

async function exportAll(terminal: Terminal, email: string): Promise<undefined> {
  const { exportSubscriber } = await import('../actions/subscribers/records.ts')
  const exported = await terminal.withInstallation((installation) => exportSubscriber(installation, email))
  if (exported.kind === 'not-found') throw nobody()
  terminal.show({ json: true }, exported.record, '')
}

async function erase(terminal: Terminal, email: string, options: Json & { yes?: boolean }): Promise<number> {
  const actions = await import('../actions/subscribers/records.ts')
  const erased = await terminal.withInstallation(async (installation) => {
    const shown = canAsk(terminal) && !options.yes ? await actions.showSubscriber(installation, email) : null
    if (shown?.kind === 'found' && !(await confirmed(terminal, eraseQuestion(shown), NOTHING_ERASED)))
      return null
    return actions.erase(installation, email)
  })
  if (erased === null) {
    terminal.note('Not done: nothing was erased.')
    return 1
  }
  if (erased.kind === 'not-found') throw nobody()
  if (erased.kind === 'already') terminal.show(options, { outcome: 'already' }, 'They were already erased.')
  else {
    const { logSince, inFlight } = erased.left
    terminal.show(options, { outcome: 'erased', wiped: logSince === null, inFlight }, erasedSays(erased.left))
  }
  return 0
}

const NOTHING_ERASED = 'Stopped. Nothing was erased.'

const eraseQuestion = ({ subscriber }: Extract<Shown, { kind: 'found' }>): string =>
  `Permanently delete 1 person, ${subscriber.email} (${subscriber.status}), and everything stored about them? This cannot be undone.`

function erasedSays({ logSince, inFlight }: LeftToWipe): string {
  return [
    'Erased, including from the copies that migrations left beside the database.',
    ...(inFlight > 0
      ? ['An email to them is on its way. Its data is deleted once the result is known, within 23 hours.']
      : []),
    ...(logSince === null
      ? []
      : [
          'Another program is reading the database, so the deleted data is still in the write-ahead log. Openseat removes it within a minute after that program ends.',
        ]),
    'Earlier backups still contain their data. Delete those too, and what Resend keeps.',
  ].join('\n')
}
