import { isTimeZone, parseLocal, resolveLocal } from './calendar.ts'
import { normaliseEmail } from './email-address.ts'
import { fieldsOf, nearest, type Parsed, type Problem, quote, suggestion } from './fields.ts'
import { shortLocale } from './locales.ts'

/** A session as a file gives it, checked. `startsAtLocal` is what clocks in `timeZone` (IANA) show. */
export type SessionRow = {
  externalId: string
  group: string
  topic: string
  kind: 'therapy' | 'skills'
  therapist: string
  startsAtLocal: string
  timeZone: string
  durationMinutes: number
  repeats: 'weekly' | 'once'
  occurrences: number | null
  seatsTotal: number | null
  seatsLeft: number | null
  status: 'open' | 'full' | 'cancelled'
  bookingUrl: string
}

/** A subscriber as a file gives it, checked; null = the file does not say. `topics` are slugs. */
export type SubscriberRow = {
  email: string
  name: string | null
  timeZone: string | null
  /** BCP 47, in its usual spelling: `es-MX`. */
  locale: string | null
  topics: string[] | null
}

/** The columns of a kind of file, and those among them that no row can do without. */
export type Columns = { known: readonly string[]; required: readonly string[] }

export const SESSION_COLUMNS: Columns = {
  known: [
    ...['external_id', 'group', 'topic', 'kind', 'therapist', 'starts_at', 'time_zone', 'duration_minutes'],
    ...['repeats', 'occurrences', 'seats_total', 'seats_left', 'status', 'booking_url'],
  ],
  required: ['external_id', 'group', 'topic', 'therapist', 'starts_at', 'time_zone', 'booking_url'],
}

export const SUBSCRIBER_COLUMNS: Columns = {
  known: ['email', 'name', 'time_zone', 'locale', 'topics'],
  required: ['email'],
}

/** Checks one row of a sessions file; `topics` are the known slugs. Every problem of the row is named. */
export function parseSessionRow(
  record: Readonly<Record<string, unknown>>,
  topics: ReadonlySet<string>,
): Parsed<SessionRow> {
  const { problems, problem, text, oneOf, whole } = fieldsOf(record)
  const externalId = text('external_id', {
    max: 200,
    missing: 'write the id your booking system knows it by',
  })
  const group = text('group', { max: 120, missing: 'write the name of the group' })
  const topic = text('topic', { max: 80, missing: 'write a topic, for example anxiety' }).toLowerCase()
  const therapist = text('therapist', { max: 120, missing: 'write who leads the group' })
  const bookingUrl = text('booking_url', { max: 1000, missing: 'write the https link to reserve a place' })
  const repeats = oneOf('repeats', ['weekly', 'once'])
  const occurrences = whole('occurrences', 1, 520)
  const seatsTotal = whole('seats_total', 0, 10_000)
  const seatsLeft = whole('seats_left', 0, 10_000)

  if (topic !== '' && !topics.has(topic)) problem('topic', unknownTopic(topic, topics))
  if (bookingUrl !== '') problems.push(...linkProblems('booking_url', bookingUrl))
  if (repeats === 'once' && occurrences !== null && occurrences > 1)
    problem('occurrences', `is ${occurrences}, but the session happens once; leave it empty`)
  if (seatsLeft !== null && seatsTotal !== null && seatsLeft > seatsTotal)
    problem('seats_left', `is ${seatsLeft}, over seats_total (${seatsTotal}); correct one of them`)

  const row: SessionRow = {
    ...{ externalId, group, topic, therapist, bookingUrl, repeats, seatsTotal, seatsLeft },
    ...startOf(text, problem),
    kind: oneOf('kind', ['therapy', 'skills']),
    durationMinutes: whole('duration_minutes', 1, 1440) ?? 90,
    occurrences: repeats === 'once' ? null : occurrences,
    status: oneOf('status', seatsLeft === 0 ? ['full', 'open', 'cancelled'] : ['open', 'full', 'cancelled']),
  }
  return problems.length === 0 ? { ok: true, row } : { ok: false, problems }
}

