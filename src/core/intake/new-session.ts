import type { Session } from '../sessions/offers.ts'
import { weekdayOf } from '../time/calendar.ts'
import { nextOccurrence } from '../time/occurrences.ts'
import type { FieldError, Parsed } from './fields.ts'
import { parseSessionRow, SESSION_COLUMNS, type SessionRow, type StartLimit } from './records.ts'

/** What was given so far of a session that is being added, by column. */
export type Given = Readonly<Record<string, string>>

/** What an added session may take from those that there are, or must differ in. */
export type KnownSession = Pick<
  Session,
  'externalId' | 'group' | 'status' | 'topicSlug' | 'kind' | 'therapist'
> &
  Pick<Session, 'timeZone' | 'durationMinutes' | 'bookingUrl'>

/** What the rules of the import need to know. `zone` is the practice's. */
export type Practice = {
  sessions: readonly KnownSession[]
  topics: ReadonlySet<string>
  zone: string
  limit: StartLimit
}

/**
 * What to suggest for what was not given: the values of the group, if its name is known, else the usual ones. A column that is
 * not among them has none.
 */
export function suggestionsFor(given: Given, { sessions, zone }: Practice): Given {
  const title = given.group?.trim().toLowerCase()
  const known = sessions.findLast(
    ({ group, status }) => group.toLowerCase() === title && status !== 'cancelled',
  )
  const usual = { time_zone: zone, kind: 'therapy', repeats: 'weekly', duration_minutes: '90' }
  if (known === undefined) return usual
  const { topicSlug, kind, therapist, timeZone, durationMinutes, bookingUrl } = known
  const ofGroup = { topic: topicSlug, kind, therapist, time_zone: timeZone, booking_url: bookingUrl }
  return { ...usual, ...ofGroup, duration_minutes: String(durationMinutes) }
}

/** What is given, with what needs no answer: the practice's zone, the kind of a known group, and its spelling. */
export function completed(given: Given, practice: Practice): Given {
  const title = given.group?.trim().toLowerCase()
  const known = practice.sessions.findLast(
    ({ group, topicSlug }) =>
      group.toLowerCase() === title && topicSlug === given.topic?.trim().toLowerCase(),
  )
  return {
    time_zone: practice.zone,
    ...(known && { kind: known.kind }),
    ...given,
    ...(known && { group: known.group }),
  }
}

/** Checks a whole session that is being added, by the rules of the import. */
export function checkNew(
  given: Given,
  { topics, limit }: Pick<Practice, 'topics' | 'limit'>,
): Parsed<SessionRow> {
  return parseSessionRow({ external_id: 'new', ...given }, topics, limit)
}

/** What is wrong with one column, when the columns that are still missing are right. */
export function problemWith(column: string, given: Given, practice: Practice): FieldError | null {
  const [topic = ''] = practice.topics
  const right = {
    ...{
      group: 'Group',
      topic,
      therapist: 'Therapist',
      starts_at: '2026-12-01T19:00',
      time_zone: practice.zone,
    },
    booking_url: 'https://booking.example.com/',
  }
  const checked = checkNew({ ...right, ...given }, practice)
  return checked.ok ? null : (checked.errors.find(({ field }) => field === column) ?? null)
}

/** The error of a session that is over before anyone could be shown it; null if it is not. */
export const startIsPast = (row: SessionRow, now: Date): FieldError | null =>
  nextOccurrence(row, now) === null
    ? { field: 'starts_at', message: 'is in the past, so no one would be shown it; write a start to come' }
    : null

/** `Grief & loss` in small letters, digits and hyphens: `grief-loss`; '' where none is left. */
export const slugOf = (name: string): string =>
  name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')

/** The required columns that are missing. `external_id` can be made. */
export const missingIn = (given: Given): string[] =>
  SESSION_COLUMNS.required.filter((column) => column !== 'external_id' && (given[column] ?? '') === '')

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** An external id that no session has, made of the group, the weekday, and the time: `steady-ground-tue-1900`. */
export function newExternalId(
  { group, startsAtLocal }: Pick<SessionRow, 'group' | 'startsAtLocal'>,
  sessions: readonly Pick<Session, 'externalId'>[],
): string {
  const name = slugOf(group).slice(0, 60)
  const id = `${name || 'session'}-${DAYS[weekdayOf(startsAtLocal)]}-${startsAtLocal.slice(11).replace(':', '')}`
  const taken = new Set(sessions.map(({ externalId }) => externalId))
  let free = id
  for (let number = 2; taken.has(free); number += 1) free = `${id}-${number}`
  return free
}
