import type { TopicChoice } from '../audience/seen.ts'
import { addDaysLocal, parseLocal, resolveLocal, toLocal } from '../time/calendar.ts'
import { canonicalZone } from '../time/zone-names.ts'
import type { Values } from '../words/words.ts'
import type { AddressError } from './email-address.ts'
import type { FormError } from './fields.ts'
import { readName } from './names.ts'

/** A reader's choices. `timeZone` is an IANA name, `topics` are ids, and `language` null means unchanged. */
export type Preferences = {
  name: string | null
  timeZone: string
  cadence: 'weekly' | 'monthly'
  discreet: boolean
  topics: TopicChoice
  language: string | null
}

/** The pauses that buttons offer, in weeks. */
export const PAUSE_WEEKS = [2, 4, 8] as const
const LONGEST_PAUSE_DAYS = 365

const LONGEST_NAME = 120

/**
 * Reads the form of the preferences page: `name`, `tz`, `language`, `cadence`, `discreet` (present or not), and `topics`, one
 * slug or several; none means every topic. Returns all errors, not only the first.
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

/** The error that a reader sees for an invalid address. */
export function addressFormError(fault: AddressError): FormError {
  return fault === 'missing'
    ? { field: 'email', key: 'page.wrong.email.missing' }
    : { field: 'email', key: 'page.wrong.email', values: { why: fault === 'long-local' ? 'long' : fault } }
}

/** The distinct values of a form field that can occur several times. */
export function listOf(field: unknown): string[] {
  return [...new Set(field === undefined ? [] : [field].flat().map(String))]
}

/** When a pause of `weeks` ends: at the start of that day in `zone`, so that the reader gets an edition of that day. */
export function pauseForWeeks(weeks: number, zone: string, now: Date): Date {
  return resolveLocal(addDaysLocal(startOfDay(zone, now), weeks * 7), zone).at
}

/** The start of a day that a reader typed (`2026-12-24`), in `zone`. Allows tomorrow to a year ahead. */
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

/** The first and last local date in `zone` that a pause may end on. */
export function pauseDates(zone: string, now: Date): { first: string; last: string } {
  const today = startOfDay(zone, now)
  const day = (days: number) => addDaysLocal(today, days).slice(0, 10)
  return { first: day(1), last: day(LONGEST_PAUSE_DAYS) }
}

/** Whether someone with a suppressed address may move to a new one: not after a complaint, or if an operator blocked it. */
export function canMove(suppressedFor: string | null): boolean {
  return suppressedFor === null || suppressedFor === 'bounce' || suppressedFor === 'provider'
}

const startOfDay = (zone: string, now: Date): string => `${toLocal(now, zone).slice(0, 10)}T00:00`
