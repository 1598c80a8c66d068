import { type Command, Option } from 'commander'
import type { ControlOutcome } from '../actions/editions/control.ts'
import type { ReaderMail } from '../actions/editions/preview.ts'
import type { ResendRequest } from '../actions/editions/resend.ts'
import type { Installation, SweepWaker } from '../app.ts'
import { labeled } from '../core/audience/reasons.ts'
import { BadInput } from '../core/errors.ts'
import { addressGiven } from './address-given.ts'
import { summaryTable, summaryText } from './edition-text.ts'
import { breakdown, counted, number, people } from './layout.ts'
import { pastPreviewText, previewText } from './preview-text.ts'
import { canAsk, confirmed } from './prompt.ts'
import type { SendOptions } from './send.ts'
import { command, editionId, noSuchEdition, type Terminal } from './terminal.ts'

type Json = { json?: boolean }
type TestOptions = Json & { to: string; as: ReaderMail['reader'] }
type PreviewOptions = Json & { for?: string; out: string }
type ResendOptions = Json & {
  to?: string
  failed?: boolean
  unknown?: boolean
  all?: boolean
  correct?: string
  yes?: boolean
}

/** Adds `edition preview|send|list|show|approve|hold|pause|resume|cancel|resend`. */
export function addEditions(openseat: Command, terminal: Terminal): void {
  const edition = openseat
    .command('edition')
    .description('plan, send, and control the weekly editions')
    .helpCommand(false)
    .addHelpText('after', '\nExample:\n  $ openseat edition show 2026-11-23')
  const add = (name: string, description: string) =>
    edition.command(name).description(description).option('--json', 'print one JSON document on stdout')

  add('preview', 'show what would go out now, and to how many people; changes nothing')
    .argument('[id]', 'show this past edition as it was')
    .option('--for <email>', "write this reader's email instead of a typical one; - reads stdin")
    .option('--out <dir>', 'where to write the emails', './preview')
    .action(
      command(terminal, (id: string | undefined, options: PreviewOptions) =>
        id === undefined ? preview(terminal, options) : previewPast(terminal, editionId(id), options),
      ),
    )
    .addHelpText('after', PREVIEW_NOTES)
  add('test', 'send yourself one copy of what would go out now, marked "[Test]"')
    .requiredOption('--to <email>', 'your address; - reads stdin')
    .addOption(new Option('--as <reader>', 'as which kind of reader').choices(READERS).default('typical'))
    .action(command(terminal, (options: TestOptions) => test(terminal, options)))
    .addHelpText('after', TEST_NOTES)
  add('send', "plan and send this week's edition now (does nothing if it already exists)")
    .option('--wait', 'wait until it is finished; also finishes one that was interrupted')
    .option('--yes', 'do not ask')
    .action(command(terminal, (options: SendOptions) => send(terminal, options)))
    .addHelpText('after', SEND_NOTES)
  add('list', 'show all editions, newest first')
    .action(command(terminal, (options: Json) => list(terminal, options)))
    .addHelpText('after', '\nExample:\n  $ openseat edition list')
  add('show', 'show the state of an edition, with its counts')
    .argument('<id>', 'the edition, by its date')
    .action(command(terminal, (id: string, options: Json) => show(terminal, id, options)))
    .addHelpText('after', '\nExample:\n  $ openseat edition show 2026-11-23')
  add('approve', 'let a coming edition go that waits for a person, or that is held')
    .argument('<id>', 'the edition, by its date')
    .action(
      command(terminal, async (id: string, options: Json) =>
        (await import('./coming.ts')).approve(terminal, id, options),
      ),
    )
    .addHelpText('after', APPROVE_NOTES)
  add('hold', 'keep a coming edition from going out until someone approves it')
    .argument('<id>', 'the edition, by its date')
    .action(
      command(terminal, async (id: string, options: Json) =>
        (await import('./coming.ts')).hold(terminal, id, options),
      ),
    )
    .addHelpText('after', '\nExample:\n  $ openseat edition hold 2026-11-30')
  add('pause', 'stop an edition before its next batch')
    .argument('<id>', 'the edition, by its date')
    .option('--reason <text>', 'why, for your colleagues', 'paused by an operator')
    .action(
      command(terminal, (id: string, options: Json & { reason: string }) => pause(terminal, id, options)),
    )
    .addHelpText(
      'after',
      '\nExample:\n  $ openseat edition pause 2026-11-23 --reason "wrong time for the grief group"',
    )
  add('resume', 'continue a paused edition')
    .argument('<id>', 'the edition, by its date')
    .action(command(terminal, (id: string, options: Json) => resume(terminal, id, options)))
    .addHelpText('after', '\nExample:\n  $ openseat edition resume 2026-11-23')
  add('cancel', 'stop an edition permanently; the next one includes its sessions')
    .argument('<id>', 'the edition, by its date')
    .action(command(terminal, (id: string, options: Json) => cancel(terminal, id, options)))
    .addHelpText('after', '\nExample:\n  $ openseat edition cancel 2026-11-23')
  add('resend', 'send an edition again to some of its readers')
    .argument('<id>', 'the edition, by its date')
    .option('--to <email>', 'to this reader, even if they already got it; - reads stdin')
    .option('--failed', 'to those whose email failed')
    .option('--unknown', 'to those with no confirmed result; some may get it twice')
    .option('--all', 'to everyone who got it, a second time')
    .option('--correct <session>', 'tell those who were shown this session what of it was wrong')
    .option('--yes', 'do not ask; without a terminal, --all needs it')
    .action(command(terminal, (id: string, options: ResendOptions) => resend(terminal, id, options)))
    .addHelpText(
      'after',
      '\nOn a terminal it shows how many people would get it, and asks. People who\nunsubscribed or are suppressed get no email.\n\nExample:\n  $ openseat edition resend 2026-11-23 --failed',
    )
}

