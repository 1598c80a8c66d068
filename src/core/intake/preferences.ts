import type { TopicChoice } from '../audience/seen.ts'
import { addDaysLocal, parseLocal, resolveLocal, toLocal } from '../time/calendar.ts'
import { canonicalZone } from '../time/zone-names.ts'
import type { Values } from '../words/words.ts'
import type { AddressFault } from './email-address.ts'
import type { Mistake } from './fields.ts'
import { readName } from './names.ts'

/** What a reader decides about their mail. `timeZone` is an IANA name; `topics` are ids; `language` null: as it was. */
export type Preferences = {
  name: string | null
  timeZone: string
  cadence: 'weekly' | 'monthly'
  discreet: boolean
  topics: TopicChoice
  language: string | null
}

/** The pauses that are offered by a button, in weeks. */
export const PAUSE_WEEKS = [2, 4, 8] as const
const LONGEST_PAUSE_DAYS = 365

const LONGEST_NAME = 120

/**
 * Reads the form of the preferences page: `name`, `tz`, `language`, `cadence`, `discreet` (there or not) and `topics`, one
 * slug or several; none means every topic. Every mistake is named.
 */
export function readPreferences(
  form: Readonly<Record<string, unknown>>,
  offered: { topicIds: ReadonlyMap<string, number>; languages: readonly string[] },
): { preferences: Preferences } | { mistakes: Mistake[] } {
  const { tz, cadence } = form
  const timeZone = typeof tz === 'string' ? canonicalZone(tz) : null
  const language = offered.languages.find((one) => one === form.language) ?? null
  const { name, mistake } = readName(typeof form.name === 'string' ? form.name : '', LONGEST_NAME)
  const chosen = listOf(form.topics).map((slug) => offered.topicIds.get(slug))
  const mistakes: Mistake[] = []
  const mistaken = (field: string, says: Mistake['says'], values: Values = {}) =>
    void mistakes.push({ field, says, values })
  if (mistake) mistakes.push(mistake)
  if (timeZone === null) mistaken('tz', 'page.wrong.zone')
  if (cadence !== 'weekly' && cadence !== 'monthly') mistaken('cadence', 'page.wrong.cadence')
  if (language === null && form.language !== undefined) mistaken('language', 'page.wrong.language')
  if (chosen.includes(undefined)) mistaken('topics', 'page.wrong.topics')
  if (timeZone === null || mistakes.length > 0) return { mistakes }
  const topics = new Set(chosen.filter((id) => id !== undefined))
  return {
    preferences: {
      name: name || null,
      timeZone,
      cadence: cadence === 'monthly' ? 'monthly' : 'weekly',
      discreet: form.discreet !== undefined,
      topics: topics.size === 0 ? 'all' : topics,
      language,
    },
  }
}

/** What a reader is told of an address that cannot be one. */
export function mistakeOfAddress(fault: AddressFault): Mistake {
  return fault === 'missing'
    ? { field: 'email', says: 'page.wrong.email.missing' }
    : { field: 'email', says: 'page.wrong.email', values: { why: fault === 'long-local' ? 'long' : fault } }
}

/** The values of a form's field that may occur several times, without repeats. */
export function listOf(field: unknown): string[] {
  return [...new Set(field === undefined ? [] : [field].flat().map(String))]
}

/** When mail begins again after so many weeks: at the start of that day in `zone`, so that its edition is not missed. */
export function pauseForWeeks(weeks: number, zone: string, now: Date): Date {
  return resolveLocal(addDaysLocal(startOfDay(zone, now), weeks * 7), zone).at
}

/** The start of the day that a reader wrote (`2026-12-24`), in `zone`; from tomorrow to a year ahead. */
export function pauseUntilDate(
  text: string,
  zone: string,
  now: Date,
): { until: Date } | { mistake: Mistake } {
  const date = text.trim()
  const local = `${date}T00:00`
  const mistaken = (says: Mistake['says']) => ({ mistake: { field: 'until', says } })
  if (date === '') return mistaken('page.wrong.day.missing')
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || parseLocal(local) === null)
    return mistaken('page.wrong.day.format')
  const { first, last } = pauseDates(zone, now)
  if (date < first) return mistaken('page.wrong.day.past')
  if (date > last) return mistaken('page.wrong.day.far')
  return { until: resolveLocal(local, zone).at }
}

/** The first and the last day that a pause may end on, as clocks in `zone` show them. */
export function pauseDates(zone: string, now: Date): { first: string; last: string } {
  const today = startOfDay(zone, now)
  const day = (days: number) => addDaysLocal(today, days).slice(0, 10)
  return { first: day(1), last: day(LONGEST_PAUSE_DAYS) }
}

/** Whether a new address can help someone whose address is suppressed: not after a complaint, or an operator's no. */
export function canMove(suppressedFor: string | null): boolean {
  return suppressedFor === null || suppressedFor === 'bounce' || suppressedFor === 'provider'
}

const startOfDay = (zone: string, now: Date): string => `${toLocal(now, zone).slice(0, 10)}T00:00`
