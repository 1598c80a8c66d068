import { addDaysLocal, isTimeZone, parseLocal, resolveLocal, toLocal } from './calendar.ts'
import { fieldsOf, type Parsed } from './fields.ts'
import type { TopicChoice } from './topic-choice.ts'

/** What a reader decides about their mail. `timeZone` is an IANA name; `topics` are ids. */
export type Preferences = {
  name: string | null
  timeZone: string
  cadence: 'weekly' | 'monthly'
  discreet: boolean
  topics: TopicChoice
}

/** The pauses that are offered by a button, in weeks. */
export const PAUSE_WEEKS = [2, 4, 8] as const
const LONGEST_PAUSE_DAYS = 365

/**
 * Reads the form of the preferences page: `name`, `tz`, `cadence`, `discreet` (there or not) and `topics`, one
 * slug or several; none means every topic. `topicIds` are all topics by slug. Every problem is named.
 */
export function readPreferences(
  form: Readonly<Record<string, unknown>>,
  topicIds: ReadonlyMap<string, number>,
): Parsed<Preferences> {
  const { problems, problem, text } = fieldsOf(form)
  const name = text('name', { max: 120 })
  const timeZone = text('tz', { max: 80, missing: 'choose one from the list' })
  if (timeZone !== '' && !isTimeZone(timeZone)) problem('tz', 'is not one we know; choose one from the list')
  const cadence = text('cadence', { max: 20, missing: 'choose one of the two' })
  if (!['', 'weekly', 'monthly'].includes(cadence)) problem('cadence', 'is neither of the two; choose one')
  const chosen = listOf(form.topics).map((slug) => topicIds.get(slug))
  if (chosen.includes(undefined)) problem('topics', 'is no longer there; choose from these')
  if (problems.length > 0) return { ok: false, problems }
  const topics = new Set(chosen.filter((id) => id !== undefined))
  return {
    ok: true,
    row: {
      name: name || null,
      timeZone,
      cadence: cadence === 'monthly' ? 'monthly' : 'weekly',
      discreet: form.discreet !== undefined,
      topics: topics.size === 0 ? 'all' : topics,
    },
  }
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
export function pauseUntilDate(text: string, zone: string, now: Date): { until: Date } | { problem: string } {
  const date = text.trim()
  const local = `${date}T00:00`
  if (date === '') return { problem: 'is missing; choose a day' }
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || parseLocal(local) === null)
    return { problem: 'is not a day; write it like 2026-12-24' }
  const { first, last } = pauseDates(zone, now)
  if (date < first) return { problem: 'is not ahead; choose tomorrow or later' }
  if (date > last) return { problem: `is more than a year ahead; choose a day up to ${last}` }
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
