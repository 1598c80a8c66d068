import { randomBytes } from 'node:crypto'
import type { App } from '../../app.ts'
import { type ChosenTopics, seenBy } from '../../core/audience/seen.ts'
import { lru } from '../../core/lru.ts'
import { privateCalendar } from '../../core/sessions/ics.ts'
import { type Translator, translatorFor } from '../../core/words/words.ts'
import { calendarOwner, dropCalendarKey, keepCalendarKey } from '../../db/people/calendar-keys.ts'
import { type OpenTimes, openTimes } from '../sessions/open-times.ts'

type Needs = Pick<App, 'config' | 'store' | 'now'>

export type OpenedCalendar = { kind: 'open'; url: string } | { kind: 'not-subscribed' }
export type Calendar = { kind: 'calendar'; text: Buffer } | { kind: 'gone' }

/**
 * Creates the subscriber's private calendar; a second time keeps the first URL. Anyone with `url` can read the calendar, so
 * show it only to the subscriber.
 */
export async function openCalendar(app: Needs, publicId: string): Promise<OpenedCalendar> {
  const key = await keepCalendarKey(app.store, publicId, randomBytes(16).toString('base64url'))
  return key === null ? { kind: 'not-subscribed' } : { kind: 'open', url: calendarUrl(app.config, key) }
}

/** Revokes the URL at once; opening the calendar again creates another. False if there was none. */
export async function revokeCalendar(app: Needs, publicId: string): Promise<boolean> {
  return dropCalendarKey(app.store, publicId)
}

/** The URL of the calendar with this key. */
export function calendarUrl(config: Pick<App['config'], 'PUBLIC_URL'>, key: string): string {
  return `${config.PUBLIC_URL}/calendar/${key}.ics`
}

/**
 * The times that can be reserved now in the subscriber's topics, as iCalendar in their language. `gone` for a revoked or
 * unknown key, and for people who no longer get emails; pausing keeps the calendar.
 */
export async function calendarFor(app: Needs & Pick<App, 'templates'>, key: string): Promise<Calendar> {
  const owner = await calendarOwner(app.store, key)
  if (owner === null || owner.status !== 'active' || owner.suppressed) return { kind: 'gone' }
  const { topics } = seenBy(0, owner.topicRows)
  const translator = translatorFor(app.templates.words, owner.locale)
  const text = textIn(await openTimes(app), app.config)({ ...owner, topics, translator })
  return { kind: 'calendar', text }
}

type Asked = { topics: ChosenTopics; discreet: boolean; timeZone: string; translator: Translator }

/** A thousand sessions make a calendar of half a megabyte. */
const CALENDARS_KEPT = 16

/** Writes calendars of these sessions, and caches the recently used ones as long as the sessions are unchanged. */
function textIn(times: OpenTimes, config: App['config']): (asked: Asked) => Buffer {
  const known = writers.get(times)
  if (known) return known
  const { practice, PUBLIC_URL: publicUrl } = config
  const bookable = new Set(times.offers.map(({ id }) => id))
  const writer = lru(
    CALENDARS_KEPT,
    ({ topics, discreet, timeZone, translator }: Asked) =>
      JSON.stringify([topics && [...topics].sort(), discreet, timeZone, translator.locale]),
    ({ topics, ...asked }) => {
      const matching = times.sessions.filter(
        ({ id, topicId }) => bookable.has(id) && (topics === null || topics.has(topicId)),
      )
      // As bytes: encoding half a megabyte takes longer than sending it.
      return Buffer.from(privateCalendar(matching, { ...asked, practice, publicUrl, now: times.at }))
    },
  )
  writers.set(times, writer)
  return writer
}

const writers = new WeakMap<OpenTimes, (asked: Asked) => Buffer>()
