import { calendarUrl } from '../../../actions/subscribers/calendar.ts'
import { canUndo } from '../../../actions/subscribers/consent.ts'
import { canAskFresh } from '../../../actions/subscribers/fresh-links.ts'
import { LINK_LIFE_MS } from '../../../actions/subscribers/notices.ts'
import type { App } from '../../../app.ts'
import type { FormError } from '../../../core/intake/fields.ts'
import { canMove, listOf, PAUSE_WEEKS, partOf, pauseDates } from '../../../core/intake/preferences.ts'
import { topicsIn } from '../../../core/sessions/topic.ts'
import { longDay } from '../../../core/time/occurrences.ts'
import { canonicalZone } from '../../../core/time/zone-names.ts'
import { signToken } from '../../../core/tokens.ts'
import { weighed } from '../../../core/weighed.ts'
import { type Catalogs, languageOf, type Translator } from '../../../core/words/words.ts'
import { waitingAddressChange } from '../../../db/people/address-changes.ts'
import { personalDataOf } from '../../../db/people/personal-data.ts'
import { type Subscriber } from '../../../db/people/subscribers.ts'
import { findSuppression } from '../../../db/people/suppressions.ts'
import { allTopics } from '../../../db/sessions/sessions.ts'
import { formMessages } from '../form-errors.ts'
import { preferencesUrl } from '../next.ts'
import { basePath } from '../pages.ts'
import { zoneGroups } from '../zone-choice.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'templates'>

/** A posted form. */
export type Form = Readonly<Record<string, unknown>>

/** What just happened: it was saved, or `form` was posted with `typed` and has errors. */
export type Just = { saved: string } | { form: string; typed: Form; errors: readonly FormError[] }

/** In the order of the page. */
const FIELDS = ['topics', 'cadence', 'until', 'language', 'tz', 'name'] as const

/** Everything that `preferences.hbs` shows: what is stored, or after an error what was typed. */
export async function preferencesPage(
  app: Needs,
  subscriber: Subscriber,
  just: Just,
  translator: Translator,
) {
  const suppressedFor = (await findSuppression(app.store, subscriber.emailHash))?.reason ?? null
  const subscribed = subscriber.status === 'active' && canMove(suppressedFor)
  const active = subscribed && suppressedFor === null
  const { page, unsubscribe } = linksOf(app, subscriber)
  const problems = formMessages(FIELDS, 'errors' in just ? just.errors : [], translator)
  return {
    title: translator.t('errors' in just ? 'page.preferences.title.wrong' : 'page.preferences.title'),
    active,
    bounced: subscribed && !active,
    canLeave: subscribed,
    page,
    unsubscribe,
    undo: suppressedFor === null && canUndo(subscriber, app.now()) ? `${unsubscribe}/undo` : null,
    canAsk: await canAskFresh(app, subscriber),
    said: saidOf('saved' in just && active ? just.saved : '', subscriber, app.now(), translator),
    problems,
    wrong: 'errors' in just && summaryOf(problems),
    fields: active ? await fieldsOf(app, subscriber, typedIn('preferences', just), translator) : null,
    pause: pauseOf(app, subscriber, typedIn('pause', just), translator),
    calendar: subscriber.calendarKey === null ? null : calendarLinks(app.config, subscriber.calendarKey),
    address: await addressOf(app, subscriber),
    discreetName: app.config.DISCREET_FROM_NAME ?? translator.t('mail.discreet.sender'),
  }
}

function linksOf({ config }: Needs, { publicId }: Subscriber) {
  const [secret = ''] = config.LINK_SECRET
  const token = encodeURIComponent(signToken(secret, 'unsubscribe', publicId))
  return {
    page: preferencesUrl({ config }, publicId),
    unsubscribe: `${basePath(config)}/unsubscribe/${token}`,
  }
}

/** The mistakes as links to their fields. */
const summaryOf = (problems: Readonly<Record<string, string | null>>) =>
  Object.entries(problems).flatMap(([field, text]) => (text === null ? [] : [{ href: `#${field}`, text }]))

/** Apps subscribe to `webcal:`; Google, which documents no link for it, has long taken this one. */
function calendarLinks(config: Needs['config'], key: string) {
  const link = calendarUrl(config, key)
  const apple = link.replace(/^https?:/, 'webcal:')
  return { link, apple, google: `https://calendar.google.com/calendar/r?cid=${encodeURIComponent(apple)}` }
}

