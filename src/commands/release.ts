import type { Command } from 'commander'
import type { HeldState } from '../actions/restore/release.ts'
import { HOLD_CLAUSES } from '../core/hold.ts'
import type { Released } from '../db/restore/release.ts'
import { counted, when } from './layout.ts'
import { command, type Terminal } from './terminal.ts'

type Options = { json?: boolean; yes?: boolean; goOn?: boolean }

/** Adds `release`. */
export function addRelease(openseat: Command, terminal: Terminal): void {
  openseat
    .command('release')
    .description('show what a restored or copied database would send; --yes lets it send')
    .option('--yes', 'release it, so that no one is emailed twice')
    .option('--go-on', 'with --yes: nothing was sent since the copy was made, so send what is owed')
    .option('--json', 'print one JSON document on stdout')
    .action(command(terminal, (options: Options) => release(terminal, options)))
    .addHelpText('after', NOTES)
}

const NOTES = `
A restored backup, a copy, or a moved database is held: its pages work, but it plans
and sends nothing, because the original may have sent the same emails, or still may.
Stop the original before you release this one.

Without --yes, nothing is changed. With --yes, to be safe:
  - owed emails end as unknown, because they may have been sent since. "edition
    resend ID --unknown" sends them again, and some people may get them twice;
  - an edition that was due and is not in this database is recorded as cancelled,
    because it may have been sent. The next edition includes its sessions;
  - waiting confirmation emails are dropped. Those people can sign up again.

With --yes --go-on, if you know that nothing was sent since the copy was made
(everything was stopped, then moved; or the other machine had died):
  - owed emails are sent under their idempotency keys. Resend knows these for 23
    hours after the copy and sends nothing twice. After that, they end as unknown;
  - an edition that was due is still sent, within DIGEST_CATCH_UP_HOURS.

Either way, what happened after the copy is lost: sign-ups, confirmations,
unsubscribes, complaints, and new sessions. People who unsubscribed since get email
again, unless you run "subscribers unsubscribe EMAIL" before the next edition.

Example:
  $ openseat release
  $ openseat release --yes`

async function release(terminal: Terminal, options: Options): Promise<undefined> {
  const { heldState, release } = await import('../actions/restore/release.ts')
  if (!options.yes) {
    await terminal.withInstallation(async (app) => {
      const state = await heldState(app)
      terminal.show(
        options,
        documentOf(state, null),
        stateText(state, app.config.DIGEST_TIME_ZONE, app.now()),
      )
    })
    return
  }
  await terminal.withQueue(async (app) => {
    const state = await heldState(app)
    const released = state && (await release(app, options.goOn ? 'go-on' : 'safe'))
    terminal.show(options, documentOf(state, released), releasedText(state, released, options))
  })
}

function documentOf(state: HeldState | null, released: Released | null) {
  const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString())
  if (state === null) return { held: false, released: false }
  const { hold, ...owed } = state
  return {
    held: released === null,
    released: released !== null,
    reason: hold.reason,
    since: iso(hold.since),
    knownThrough: iso(hold.knownThrough),
    ...owed,
    ...(released && {
      marked: {
        unknown: released.recipients,
        notices: released.notices,
        cancelled: released.editions,
      },
    }),
  }
}

const NOT_HELD = 'The installation is not held. Nothing was done.'

function stateText(state: HeldState | null, zone: string, now: Date): string {
  if (state === null) return NOT_HELD
  const { hold, editions, notices, slot, activeSubscribers } = state
  const known = hold.knownThrough === null ? 'an unknown time' : when(hold.knownThrough, zone, now)
  const owed = editions.map(
    ({ id, state: at, recipients, batches, paused }) =>
      `  edition ${id}, ${paused ? 'paused' : at}: ${counted(recipients, 'recipient')} in ${counted(batches, 'batch')} not submitted when the copy was taken`,
  )
  const due = slot
    ? [
        `  edition ${slot.editionId}, due ${when(slot.at, zone, now)}: not in this copy; up to ${counted(activeSubscribers, 'recipient')}`,
      ]
    : []
  const small = notices > 0 ? [`  ${counted(notices, 'confirmation email')} not submitted`] : []
  const lines = [...owed, ...due, ...small]
  return [
    `Held since ${when(hold.since, zone, now)}: ${HOLD_CLAUSES[hold.reason]}.`,
    `What happened after ${known} is lost: sign-ups, unsubscribes, sessions.`,
    '',
    lines.length > 0 ? 'Resend may have accepted all or part of this already:' : 'Nothing is owed.',
    ...lines,
    '',
    state.editions.length > 0 && !state.keysTrusted
      ? 'The copy is so old that Resend no longer knows its keys: what is owed ends as unknown either way.'
      : 'Within 23 hours after the copy, Resend recognizes by the keys what it already has.',
    '',
    'Stop the original if it is running. Then:',
    '  openseat release --yes           no one is emailed twice: what is above is not sent, and is marked',
    '  openseat release --yes --go-on   nothing went out since the copy was taken: send it',
    '"openseat release --help" says what each does.',
  ].join('\n')
}

function releasedText(state: HeldState | null, released: Released | null, { goOn }: Options): string {
  if (state === null || released === null) return NOT_HELD
  const { slot, editions } = state
  const ids = editions.map(({ id }) => id).filter((id) => !released.editions.includes(id))
  const unknown = released.recipients > 0 && `${counted(released.recipients, 'recipient')} are unknown`
  const lines = [
    'Released. The next edition goes out when it is due.',
    unknown && `${unknown}: they may already have got the email.`,
    unknown &&
      ids.length > 0 &&
      `To email them (some may get it twice): openseat edition resend ${ids[0]} --unknown`,
    released.editions.length > 0 &&
      `Cancelled, because they were only partly planned: ${released.editions.join(', ')}. The next edition includes their sessions.`,
    released.notices > 0 && `${counted(released.notices, 'confirmation email')} will not be sent.`,
    !goOn && slot && `Edition ${slot.editionId} is recorded as cancelled, because it may have been sent.`,
    goOn && 'What is owed is sent, and so is an edition that is due.',
  ]
  return lines.filter((line) => line !== false && line !== undefined && line !== null).join('\n')
}
