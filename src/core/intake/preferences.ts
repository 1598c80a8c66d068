import type { TopicChoice } from '../audience/seen.ts'
import { addDaysLocal, parseLocal, resolveLocal, toLocal } from '../time/calendar.ts'
import { canonicalZone } from '../time/zone-names.ts'
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

type Form = Readonly<Record<string, unknown>>
/** `keptName` is the stored one: it may be longer than a new one may be, and stays if it is not changed. */
type Offered = {
  topicIds: ReadonlyMap<string, number>
  languages: readonly string[]
  keptName: string | null
}
type Read<Fields> = { read: Fields; errors: FormError[] }

/** The cards of the preferences page that are forms: what a reader gets, and how it looks. */
export type Part = 'get' | 'look'

/** The card in the field `part`; null for pages of before there were cards, which post everything at once. */
export const partOf = ({ part }: Form): Part | null => (part === 'get' || part === 'look' ? part : null)

/**
 * Reads a form of the preferences page, one card or both: `cadence` and `topics`, one slug or several, none for every
 * topic; `name`, `tz`, `language`, and `discreet` (present or not). Returns all errors, not only the first.
 */
export function readPreferences(
  form: Form,
  offered: Offered,
): { preferences: Partial<Preferences> } | { errors: FormError[] } {
  const part = partOf(form)
  const get = part === 'look' ? NOTHING : readGet(form, offered)
  const look = part === 'get' ? NOTHING : readLook(form, offered)
  const errors = [...get.errors, ...look.errors]
  return errors.length > 0 ? { errors } : { preferences: { ...get.read, ...look.read } }
}

const NOTHING: Read<Partial<Preferences>> = { read: {}, errors: [] }

function readGet(form: Form, { topicIds }: Offered): Read<Pick<Preferences, 'cadence' | 'topics'>> {
  const { cadence } = form
  const chosen = listOf(form.topics).map((slug) => topicIds.get(slug))
  const topics = new Set(chosen.filter((id) => id !== undefined))
  const errors: FormError[] = []
  if (chosen.includes(undefined)) errors.push({ field: 'topics', key: 'page.wrong.topics' })
  if (cadence !== 'weekly' && cadence !== 'monthly')
    errors.push({ field: 'cadence', key: 'page.wrong.cadence' })
  return {
    read: {
      cadence: cadence === 'monthly' ? 'monthly' : 'weekly',
      topics: topics.size === 0 ? 'all' : topics,
    },
    errors,
  }
}

function readLook(
  form: Form,
  { languages, keptName }: Offered,
): Read<Omit<Preferences, 'cadence' | 'topics'>> {
  const timeZone = typeof form.tz === 'string' ? canonicalZone(form.tz) : null
  const language = languages.find((one) => one === form.language) ?? null
  const { name, error } = readName(typeof form.name === 'string' ? form.name : '')
  const errors: FormError[] = []
  if (language === null && form.language !== undefined)
    errors.push({ field: 'language', key: 'page.wrong.language' })
  if (timeZone === null) errors.push({ field: 'tz', key: 'page.wrong.zone' })
  if (error && name !== keptName) errors.push(error)
  const discreet = form.discreet !== undefined
  return { read: { name: name || null, timeZone: timeZone ?? 'UTC', language, discreet }, errors }
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