const READERS = ['typical', 'most-topics', 'no-topics', 'other-zone', 'discreet', 'spanish', 'after-pause']

const PREVIEW_NOTES = `
Without --for, it writes the emails of a typical reader and of six others: most
topics, no topics, another time zone, discreet, Spanish, and after a pause. Each is
written as .html, .txt, .eml, and as .page.html for screenshots. preview.html shows
all of them side by side, on phone and desktop, light and dark. They do not reveal
who the readers are, and their personal links do nothing.

With ID, it writes one email of a past edition: the sessions it was planned with, in
its own layout and words as long as those are kept (RETENTION_DAYS). What each reader's
email was made from is deleted once it is submitted, so --for uses their topics, time zone,
and language of today.

Examples:
  $ openseat edition preview --out preview
  $ openseat edition preview --for mara@sample.test
  $ openseat edition preview 2026-11-23 --out november`

const TEST_NOTES = `
The copy goes through Resend like the real ones, under its own idempotency key.
Nothing is recorded, and its personal links do nothing.

Example:
  $ openseat edition test --to you@your-practice.org --as discreet`

const SEND_NOTES = `
On a terminal it shows how many people would get it, and asks. A running worker
submits it; if there is none, this process does. If it is interrupted, run it again
with --wait: no one is emailed twice or missed. It exits with 1 if the edition ends
paused or unfinished.

Example:
  $ openseat edition send --wait`

const APPROVE_NOTES = `
An edition that was flagged when it was reviewed waits (APPROVAL), until
DIGEST_CATCH_UP_HOURS after it is due. "openseat edition show" says why. What becomes
odd after the approval makes it wait again.

Example:
  $ openseat edition approve 2026-11-30`

async function preview(terminal: Terminal, options: PreviewOptions): Promise<undefined> {
  const { previewEdition } = await import('../actions/editions/preview.ts')
  const { loadTemplates } = await import('../templates/load.ts')
  const email = options.for && (await addressGiven(terminal, options.for, '--for'))
  await terminal.withInstallation(async (installation) => {
    const shown = await previewEdition(
      { ...installation, templates: await loadTemplates(looksOf(installation)) },
      { email, readers: true },
    )
    if (shown.mail.kind === 'not-found') throw new BadInput('--for: this address is not on the list')
    const { writePreview } = await import('./preview-files.ts')
    const { asked: files, readers, page } = await writePreview(shown, options.out)
    const { mail, readers: _mails, ...rest } = shown
    const { comingDocument, comingText } = await import('./coming-text.ts')
    const { id, state, waits, flags } = await comingDocument(installation)
    const review = id === shown.edition.id ? { state, waits, flags } : null
    const reader = { kind: mail.kind, ...(mail.kind === 'excluded' && { reason: mail.reason }) }
    const subject = mail.kind === 'mail' ? mail.email.subject : null
    terminal.show(
      options,
      { ...rest, review, reader, subject, files, readers, page },
      `${previewText(shown, { files, page }, installation.config.DIGEST_TIME_ZONE)}\n\n${await comingText(installation)}`,
    )
  })
}

