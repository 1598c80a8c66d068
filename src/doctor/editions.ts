import { formatDistanceStrict } from 'date-fns/formatDistanceStrict'
import { type Summary, summaryOf } from '../actions/editions/show.ts'
import { editionsWaiting } from '../actions/editions/sweep.ts'
import { checkReports } from '../actions/provider/mail-checks.ts'
import { namesOfLeftOut } from '../actions/sessions/left-out.ts'
import type { Installation } from '../app.ts'
import type { Config } from '../config.ts'
import { heldBecause } from '../core/hold.ts'
import { breakerReason } from '../core/provider/breaker.ts'
import { slotAtOrBefore } from '../core/time/calendar.ts'
import { danglingIn } from '../db/checks.ts'
import { allEditions, type Edition } from '../db/ledger/editions.ts'
import { currentHold } from '../db/restore/epoch.ts'
import { openSessions } from '../db/sessions/sessions.ts'
import type { Check } from '../resend/check.ts'
import { checkComing } from './coming.ts'
import { lateMs } from './readings.ts'

const HOUR_MS = 3_600_000
/** After this long, an unfinished edition counts as late. */
const PATIENCE_MS = HOUR_MS / 4

/** Checks the sessions, the editions, and the provider's reports about them. `workers`: null = unknown. */
export async function checkEditions(installation: Installation, workers: number | null): Promise<Check[]> {
  const editions = await allEditions(installation.store)
  const [newest] = editions
  const last = newest ? await summaryOf(installation, newest.id) : null
  return [
    ...(await checkHold(installation)),
    ...(await checkSessions(installation)),
    ...(await checkLeftOut(installation)),
    ...(await checkReferences(installation)),
    ...(newest && last ? lastEdition(newest, last, installation.config) : [NONE_YET]),
    ...editions.flatMap((edition) => unfinished(edition, workers)),
    ...(await lateness(installation, workers)),
    ...(await checkComing(installation)),
    ...(await checkReports(installation)),
  ]
}

const NONE_YET: Check = { name: 'last edition', status: 'ok', detail: 'none yet' }

async function checkHold({ store }: Installation): Promise<Check[]> {
  const hold = await currentHold(store)
  if (hold === null) return []
  const fix = 'See what would go out, and release it if that is right: openseat release'
  return [{ name: 'held', status: 'fail', detail: heldBecause(hold), fix }]
}

async function checkSessions({ store, now }: Installation): Promise<Check[]> {
  const { sessions } = await openSessions(store, now())
  if (sessions.length > 0) return []
  const fix = 'Add some: openseat sessions import FILE'
  return [{ name: 'sessions', status: 'warn', detail: 'no bookable session, so no email would go out', fix }]
}

async function checkLeftOut({ store }: Installation): Promise<Check[]> {
  return (await namesOfLeftOut(store)).map((detail) => ({
    name: 'left out',
    status: 'warn',
    detail: `no page and no edition shows ${detail}`,
    fix: 'Correct the row, or import the session again: openseat sessions import FILE',
  }))
}

async function checkReferences({ store }: Installation): Promise<Check[]> {
  return (await danglingIn(store)).map(({ table, parent, count }) => ({
    name: 'references',
    status: 'warn',
    detail: `${count === 1 ? '1 row' : `${count} rows`} of ${table} ${count === 1 ? 'refers' : 'refer'} to ${parent} that are not there`,
    fix: 'Whatever writes to the database should begin with "pragma foreign_keys = on"; correct or delete these rows.',
  }))
}

function lastEdition(edition: Edition, last: Summary, config: Config): Check[] {
  const lost = last.failed + last.unknown
  const detail = `${last.id} is ${last.state}: ${last.submitted} submitted, ${last.failed} failed, ${last.unknown} unknown, ${last.waiting} waiting`
  const fix = `To see them: openseat edition show ${last.id}`
  return [
    { name: 'last edition', detail, ...(lost > 0 ? { status: 'warn', fix } : { status: 'ok' }) },
    ...tooManyReturns(edition, last.submitted, config),
  ]
}

// A paused edition says this itself; this is for reports that came too late to pause it.
function tooManyReturns(edition: Edition, submitted: number, config: Config): Check[] {
  const reason = edition.state === 'paused' ? null : breakerReason({ ...edition, submitted }, config)
  if (reason === null) return []
  const detail = `${edition.id}: ${reason}`
  const fix = 'Find out why at resend.com/emails before the next edition: Resend may pause the account.'
  return [{ name: 'bounces', status: 'warn', detail, fix }]
}

function unfinished({ id, state, pauseReason }: Edition, workers: number | null): Check[] {
  const name = 'unfinished'
  if (state === 'paused') {
    const fix = `Fix the reason, then: openseat edition resume ${id}`
    return [{ name, status: 'warn', detail: `${id} is paused: ${pauseReason}`, fix }]
  }
  if ((state !== 'planning' && state !== 'submitting') || workers !== 0) return []
  return [
    { name, status: 'warn', detail: `${id} is ${state} and no worker is running`, fix: 'openseat start' },
  ]
}

async function lateness(installation: Installation, workers: number | null): Promise<Check[]> {
  const late = await lateMs(installation)
  if (late < PATIENCE_MS) return []
  const { slotRule, DIGEST_CATCH_UP_HOURS } = installation.config
  const { editionId: id } = slotAtOrBefore(slotRule, installation.now())
  const since = formatDistanceStrict(0, late)
  const check = (detail: string, fix: string): Check => ({
    name: 'slot',
    status: 'warn',
    detail: `${id} was due ${since} ago and ${detail}`,
    fix,
  })
  const edition = await summaryOf(installation, id)
  if (edition)
    return [check(`${edition.waiting} of its emails still wait`, `To see why: openseat edition show ${id}`)]
  if (late > DIGEST_CATCH_UP_HOURS * HOUR_MS)
    return [
      check('was missed', 'The next edition includes its sessions. To send them now: openseat edition send'),
    ]
  if ((await editionsWaiting(installation)) > 0) return [] // checkComing says so
  if (workers === 0) return [check('nothing has planned it: no worker is running', 'openseat start')]
  return [check('nothing has planned it', 'See what the log of the worker says; or: openseat edition send')]
}