/** The confirmation, in its card; none if unknown. Anyone can type this URL, so it says only what is stored. */
function saidOf(saved: string, { pausedUntil, calendarKey }: Subscriber, now: Date, { t }: Translator) {
  const paused = isPaused(pausedUntil, now)
  const isSaved = t('page.preferences.said.preferences')
  return {
    get: saved === 'get' || saved === 'preferences' ? isSaved : null,
    look: saved === 'look' ? isSaved : null,
    pause: saved === 'pause' && paused,
    resumed: saved === 'resumed' && !paused ? t('page.preferences.said.resumed') : null,
    calendar: isAboutCalendar(saved, calendarKey !== null) ? t(`page.preferences.said.${saved}`) : null,
  }
}

type AboutCalendar = 'calendar' | 'calendar-replaced' | 'calendar-removed'

const isAboutCalendar = (saved: string, has: boolean): saved is AboutCalendar =>
  has ? saved === 'calendar' || saved === 'calendar-replaced' : saved === 'calendar-removed'

const typedIn = (form: string, just: Just): Form | null =>
  'form' in just && just.form === form ? just.typed : null

async function fieldsOf(
  { store, templates }: Needs,
  subscriber: Subscriber,
  typed: Form | null,
  translator: Translator,
) {
  const part = typed && partOf(typed)
  const get = part === 'look' ? null : typed
  const look = part === 'get' ? null : typed
  const { topics: stored } = await personalDataOf(store, subscriber.emailHash)
  const chosen = new Set(
    get ? listOf(get.topics) : stored.filter((row) => row.chosen).map(({ topic }) => topic),
  )
  const topics = topicsIn(await allTopics(store), translator).map(({ slug, name }) => ({
    ...{ slug, name, chosen: chosen.has(slug) },
  }))
  const cadence = get ? get.cadence : subscriber.cadence
  return {
    name: look ? textOf(look.name) : (subscriber.name ?? ''),
    topics,
    someTopics: chosenNames(topics, translator),
    topicsOpen: chosen.size > 0 || get !== null,
    weekly: cadence === 'weekly',
    monthly: cadence === 'monthly',
    discreet: look ? look.discreet !== undefined : subscriber.discreet,
    zones: zoneGroups(canonicalZone(textOf(look?.tz)) ?? subscriber.timeZone, translator),
    languages: languagesOf(templates.words, textOf(look?.language) || languageOf(subscriber.locale)),
  }
}

const chosenNames = (topics: readonly { name: string; chosen: boolean }[], { locale }: Translator): string =>
  weighed(new Intl.ListFormat(locale, { type: 'unit', style: 'short' })).format(
    topics.filter(({ chosen }) => chosen).map(({ name }) => name),
  )

function languagesOf(words: Catalogs, chosen: string) {
  // Readers without a catalog get English.
  const selected = chosen in words ? chosen : 'en'
  return Object.entries(words).map(([language, catalog]) => ({
    ...{ language, name: catalog.language, selected: language === selected },
  }))
}

function pauseOf(
  { now }: Needs,
  { pausedUntil, timeZone }: Subscriber,
  typed: Form | null,
  { locale }: Translator,
) {
  const { first, last } = pauseDates(timeZone, now())
  return {
    until: isPaused(pausedUntil, now()) ? longDay(new Date(pausedUntil), timeZone, locale, now()) : null,
    weeks: PAUSE_WEEKS,
    typed: typed ? textOf(typed.until) : '',
    first,
    last,
  }
}

async function addressOf({ store, now }: Needs, subscriber: Subscriber) {
  const change = await waitingAddressChange(store, subscriber.id, new Date(now().getTime() - LINK_LIFE_MS))
  return { now: masked(subscriber.email), waiting: change && masked(change.email) }
}

/** The value of a field if it is one string, else ''. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const isPaused = (until: number | null, now: Date): until is number => until !== null && until > now.getTime()

/** Enough for the owner to recognize the address, but not for someone looking over their shoulder: `a…@sample.test`. */
export const masked = (email: string): string => email.replace(/^(.).*(@[^@]*)$/, '$1…$2')
