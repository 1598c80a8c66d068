import type { App } from '../../app.ts'
import type { FormError } from '../../core/intake/fields.ts'
import { PAUSE_WEEKS, pauseForWeeks, pauseUntilDate, readPreferences } from '../../core/intake/preferences.ts'
import { languageOf } from '../../core/words/words.ts'
import { eraseSubscriber } from '../../db/people/erasures.ts'
import { setCadence, setPause, storePreferences } from '../../db/people/preferences.ts'
import { findByPublicId } from '../../db/people/subscribers.ts'
import { allTopics } from '../../db/sessions/sessions.ts'

type Needs = Pick<App, 'store' | 'now'>

/** People who unsubscribed, or never confirmed, have no preferences; they must subscribe again. */
type NotSubscribed = { kind: 'not-subscribed' }
type Invalid = { kind: 'invalid'; errors: FormError[] }

export type Saved = { kind: 'saved' } | Invalid | NotSubscribed
export type Paused = { kind: 'paused'; until: Date } | Invalid | NotSubscribed
/**
 * Saves a form of the preferences page, all of it or nothing; see `readPreferences` for its fields. An unchanged language
 * keeps its region: es-MX stays es-MX.
 */
export async function savePreferences(
  app: Needs & Pick<App, 'templates'>,
  publicId: string,
  form: Readonly<Record<string, unknown>>,
): Promise<Saved> {
  const topicIds = new Map((await allTopics(app.store)).map(({ id, slug }) => [slug, id]))
  const before = await findByPublicId(app.store, publicId)
  const languages = Object.keys(app.templates.words)
  const read = readPreferences(form, { topicIds, languages, keptName: before?.name ?? null })
  if ('errors' in read) return { kind: 'invalid', errors: read.errors }
  const { language, ...preferences } = read.preferences
  const isNew = language && language !== languageOf(before?.locale ?? 'en')
  const stored = await storePreferences(app.store, publicId, {
    ...preferences,
    ...(isNew && { locale: language }),
  })
  return { kind: stored ? 'saved' : 'not-subscribed' }
}

/** Pauses emails for 2, 4, or 8 weeks, or until a date (`2026-12-24`), in the reader's time zone. */
export async function pauseMail(
  app: Needs,
  publicId: string,
  how: { weeks: string } | { date: string },
): Promise<Paused> {
  const subscriber = await findByPublicId(app.store, publicId)
  if (subscriber === null) return { kind: 'not-subscribed' }
  const read = pauseEnd(how, subscriber.timeZone, app.now())
  if ('error' in read) return invalid(read.error)
  const stored = await setPause(app.store, publicId, read.until)
  return stored ? { kind: 'paused', until: read.until } : { kind: 'not-subscribed' }
}

/** Ends a pause, if there is one. */
export async function endPause(
  { store }: Needs,
  publicId: string,
): Promise<{ kind: 'ended' } | NotSubscribed> {
  return { kind: (await setPause(store, publicId, null)) ? 'ended' : 'not-subscribed' }
}

/** Sends emails every four weeks from now on. */
export async function goMonthly(
  { store }: Needs,
  publicId: string,
): Promise<{ kind: 'monthly' } | NotSubscribed> {
  return { kind: (await setCadence(store, publicId, 'monthly')) ? 'monthly' : 'not-subscribed' }
}

/** Erases a subscriber, as `subscribers erase` does. All their links stop working. */
export async function forgetReader(
  { store, now }: Needs,
  publicId: string,
): Promise<{ kind: 'erased' | 'not-found' }> {
  const subscriber = await findByPublicId(store, publicId)
  const erased = subscriber !== null && (await eraseSubscriber(store, subscriber.emailHash, now()))
  return { kind: erased ? 'erased' : 'not-found' }
}

const invalid = (error: FormError): Invalid => ({ kind: 'invalid', errors: [error] })

function pauseEnd(how: { weeks: string } | { date: string }, zone: string, now: Date) {
  if ('date' in how) return pauseUntilDate(how.date, zone, now)
  const weeks = PAUSE_WEEKS.find((one) => String(one) === how.weeks)
  if (weeks === undefined) return { error: { field: 'until', key: 'page.wrong.day.missing' } as const }
  return { until: pauseForWeeks(weeks, zone, now) }
}
