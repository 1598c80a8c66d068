import type { TopicChoice } from '../audience/seen.ts'
import { addDaysLocal, parseLocal, resolveLocal, toLocal } from '../time/calendar.ts'
import { canonicalZone } from '../time/zone-names.ts'
import type { Values } from '../words/words.ts'
import type { AddressError } from './email-address.ts'
import type { FormError } from './fields.ts'
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
 * slug or several; none means every topic. Every error is named.
 */
export function readPreferences(
  form: Readonly<Record<string, unknown>>,
  offered: { topicIds: ReadonlyMap<string, number>; languages: readonly string[] },
): { preferences: Preferences } | { errors: FormError[] } {
  const { tz, cadence } = form
  const timeZone = typeof tz === 'string' ? canonicalZone(tz) : null
  const language = offered.languages.find((one) => one === form.language) ?? null
  const { name, error } = readName(typeof form.name === 'string' ? form.name : '', LONGEST_NAME)
  const chosen = listOf(form.topics).map((slug) => offered.topicIds.get(slug))
  const errors: FormError[] = []
  const wrong = (field: string, key: FormError['key'], values: Values = {}) =>
    void errors.push({ field, key, values })
  if (error) errors.push(error)
  if (timeZone === null) wrong('tz', 'page.wrong.zone')
  if (cadence !== 'weekly' && cadence !== 'monthly') wrong('cadence', 'page.wrong.cadence')
  if (language === null && form.language !== undefined) wrong('language', 'page.wrong.language')
  if (chosen.includes(undefined)) wrong('topics', 'page.wrong.topics')
  if (timeZone === null || errors.length > 0) return { errors }
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
export function addressFormError(fault: AddressError): FormError {
  return fault === 'missing'
    ? { field: 'email', key: 'page.wrong.email.missing' }
    : { field: 'email', key: 'page.wrong.email', values: { why: fault === 'long-local' ? 'long' : fault } }
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
): { until: Date } | { error: FormError } {
  const date = text.trim()
  const local = `${date}T00:00`
  const wrong = (key: FormError['key']) => ({ error: { field: 'until', key } })
  if (date === '') return wrong('page.wrong.day.missing')
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || parseLocal(local) === null) return wrong('page.wrong.day.format')
  const { first, last } = pauseDates(zone, now)
  if (date < first) return wrong('page.wrong.day.past')
  if (date > last) return wrong('page.wrong.day.far')
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
