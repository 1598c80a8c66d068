import type { FastifyReply } from 'fastify'
import type { FieldError } from '../../../core/intake/fields.ts'
import type { Given, Practice } from '../../../core/intake/new-session.ts'
import type { WrittenRow } from '../../../db/sessions/listing.ts'
import { asText, type FieldView, fieldsFor, labelOf, optionsOf } from './fields.ts'
import { typedLocal } from './times.ts'

type Words = FastifyReply['words']

/** What the choices of a form are made of. */
export type Choices = Pick<Practice, 'sessions'> & { topicNames: ReadonlyMap<string, string> }

/** The fields of a session in the order in which `sessions add` asks. The status has buttons of its own. */
export function sessionFields(
  words: Words,
  given: Given,
  errors: readonly FieldError[],
  { sessions, topicNames }: Choices,
): FieldView[] {
  const field = fieldsFor(words, given, errors)
  const { t } = words
  const distinct = (values: readonly string[]) =>
    [...new Set(values)]
      .filter((value) => value !== '')
      .sort()
      .slice(0, 200)
  const topics = [['', t('sessions.choose')] as const, ...topicNames]
  return [
    field('group', { list: distinct(sessions.map(({ group }) => group)) }),
    field('topic', { options: optionsOf(topics, given.topic) }),
    field('kind', { options: kindOptions(words, given.kind) }),
    field('therapist', { list: distinct(sessions.map(({ therapist }) => therapist)) }),
    field('starts_at'),
    field('time_zone', { list: ZONES }),
    field('repeats', {
      options: optionsOf(
        [
          ['weekly', t('sessions.weekly')],
          ['once', t('sessions.once')],
        ],
        given.repeats,
      ),
    }),
    field('occurrences', { mode: 'numeric' }),
    field('duration_minutes', { mode: 'numeric' }),
    field('seats_left', { mode: 'numeric' }),
    field('seats_total', { mode: 'numeric' }),
    field('booking_url', { mode: 'url' }),
  ]
}

export const kindOptions = ({ t }: Words, chosen: string | undefined) =>
  optionsOf(
    [
      ['therapy', t('sessions.kind.therapy')],
      ['skills', t('sessions.kind.skills')],
    ],
    chosen,
  )

const ZONES = ['Eastern', 'Central', 'Mountain', 'Arizona', 'Pacific', 'Alaska', 'Hawaii']

/** A session as its form has it, whatever another program wrote into its row. */
export function givenOf(row: WrittenRow): Given {
  return {
    ...{
      group: asText(row.group),
      topic: asText(row.topicSlug),
      kind: asText(row.kind),
      therapist: asText(row.therapist),
    },
    ...{
      starts_at: typedLocal(asText(row.startsAtLocal)),
      time_zone: asText(row.timeZone),
      repeats: asText(row.repeats),
    },
    ...{ occurrences: asText(row.occurrences), duration_minutes: asText(row.durationMinutes) },
    ...{ seats_left: asText(row.seatsLeft), seats_total: asText(row.seatsTotal), status: asText(row.status) },
    booking_url: asText(row.bookingUrl),
  }
}

/** The columns that a form sends. */
const COLUMNS = [
  ...['group', 'topic', 'kind', 'therapist', 'starts_at', 'time_zone', 'repeats', 'occurrences'],
  ...['duration_minutes', 'seats_left', 'seats_total', 'status', 'booking_url'],
] as const

/** Only the columns of a session, so that other fields of the form are not taken for some. */
export const columnsOf = (form: Given): Given =>
  Object.fromEntries(
    COLUMNS.flatMap((column) => (form[column] === undefined ? [] : [[column, form[column]]])),
  )

/** Where two people wrote different things: what each of them wrote. */
export function differences(words: Words, mine: Given, theirs: Given) {
  return COLUMNS.filter((column) => column !== 'status' || mine.status !== theirs.status)
    .filter((column) => (mine[column] ?? '').trim() !== (theirs[column] ?? '').trim())
    .map((column) => ({
      label: labelOf(words, column),
      mine: mine[column] || words.t('sessions.nothing'),
      theirs: theirs[column] || words.t('sessions.nothing'),
    }))
}
