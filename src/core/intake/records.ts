import type { GroupFacts } from '../sessions/group.ts'
import { parseLocal, resolveLocal } from '../time/calendar.ts'
import { normalizeEmail } from './email-address.ts'
import { type FieldError, fieldsOf, nearest, type Parsed, quote, suggestion } from './fields.ts'
import { languageMeant, usualTag } from './languages.ts'
import { holdsContact } from './names.ts'
import { START_FORMS, typedStart } from './typed-start.ts'
import { typedZone, unknownTypedZone } from './typed-zone.ts'

/** A checked row of a sessions file. `startsAtLocal` is local time in `timeZone` (IANA). */
export type SessionRow = GroupFacts & {
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
  /** Optional columns that the file does not have. A known session keeps its values; a new one gets the values in this row. */
  absent: string[]
}

/**
 * When sessions may start: `today` is a date; `farAhead` lets one start more than two years later, and `how` says how to say
 * that it is right.
 */
export type StartLimit = { today: string; farAhead: boolean; how?: string }

/** A checked row of a subscribers file; null = not given. `topics` are slugs. */
export type SubscriberRow = {
  email: string
  name: string | null
  timeZone: string | null
  /** BCP 47, in its usual spelling: `es-MX`. */
  locale: string | null
  topics: string[] | null
}

/** The columns of one kind of file. The `required` ones must have a value in every row. */
export type Columns = { known: readonly string[]; required: readonly string[] }

/** Columns about the group of a session. All rows of one group say the same, or leave it to one of them. */
const GROUP_COLUMNS = ['summary', 'group_url', 'language', 'place', 'price'] as const

export const SESSION_COLUMNS: Columns = {
  known: [
    'external_id',
    'group',
    'topic',
    'kind',
    'therapist',
    'starts_at',
    'time_zone',
    'duration_minutes',
    'repeats',
    'occurrences',
    'seats_total',
    'seats_left',
    'status',
    'booking_url',
    ...GROUP_COLUMNS,
  ],
  required: ['external_id', 'group', 'topic', 'therapist', 'starts_at', 'time_zone', 'booking_url'],
}

/** What people write for these words and can mean nothing else by. */
const REPEATS = {
  'every week': 'weekly',
  'each week': 'weekly',
  'once a week': 'weekly',
  'one time': 'once',
  'one-time': 'once',
  'one time only': 'once',
  'only once': 'once',
} as const
export const KINDS = {
  'therapy group': 'therapy',
  'group therapy': 'therapy',
  skill: 'skills',
  'skills group': 'skills',
  'skills training': 'skills',
} as const
const STATES = { canceled: 'cancelled' } as const

const OPTIONAL = SESSION_COLUMNS.known.filter((column) => !SESSION_COLUMNS.required.includes(column))

export const SUBSCRIBER_COLUMNS: Columns = {
  known: ['email', 'name', 'time_zone', 'locale', 'topics'],
  required: ['email'],
}

/** Checks one row of a sessions file and returns all its errors. `topics` are the known slugs. */
export function parseSessionRow(
  record: Readonly<Record<string, unknown>>,
  topics: ReadonlySet<string>,
  limit: StartLimit | null = null,
): Parsed<SessionRow> {
  const fields = fieldsOf(record)
  const { errors, addError, text, oneOf, whole } = fields
  const externalId = text('external_id', {
    max: 200,
    missing: 'write its id in your booking system',
  })
  const group = text('group', { max: 120, missing: 'write the name of the group' })
  const topic = text('topic', { max: 80, missing: 'write a topic, for example anxiety' }).toLowerCase()
  const therapist = text('therapist', { max: 120, missing: 'write who leads the group' })
  const bookingUrl = text('booking_url', { max: 1000, missing: 'write the https link to reserve a spot' })
  const repeats = oneOf('repeats', ['weekly', 'once'], REPEATS)
  const occurrences = whole('occurrences', 1, 520)
  const seatsTotal = whole('seats_total', 0, 10_000)
  const seatsLeft = whole('seats_left', 0, 10_000)

  if (topic !== '' && !topics.has(topic)) addError('topic', unknownTopic(topic, topics, 'one'))
  if (bookingUrl !== '') errors.push(...linkErrors('booking_url', bookingUrl))
  if (repeats === 'once' && occurrences !== null && occurrences > 1)
    addError('occurrences', `is ${occurrences}, but the session happens once; leave it empty`)
  if (seatsLeft !== null && seatsTotal !== null && seatsLeft > seatsTotal)
    addError('seats_left', `is ${seatsLeft}, over seats_total (${seatsTotal}); correct one of them`)

  const row: SessionRow = {
    externalId,
    group,
    topic,
    therapist,
    bookingUrl,
    repeats,
    seatsTotal,
    seatsLeft,
    ...startOf(text, addError, limit),
    kind: oneOf('kind', ['therapy', 'skills'], KINDS),
    durationMinutes: whole('duration_minutes', 1, 1440, 'minutes') ?? 90,
    occurrences: repeats === 'once' ? null : occurrences,
    ...groupFactsOf(fields),
    status: oneOf(
      'status',
      seatsLeft === 0 ? ['full', 'open', 'cancelled'] : ['open', 'full', 'cancelled'],
      STATES,
    ),
    absent: OPTIONAL.filter((column) => !(column in record)),
  }
  return errors.length === 0 ? { ok: true, row } : { ok: false, errors }
}

