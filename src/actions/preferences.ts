import type { App } from '../app.ts'
import { normaliseEmail } from '../core/email-address.ts'
import type { Mistake } from '../core/fields.ts'
import {
  canMove,
  mistakeOfAddress,
  PAUSE_WEEKS,
  pauseForWeeks,
  pauseUntilDate,
  readPreferences,
} from '../core/preferences.ts'
import { hashEmail, newPublicId, readDatedToken } from '../core/tokens.ts'
import { languageOf } from '../core/words.ts'
import {
  addAddressChange,
  forgetAddressChanges,
  replaceAddress,
  setCadence,
  setPause,
  storePreferences,
} from '../db/preferences.ts'
import { allTopics } from '../db/sessions.ts'
import { eraseSubscriber, findByPublicId, findSuppression } from '../db/subscribers.ts'
import { LINK_LIFE_MS } from './submit-notice.ts'

type Needs = Pick<App, 'db' | 'now'>
type NeedsQueue = Needs & Pick<App, 'hashKey'> & { queue: Pick<App['queue'], 'wakeNotices'> }

/** Whoever left, or never confirmed, has nothing to set; only subscribing again helps. */
type NotSubscribed = { kind: 'not-subscribed' }
type Invalid = { kind: 'invalid'; mistakes: Mistake[] }

export type Saved = { kind: 'saved' } | Invalid | NotSubscribed
export type Paused = { kind: 'paused'; until: Date } | Invalid | NotSubscribed
export type AddressAsked = { kind: 'asked' } | { kind: 'too-many' } | Invalid | NotSubscribed
export type AddressConfirmed = { kind: 'changed' | 'taken' | 'expired' } | NotSubscribed

/** Mails to confirm a new address that one reader may ask for in a day. */
const ADDRESS_REQUESTS_A_DAY = 3
const DAY_MS = 86_400_000

/**
 * Saves the form of the preferences page, all of it or nothing; see `readPreferences` for its fields. Who keeps their
 * language keeps its region too: es-MX stays es-MX.
 */
export async function savePreferences(
  app: Needs & Pick<App, 'templates'>,
  publicId: string,
  form: Readonly<Record<string, unknown>>,
): Promise<Saved> {
  const topicIds = new Map((await allTopics(app.db)).map(({ id, slug }) => [slug, id]))
  const read = readPreferences(form, { topicIds, languages: Object.keys(app.templates.words) })
  if ('mistakes' in read) return { kind: 'invalid', mistakes: read.mistakes }
  const { language, ...preferences } = read.preferences
  const before = (await findByPublicId(app.db, publicId))?.locale ?? 'en'
  const locale = language === null || language === languageOf(before) ? before : language
  const stored = await storePreferences(app.db, publicId, { ...preferences, locale })
  return { kind: stored ? 'saved' : 'not-subscribed' }
}

/** Pauses the mail for 2, 4 or 8 weeks, or until a date (`2026-12-24`); days are the reader's own. */
export async function pauseMail(
  app: Needs,
  publicId: string,
  how: { weeks: string } | { date: string },
): Promise<Paused> {
  const subscriber = await findByPublicId(app.db, publicId)
  if (subscriber === null) return { kind: 'not-subscribed' }
  const read = pauseEnd(how, subscriber.timeZone, app.now())
  if ('mistake' in read) return invalid(read.mistake)
  const stored = await setPause(app.db, publicId, read.until)
  return stored ? { kind: 'paused', until: read.until } : { kind: 'not-subscribed' }
}

/** Ends a pause; also when there is none. */
export async function endPause({ db }: Needs, publicId: string): Promise<{ kind: 'ended' } | NotSubscribed> {
  return { kind: (await setPause(db, publicId, null)) ? 'ended' : 'not-subscribed' }
}

/** Mail comes every four weeks from now on. */
export async function goMonthly(
  { db }: Needs,
  publicId: string,
): Promise<{ kind: 'monthly' } | NotSubscribed> {
  return { kind: (await setCadence(db, publicId, 'monthly')) ? 'monthly' : 'not-subscribed' }
}

/**
 * Asks a new address to confirm that the mail may go there. The answer is the same whether the address is free, is
 * subscribed or is suppressed: the holder of a link must not learn who else is on the list.
 */
export async function requestAddressChange(
  app: NeedsQueue,
  publicId: string,
  text: string,
): Promise<AddressAsked> {
  const subscriber = await findByPublicId(app.db, publicId)
  if (subscriber?.status !== 'active') return { kind: 'not-subscribed' }
  const suppression = await findSuppression(app.db, subscriber.emailHash)
  if (!canMove(suppression?.reason ?? null)) return { kind: 'not-subscribed' }
  const address = normaliseEmail(text)
  if ('fault' in address) return invalid(mistakeOfAddress(address.fault))
  const emailHash = hashEmail(app.hashKey, address.email)
  if (emailHash === subscriber.emailHash) return invalid({ field: 'email', says: 'page.wrong.email.same' })

  const now = app.now()
  await forgetAddressChanges(app.db, new Date(now.getTime() - LINK_LIFE_MS))
  const change = { publicId: newPublicId(), subscriberId: subscriber.id, email: address.email, emailHash }
  const limit = { max: ADDRESS_REQUESTS_A_DAY, since: new Date(now.getTime() - DAY_MS) }
  const noticeId = await addAddressChange(app.db, change, limit, now)
  if (noticeId === null) return { kind: 'too-many' }
  // Not awaited: it never throws, and the sweep rings too.
  void app.queue.wakeNotices([noticeId])
  return { kind: 'asked' }
}

/** Whether a link to confirm a new address is ours and young enough; the ledger is asked by `confirmAddressChange`. */
export function canConfirmAddress(
  { config, now }: Pick<App, 'config' | 'now'>,
  token: string,
): string | null {
  const asked = readDatedToken(config.LINK_SECRET, 'change-address', token)
  return asked !== null && now().getTime() - asked.at.getTime() <= LINK_LIFE_MS ? asked.publicId : null
}

/** Moves the subscription to the address that the link was mailed to; it may be repeated. */
export async function confirmAddressChange(
  app: Pick<App, 'config' | 'db' | 'now'>,
  token: string,
): Promise<AddressConfirmed> {
  const changeId = canConfirmAddress(app, token)
  const outcome = changeId === null ? 'unknown' : await replaceAddress(app.db, changeId, app.now())
  switch (outcome) {
    case 'changed':
    case 'already':
      return { kind: 'changed' }
    case 'replaced':
    case 'unknown':
      return { kind: 'expired' }
    case 'taken':
    case 'not-subscribed':
      return { kind: outcome }
  }
}

/** Forgets whoever the link names, as `subscribers erase` does; the link is dead afterwards. */
export async function forgetReader(
  { db, now }: Needs,
  publicId: string,
): Promise<{ kind: 'erased' | 'not-found' }> {
  const subscriber = await findByPublicId(db, publicId)
  const erased = subscriber !== null && (await eraseSubscriber(db, subscriber.emailHash, now()))
  return { kind: erased ? 'erased' : 'not-found' }
}

const invalid = (mistake: Mistake): Invalid => ({ kind: 'invalid', mistakes: [mistake] })

function pauseEnd(how: { weeks: string } | { date: string }, zone: string, now: Date) {
  if ('date' in how) return pauseUntilDate(how.date, zone, now)
  const weeks = PAUSE_WEEKS.find((one) => String(one) === how.weeks)
  if (weeks === undefined) return { mistake: { field: 'until', says: 'page.wrong.day.missing' } as const }
  return { until: pauseForWeeks(weeks, zone, now) }
}