async function previewPast(terminal: Terminal, id: string, options: PreviewOptions): Promise<undefined> {
  const { previewPastEdition } = await import('../actions/editions/preview-past.ts')
  const { loadTemplates } = await import('../templates/load.ts')
  const email = options.for && (await addressGiven(terminal, options.for, '--for'))
  await terminal.withInstallation(async (installation) => {
    const templates = await loadTemplates(looksOf(installation))
    const shown = await previewPastEdition({ ...installation, templates }, id, email)
    if (shown === null) throw noSuchEdition(id)
    if (shown.mail.kind === 'not-found') throw new BadInput('--for: this address is not on the list')
    const { writePreview } = await import('./preview-files.ts')
    const { asked: files } = await writePreview({ ...shown, readers: [] }, options.out)
    const { mail, ...rest } = shown
    const reader = { kind: mail.kind, ...(mail.kind === 'excluded' && { reason: mail.reason }) }
    const subject = mail.kind === 'mail' ? mail.email.subject : null
    terminal.show(
      options,
      { ...rest, reader, subject, files, readers: [], page: null },
      pastPreviewText(shown, { files, oneReader: email !== undefined }, installation.config.DIGEST_TIME_ZONE),
    )
  })
}

const looksOf = ({ config }: Installation) => ({ folder: config.TEMPLATES_PATH, palette: config.palette })

async function test(terminal: Terminal, options: TestOptions): Promise<number> {
  const { testEdition } = await import('../actions/editions/send-test.ts')
  const { loadTemplates } = await import('../templates/load.ts')
  const { openMailer } = await import('../resend/mailer.ts')
  const to = await addressGiven(terminal, options.to, '--to')
  return terminal.withInstallation(async (installation) => {
    const { RESEND_API_KEY: apiKey, RESEND_BASE_URL: baseUrl } = installation.config
    const mailer = openMailer({ apiKey, baseUrl })
    const templates = await loadTemplates(looksOf(installation))
    const outcome = await testEdition({ ...installation, templates, mailer }, { to, reader: options.as })
    switch (outcome.kind) {
      case 'submitted':
        terminal.show(options, outcome, `Submitted: "${outcome.subject}". Nothing was recorded.`)
        return 0
      case 'nobody':
        terminal.note('Not done: no one would get an email now, so there is nothing to send.')
        return 1
      case 'not-submitted':
        terminal.note(`Not done: ${outcome.reason}.`)
        return 1
    }
  })
}

async function send(terminal: Terminal, options: SendOptions): Promise<number> {
  const { sendEdition } = await import('./send.ts')
  return sendEdition(terminal, options)
}

async function list(terminal: Terminal, options: Json): Promise<undefined> {
  const { summaries, whyHeld } = await import('../actions/editions/show.ts')
  const { comingText } = await import('./coming-text.ts')
  await terminal.withInstallation(async (installation) => {
    const [all, held] = [await summaries(installation), await whyHeld(installation)]
    const coming = await comingText(installation)
    if (held !== null && options.json) terminal.note(`Held: ${held}.`)
    if (options.json) terminal.note(coming)
    terminal.show(options, all, `${summaryTable(all, held)}\n\n${coming}`)
  })
}

async function show(terminal: Terminal, text: string, options: Json): Promise<undefined> {
  const id = editionId(text)
  const { summaryOf } = await import('../actions/editions/show.ts')
  await terminal.withInstallation(async (installation) => {
    const summary = await summaryOf(installation, id)
    if (summary === null) return (await import('./coming.ts')).showComing(terminal, installation, id, options)
    terminal.show(options, summary, summaryText(summary, installation.config.DIGEST_TIME_ZONE))
  })
}

async function pause(terminal: Terminal, text: string, options: Json & { reason: string }): Promise<number> {
  const id = editionId(text)
  const control = await import('../actions/editions/control.ts')
  return terminal.withInstallation(async (installation) => {
    const outcome = await control.pause(installation, id, options.reason)
    return controlled(terminal, installation, {
      id,
      outcome,
      options,
      says: `Edition ${id} is paused. To continue: openseat edition resume ${id}`,
    })
  })
}

async function resume(terminal: Terminal, text: string, options: Json): Promise<number> {
  const id = editionId(text)
  const control = await import('../actions/editions/control.ts')
  return terminal.withWaker(async (app) => {
    const outcome = await control.resume(app, id)
    return controlled(terminal, app, {
      id,
      outcome,
      options,
      says: `Edition ${id} continues. ${await whoSubmits(app)}`,
    })
  })
}