/** Checks one row of a subscribers file and returns all its errors. No message repeats an address. */
export function parseSubscriberRow(
  record: Readonly<Record<string, unknown>>,
  topics: ReadonlySet<string>,
): Parsed<SubscriberRow> {
  const { errors, addError, text } = fieldsOf({ ...record, topics: joined(record.topics) })
  const address = typeof record.email === 'string' ? normalizeEmail(record.email) : normalizeEmail('')
  if ('problem' in address) addError('email', address.problem)
  const name = text('name', { max: 120 })
  if (holdsContact(name))
    addError('name', 'contains a link, an address, or a phone number; write a first name, or leave it empty')
  const zone = text('time_zone', { max: 80 })
  const timeZone = typedZone(zone)
  if (zone !== '' && timeZone === null) addError('time_zone', unknownTypedZone(zone))
  const locale = text('locale', { max: 40 })
  if (locale !== '' && usualTag(locale) === null)
    addError('locale', `has the unknown language ${quote(locale)}; write a tag like en, es or es-MX`)

  const slugs = text('topics', { max: 4000 })
    .split(';')
    .map((slug) => slug.trim().toLowerCase())
    .filter((slug) => slug !== '')
  for (const slug of slugs) if (!topics.has(slug)) addError('topics', unknownTopic(slug, topics, 'several'))

  if (errors.length > 0 || 'problem' in address) return { ok: false, errors }
  const row: SubscriberRow = {
    email: address.email,
    name: name || null,
    timeZone,
    locale: locale === '' ? null : usualTag(locale),
    topics: slugs.length === 0 ? null : [...new Set(slugs)],
  }
  return { ok: true, row }
}

/**
 * What is wrong with the columns of a file: unknown, repeated, and missing ones. If all have the same cause, such as a wrong
 * separator, returns only that.
 */
export function columnErrors(columns: readonly string[], { known, required }: Columns): FieldError[] {
  const joined = columns.findIndex((column) =>
    column.split(/[,;\t|]/).some((part, _, { length }) => length > 1 && known.includes(part.trim())),
  )
  if (joined >= 0)
    return [
      {
        field: `column ${joined + 1}`,
        message:
          'contains more than one name; separate the columns with commas, and do not put a whole line in quotation marks',
      },
    ]
  const unnamed = columns.every((column) => !known.includes(column) && suggestion(column, known) === '')
  if (unnamed)
    return [
      { field: 'header', message: `has no known column; the first line must look like ${known.join(',')}` },
    ]
  const named = columns.flatMap((column, index) => {
    if (!known.includes(column)) return [unknownColumn(column, index, known)]
    if (columns.indexOf(column) !== index)
      return [{ field: column, message: 'appears twice; remove one of the two columns' }]
    return []
  })
  const missing = required
    .filter((column) => !columns.includes(column))
    .map((column) => ({ field: column, message: 'is missing; add this column' }))
  return [...named, ...missing]
}

/** Errors for names in one item of a JSON file that are not columns. Missing ones are found by the check of the row. */
export function unknownNames(record: Readonly<Record<string, unknown>>, { known }: Columns): FieldError[] {
  return Object.keys(record).flatMap((name, index) =>
    known.includes(name) ? [] : [unknownColumn(name, index, known)],
  )
}