/** Checks one row of a subscribers file; no message repeats an address. Every problem of the row is named. */
export function parseSubscriberRow(
  record: Readonly<Record<string, unknown>>,
  topics: ReadonlySet<string>,
): Parsed<SubscriberRow> {
  const { problems, problem, text } = fieldsOf({ ...record, topics: joined(record.topics) })
  const address = typeof record.email === 'string' ? normaliseEmail(record.email) : normaliseEmail('')
  if ('problem' in address) problem('email', address.problem)
  const name = text('name', { max: 120 })
  const timeZone = text('time_zone', { max: 80 })
  if (timeZone !== '' && !isTimeZone(timeZone)) problem('time_zone', unknownZone(timeZone))
  const locale = text('locale', { max: 40 })
  if (locale !== '' && usualTag(locale) === null)
    problem('locale', `has the unknown language ${quote(locale)}; write a tag like en, es or es-MX`)

  const slugs = text('topics', { max: 4000 })
    .split(';')
    .map((slug) => slug.trim().toLowerCase())
    .filter((slug) => slug !== '')
  for (const slug of slugs) if (!topics.has(slug)) problem('topics', unknownTopic(slug, topics))

  if (problems.length > 0 || 'problem' in address) return { ok: false, problems }
  const row: SubscriberRow = {
    email: address.email,
    name: name || null,
    timeZone: timeZone || null,
    locale: locale === '' ? null : usualTag(locale),
    topics: slugs.length === 0 ? null : [...new Set(slugs)],
  }
  return { ok: true, row }
}

/** What is wrong with the columns of a file: unknown ones, ones that are there twice, and required ones missing. */
export function columnProblems(columns: readonly string[], { known, required }: Columns): Problem[] {
  const named = columns.flatMap((column, index) => {
    if (!known.includes(column)) return [unknownColumn(column, index, known)]
    if (columns.indexOf(column) !== index)
      return [{ field: column, message: 'is there twice; remove one of the two columns' }]
    return []
  })
  const missing = required
    .filter((column) => !columns.includes(column))
    .map((column) => ({ field: column, message: 'is missing; add this column' }))
  return [...named, ...missing]
}

/** The names in one item of a JSON file that are not columns; a missing one is told by the row's own check. */
export function unknownNames(record: Readonly<Record<string, unknown>>, { known }: Columns): Problem[] {
  return Object.keys(record).flatMap((name, index) =>
    known.includes(name) ? [] : [unknownColumn(name, index, known)],
  )
}

function unknownColumn(column: string, index: number, known: readonly string[]): Problem {
  // A file without its header line has data here, and that may be an address.
  if (column === '' || column.length > 60 || /[@\p{Cc}]/u.test(column))
    return {
      field: `column ${index + 1}`,
      message: `has no column name; the first line must name the columns: ${known.join(',')}`,
    }
  const separated = /[;\t|]/.test(column) ? '; separate the columns with commas' : ''
  const hint = separated || suggestion(column.toLowerCase(), known) || `; the columns are ${known.join(',')}`
  return { field: column, message: `is not a known column${hint}` }
}

function unknownTopic(slug: string, topics: ReadonlySet<string>): string {
  const near = nearest(slug, topics)
  const hint = near === undefined ? 'there are no topics yet' : `did you mean "${near}"?`
  return `has the unknown topic ${quote(slug)}; ${hint}`
}

function unknownZone(zone: string): string {
  const near = suggestion(zone, Intl.supportedValuesOf('timeZone'))
  return `has the unknown time zone ${quote(zone)}${near || '; write an IANA name, for example America/New_York'}`
}

const LANGUAGES = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' })

/** A language tag cut to `language[-REGION]`; null for one that is not valid, or whose language nobody knows. */
function usualTag(tag: string): string | null {
  const locale = shortLocale(tag)
  const [language = ''] = locale?.split('-', 1) ?? []
  return language !== '' && LANGUAGES.of(language) !== undefined ? locale : null
}

type Fields = ReturnType<typeof fieldsOf>

function startOf(text: Fields['text'], problem: Fields['problem']) {
  const example = 'write the local start like 2026-12-01T19:00'
  const local = text('starts_at', { max: 40, missing: example })
  const timeZone = text('time_zone', { max: 80, missing: 'write an IANA name, for example America/New_York' })
  const isLocal = parseLocal(local) !== null
  const isZone = timeZone !== '' && isTimeZone(timeZone)
  if (local !== '' && !isLocal) problem('starts_at', `is ${quote(local)}; ${example}, without a zone`)
  if (timeZone !== '' && !isZone) problem('time_zone', unknownZone(timeZone))
  if (isLocal && isZone && resolveLocal(local, timeZone).kind === 'skipped')
    problem(
      'starts_at',
      `is ${local}, which the clocks in ${timeZone} skip that day; write a time that exists`,
    )
  return { startsAtLocal: local.slice(0, 16), timeZone }
}

function linkProblems(field: string, link: string): Problem[] {
  const url = /^https:\/\/[^/\s<>"\\][^\s<>"\\]*$/i.test(link) ? URL.parse(link) : null
  if (url === null)
    return [{ field, message: `is ${quote(link)}; write a link that starts with https://, without spaces` }]
  if (url.username !== '' || url.password !== '')
    return [{ field, message: 'has a user name or password in it; write the link without' }]
  return []
}

/** JSON may list topics; CSV separates them with `;`. */
function joined(topics: unknown): unknown {
  return Array.isArray(topics) && topics.every((one) => typeof one === 'string') ? topics.join(';') : topics
}
