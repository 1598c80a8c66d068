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
    .description('show what a restored or copied database would send, and with --yes let it go on')
    .option('--yes', 'yes, let it go on, so that nobody is mailed twice')
    .option('--go-on', 'with --yes: nothing went out since the copy was taken, so send what is owed')
    .option('--json', 'print one JSON document on stdout')
    .action(command(terminal, (options: Options) => release(terminal, options)))
    .addHelpText('after', NOTES)
}

const NOTES = `
A restored backup, a copy, or a database that was moved is held: the pages work,
but nothing is planned or submitted, as the same mail may have gone out already
from the other one, or still may. Stop that one before you release this one.

Without --yes nothing is changed. With --yes, to be safe:
  - owed mails end as unknown: they may have been submitted since. "edition
    resend ID --unknown" mails those people again, and some may have it twice;
  - an edition that was due and that this database does not know is recorded as
    cancelled: it may have been mailed. Its news goes out with the next one;
  - confirmation mails that wait are dropped; those people can sign up again.

With --yes --go-on, when you know that nothing was submitted since the copy was
taken (everything was stopped, then moved; or the other machine had died):
  - owed mails go on under their keys while Resend knows these, for 23 hours
    from the copy, so that one it has already is not mailed twice. Later they
    end as unknown, as above;
  - an edition that was due is made up for, within DIGEST_CATCH_UP_HOURS.

What happened after the copy is lost either way: who signed up, confirmed, left
or complained, and sessions that were added. People who left since are mailed
again unless you say "subscribers unsubscribe EMAIL" before the next edition.

Example:
  $ openseat release
  $ openseat release --yes`

async function release(terminal: Terminal, options: Options): Promise<undefined> {
  const { heldState, release } = await import('../actions/restore/release.ts')
  if (!options.yes) {
    await terminal.withStore(async (app) => {
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

const NOT_HELD = 'The installation is not held: nothing was done.'

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
  const small = notices > 0 ? [`  ${counted(notices, 'confirmation mail')} not submitted`] : []
  const lines = [...owed, ...due, ...small]
  return [
    `Held since ${when(hold.since, zone, now)}: ${HOLD_CLAUSES[hold.reason]}.`,
    `What happened after ${known} is not in it, and is lost: sign-ups, people who left, sessions.`,
    '',
    lines.length > 0 ? 'Resend may have accepted all or part of this already:' : 'Nothing is owed.',
    ...lines,
    '',
    state.editions.length > 0 && !state.keysTrusted
      ? 'The copy is so old that Resend no longer knows the keys: what is owed ends as unknown either way.'
      : 'Within 23 hours of the copy, Resend would recognise what it has by the keys.',
    '',
    'Stop the other one, if it runs. Then:',
    '  openseat release --yes           nobody is mailed twice: what is above is not sent, and marked so',
    '  openseat release --yes --go-on   nothing went out since the copy was taken: send it',
    'See "openseat release --help" for what each does.',
  ].join('\n')
}

function releasedText(state: HeldState | null, released: Released | null, { goOn }: Options): string {
  if (state === null || released === null) return NOT_HELD
  const { slot, editions } = state
  const ids = editions.map(({ id }) => id).filter((id) => !released.editions.includes(id))
  const unknown = released.recipients > 0 && `${counted(released.recipients, 'recipient')} are unknown`
  const lines = [
    'Released: the next edition goes out when it is due.',
    unknown && `${unknown}: they may have been mailed already.`,
    unknown &&
      ids.length > 0 &&
      `To mail them, some perhaps twice: openseat edition resend ${ids[0]} --unknown`,
    released.editions.length > 0 &&
      `Cancelled, as they were half planned: ${released.editions.join(', ')}. Their news goes out with the next one.`,
    released.notices > 0 && `${counted(released.notices, 'confirmation mail')} will not be submitted.`,
    !goOn && slot && `Edition ${slot.editionId} is recorded as cancelled: it may have been mailed.`,
    goOn && 'What was owed goes on, and an edition that is due is made up for.',
  ]
  return lines.filter((line) => line !== false && line !== undefined && line !== null).join('\n')
}
