import { calendarUrl } from '../actions/private-calendar.ts'
import { LINK_LIFE_MS } from '../actions/submit-notice.ts'
import type { App } from '../app.ts'
import { isTimeZone } from '../core/calendar.ts'
import type { Problem } from '../core/fields.ts'
import { formatOccurrence } from '../core/occurrences.ts'
import { canMove, listOf, PAUSE_WEEKS, pauseDates } from '../core/preferences.ts'
import { signToken } from '../core/tokens.ts'
import { lastAddressChange } from '../db/preferences.ts'
import { allTopics } from '../db/sessions.ts'
import { findSuppression, holdingsOf, type Subscriber } from '../db/subscribers.ts'
import { basePath } from './pages.ts'
import { zoneGroups } from './zone-choice.ts'

type Needs = Pick<App, 'config' | 'db' | 'now'>

/** A form as it was posted. */
export type Form = Readonly<Record<string, unknown>>

/** What was just done: saved, or `form` was posted with `typed` and has problems. */
export type Just = { saved: string } | { form: string; typed: Form; problems: readonly Problem[] }

/** The field of each problem as its sentence begins. */
const LABELS: Record<string, string> = {
  name: 'Your first name',
  tz: 'The time zone',
  cadence: 'How often',
  topics: 'A topic',
  until: 'The day',
  email: 'The new address',
}

/** All that `preferences.hbs` shows: what is stored, or after a mistake what was typed. */
export async function preferencesPage(app: Needs, subscriber: Subscriber, just: Just) {
  const suppressedFor = (await findSuppression(app.db, subscriber.emailHash))?.reason ?? null
  const subscribed = subscriber.status === 'active' && canMove(suppressedFor)
  const active = subscribed && suppressedFor === null
  const { page, unsubscribe } = linksOf(app, subscriber)
  return {
    title: 'Your preferences',
    active,
    bounced: subscribed && !active,
    canMove: subscribed,
    page,
    unsubscribe,
    undo: subscriber.status === 'unsubscribed' && suppressedFor === null ? `${unsubscribe}/undo` : null,
    status: 'saved' in just && subscribed ? statusOf(just.saved, subscriber, app.now()) : null,
    problems: problemTexts('problems' in just ? just.problems : []),
    mend: 'problems' in just,
    fields: active ? await fieldsOf(app, subscriber, typedIn('preferences', just)) : null,
    pause: pauseOf(app, subscriber, typedIn('pause', just)),
    calendar: subscriber.calendarKey === null ? null : calendarUrl(app.config, subscriber.calendarKey),
    address: await addressOf(app, subscriber, typedIn('address', just)),
    discreetName: app.config.DISCREET_FROM_NAME,
  }
}

function linksOf({ config }: Needs, { publicId }: Subscriber) {
  const [secret = ''] = config.LINK_SECRET
  const link = (purpose: 'preferences' | 'unsubscribe') =>
    `${basePath(config)}/${purpose}/${encodeURIComponent(signToken(secret, purpose, publicId))}`
  return { page: link('preferences'), unsubscribe: link('unsubscribe') }
}

/** The confirmation; null for what is not known. The address of a page proves nothing, so it says only what is stored. */
function statusOf(
  saved: string,
  { pausedUntil, timeZone, calendarKey }: Subscriber,
  now: Date,
): string | null {
  switch (saved) {
    case 'preferences':
      return 'Your preferences are saved. They count from the next mail on.'
    case 'pause':
      return isPaused(pausedUntil, now) ? `Your mail is paused until ${dayOf(pausedUntil, timeZone)}.` : null
    case 'resumed':
      return isPaused(pausedUntil, now)
        ? null
        : 'Your mail is on again. The next one tells all that is still free.'
    case 'calendar':
    case 'calendar-replaced':
      return calendarKey
        ? `${saved === 'calendar' ? 'Your calendar has' : 'The old address is dead, and your calendar has'} the address below.`
        : null
    case 'calendar-removed':
      return calendarKey ? null : 'The address of your private calendar is removed.'
    case 'address':
      return 'We are writing to the new address. Please open the link in that mail within seven days.'
    case 'too-many':
      return 'We wrote to a new address several times today. Please look for those mails, or try again tomorrow.'
    default:
      return null
  }
}

const typedIn = (form: string, just: Just): Form | null =>
  'form' in just && just.form === form ? just.typed : null

function problemTexts(problems: readonly Problem[]): Record<string, string | null> {
  const texts = Object.keys(LABELS).map(
    (field) => [field, problems.find((one) => one.field === field)] as const,
  )
  return Object.fromEntries(
    texts.map(([field, problem]) => [field, problem ? `${LABELS[field]} ${problem.message}.` : null]),
  )
}

async function fieldsOf({ db }: Needs, subscriber: Subscriber, typed: Form | null) {
  const { topics } = await holdingsOf(db, subscriber.emailHash)
  const stored = topics.filter(({ chosen }) => chosen).map(({ topic }) => topic)
  const chosen = new Set(typed ? listOf(typed.topics) : stored)
  const cadence = typed ? typed.cadence : subscriber.cadence
  const typedZone = textOf(typed?.tz)
  return {
    name: typed ? textOf(typed.name) : (subscriber.name ?? ''),
    topics: (await allTopics(db)).map(({ slug, name }) => ({ slug, name, chosen: chosen.has(slug) })),
    weekly: cadence === 'weekly',
    monthly: cadence === 'monthly',
    discreet: typed ? typed.discreet !== undefined : subscriber.discreet,
    zones: zoneGroups(isTimeZone(typedZone) ? typedZone : subscriber.timeZone),
  }
}

function pauseOf({ now }: Needs, { pausedUntil, timeZone }: Subscriber, typed: Form | null) {
  const { first, last } = pauseDates(timeZone, now())
  return {
    until: isPaused(pausedUntil, now()) ? dayOf(pausedUntil, timeZone) : null,
    weeks: PAUSE_WEEKS,
    typed: typed ? textOf(typed.until) : '',
    first,
    last,
  }
}

async function addressOf({ db, now }: Needs, subscriber: Subscriber, typed: Form | null) {
  const change = await lastAddressChange(db, subscriber.id, new Date(now().getTime() - LINK_LIFE_MS))
  return {
    now: masked(subscriber.email),
    waiting: change && change.emailHash !== subscriber.emailHash ? masked(change.email) : null,
    typed: typed ? textOf(typed.email) : '',
  }
}

/** What a field holds that should be there once; nothing for anything else. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const isPaused = (until: number | null, now: Date): until is number => until !== null && until > now.getTime()

function dayOf(at: number, timeZone: string): string {
  const { weekday, date } = formatOccurrence(new Date(at), timeZone, 'en')
  return `${weekday}, ${date}`
}

/** Enough to know which address it is, and not for who looks over a shoulder: `a…@sample.test`. */
const masked = (email: string): string => email.replace(/^(.).*(@[^@]*)$/, '$1…$2')