function unknownColumn(column: string, index: number, known: readonly string[]): FieldError {
  // Without a header line, this is data, and may be an address.
  if (column === '' || column.length > 60 || /[@\p{Cc}]/u.test(column))
    return {
      field: `column ${index + 1}`,
      message: `has no column name; the first line must name the columns: ${known.join(',')}`,
    }
  const hint = suggestion(column.toLowerCase(), known) || `; the columns are ${known.join(',')}`
  return { field: column, message: `is not a known column${hint}` }
}

/** The error of a slug that is no topic. `most`: how many may be written there. */
export function unknownTopic(slug: string, topics: ReadonlySet<string>, most: 'one' | 'several'): string {
  // No slug contains these characters, but people write them between two slugs.
  if (/[,;|/&+]/.test(slug) && !slug.includes('@'))
    return most === 'one'
      ? `is ${quote(slug)}; a group has one topic, so write one`
      : `has ${quote(slug)}; separate topics with ; (for example anxiety;depression)`
  const near = nearest(slug, topics)
  const hint = near === undefined ? 'there are no topics yet' : `did you mean "${near}"?`
  return `has the unknown topic ${quote(slug)}; ${hint}`
}

export type Fields = ReturnType<typeof fieldsOf>

/** What is said of a group, in the optional columns about it. */
export function groupFactsOf({ text, addError, errors }: Fields): GroupFacts {
  const groupUrl = text('group_url', { max: 1000 })
  if (groupUrl !== '') errors.push(...linkErrors('group_url', groupUrl))
  const written = text('language', { max: 60 })
  const language = written === '' ? null : languageMeant(written)
  if (written !== '' && language === null)
    addError('language', `has the unknown language ${quote(written)}; write it like es or Spanish`)
  return {
    summary: text('summary', { max: 300 }) || null,
    groupUrl: groupUrl || null,
    language,
    place: text('place', { max: 200 }) || null,
    price: text('price', { max: 200 }) || null,
  }
}

function startOf(text: Fields['text'], addError: Fields['addError'], limit: StartLimit | null) {
  const start = text('starts_at', { max: 40, missing: `write the local start like ${START_FORMS}` })
  const zone = text('time_zone', { max: 80, missing: 'write an IANA name, for example America/New_York' })
  const timeZone = typedZone(zone)
  if (zone !== '' && timeZone === null) addError('time_zone', unknownTypedZone(zone))
  if (start === '') return { startsAtLocal: '', timeZone: '' }
  const typed = typedStart(start)
  const problem = 'problem' in typed ? typed.problem : startProblem(start, typed.local, timeZone, limit)
  if (problem !== null) addError('starts_at', problem)
  return { startsAtLocal: 'local' in typed ? typed.local : '', timeZone: timeZone ?? '' }
}

function startProblem(
  start: string,
  local: string,
  timeZone: string | null,
  limit: StartLimit | null,
): string | null {
  if (parseLocal(local) === null)
    return `is ${start}, a date or time that does not exist; check it in a calendar`
  if (limit && !limit.farAhead && local.slice(0, 10) > twoYearsAfter(limit.today))
    return `is ${start}, more than two years ahead; correct it, or ${limit.how ?? 'import with --far-ahead'} if it is right`
  if (timeZone !== null && resolveLocal(local, timeZone).kind === 'skipped')
    return `is ${start}, which the clocks in ${timeZone} skip that day; write a time that exists`
  return null
}

/** Only for comparing: two years after February 29 may be a date that does not exist. */
const twoYearsAfter = (date: string): string => `${Number(date.slice(0, 4)) + 2}${date.slice(4)}`

function linkErrors(field: string, link: string): FieldError[] {
  const url = /^https:\/\/[^/\s<>"\\][^\s<>"\\]*$/i.test(link) ? URL.parse(link) : null
  if (url === null)
    return [{ field, message: `is ${quote(link)}; write a link that starts with https://, without spaces` }]
  if (url.username !== '' || url.password !== '')
    return [{ field, message: 'contains a user name or password; write the link without it' }]
  return []
}

/** JSON may list topics; CSV separates them with `;`. */
function joined(topics: unknown): unknown {
  return Array.isArray(topics) && topics.every((one) => typeof one === 'string') ? topics.join(';') : topics
}