async function cancel(terminal: Terminal, text: string, options: Json): Promise<number> {
  const id = editionId(text)
  const control = await import('../actions/editions/control.ts')
  return terminal.withInstallation(async (installation) => {
    const outcome = await control.cancel(installation, id)
    return controlled(terminal, installation, {
      id,
      outcome,
      options,
      says: `Edition ${id} is cancelled. The next edition includes its sessions.`,
    })
  })
}

type Controlled = { id: string; outcome: ControlOutcome; options: Json; says: string }

async function controlled(
  terminal: Terminal,
  installation: Installation,
  { id, outcome, options, says }: Controlled,
): Promise<number> {
  if (outcome.kind === 'not-found') throw noSuchEdition(id)
  if (outcome.kind === 'refused') {
    terminal.note(`Not done: ${outcome.reason}.`)
    return 1
  }
  const { summaryOf } = await import('../actions/editions/show.ts')
  terminal.show(options, await summaryOf(installation, id), says)
  return 0
}

async function resend(terminal: Terminal, text: string, options: ResendOptions): Promise<number> {
  const id = editionId(text)
  const request = requestIn(options)
  const asks = canAsk(terminal) && !options.yes && request.kind !== 'to'
  if (request.kind === 'all' && !options.yes && !asks)
    throw new BadInput('--all sends it to everyone a second time; add --yes if you mean that')
  if (request.kind === 'to') request.email = await addressGiven(terminal, request.email, '--to')
  const { judgeResend, resendEdition } = await import('../actions/editions/resend.ts')
  return terminal.withWaker(async (app) => {
    if (request.kind === 'correct') request.sessionId = await sessionGiven(app, options.correct ?? '')
    const judged = asks ? await judgeResend(app, id, request) : null
    if (judged?.kind === 'ready') {
      const question = `Send edition ${id} ${RESENT[request.kind](judged.recipients)}`
      if (!(await confirmed(terminal, question, 'Stopped. Nothing was sent.'))) {
        terminal.note('Not done: nothing was sent.')
        return 1
      }
    }
    const outcome = await resendEdition(app, id, request)
    if (outcome.kind === 'not-found') throw noSuchEdition(id)
    if (outcome.kind === 'refused') {
      terminal.note(`Not done: ${outcome.reason}.`)
      return 1
    }
    const { generation, recipients, excluded } = outcome
    const left = Object.values(excluded).reduce((sum, count) => sum + count, 0)
    const why = left === 0 ? '' : `; ${number(left)} left out (${breakdown(labeled(excluded))})`
    const says = `Resend #${generation} of edition ${id} planned for ${counted(recipients, 'recipient')}${why}.`
    terminal.show(
      options,
      { edition: id, generation, recipients, excluded },
      `${says} ${await whoSubmits(app)}`,
    )
    return 0
  })
}

const RESENT: Record<ResendRequest['kind'], (count: number) => string> = {
  to: (count) => `to ${people(count)}?`,
  failed: (count) => `to ${people(count)} whose email failed?`,
  unknown: (count) => `to ${people(count)} with no confirmed result? Some may get it twice.`,
  all: (count) => `again to ${people(count)} who already got it?`,
  correct: (count) => `corrected, to ${people(count)} who were shown this session?`,
}

function requestIn({ to, failed, unknown, all, correct }: ResendOptions): ResendRequest {
  const requests: ResendRequest[] = []
  if (to !== undefined) requests.push({ kind: 'to', email: to })
  if (failed) requests.push({ kind: 'failed' })
  if (unknown) requests.push({ kind: 'unknown' })
  if (all) requests.push({ kind: 'all' })
  if (correct !== undefined) requests.push({ kind: 'correct', sessionId: Number.NaN })
  const [request] = requests
  if (request === undefined || requests.length > 1)
    throw new BadInput(
      'say to whom, with one of --to EMAIL, --failed, --unknown, --correct SESSION or --all --yes',
    )
  return request
}

/** The number of a session given by its external id, or by its number as `sessions list` shows it. */
async function sessionGiven({ store }: Pick<Installation, 'store'>, given: string): Promise<number> {
  const { findDatedSession, findSessionNamed } = await import('../db/sessions/sessions.ts')
  const named = await findSessionNamed(store, given)
  const found = named ?? (/^\d+$/.test(given) ? await findDatedSession(store, Number(given)) : null)
  if (found) return found.id
  throw new BadInput(`--correct: there is no session ${JSON.stringify(given)}; see "openseat sessions list"`)
}

async function whoSubmits({ queue }: { queue: SweepWaker }): Promise<string> {
  if ((await queue.workers()) ?? 0) return 'The running worker will submit it.'
  return 'No worker is running. To submit it: openseat start, or openseat edition send --wait'
}
