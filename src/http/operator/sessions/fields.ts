import type { FieldError } from '../../../core/intake/fields.ts'
import type { Given } from '../../../core/intake/new-session.ts'
import type { Translator } from '../../../core/words/words.ts'
import type { OperatorKey } from '../../../templates/operator.ts'

type Words = Pick<Translator<OperatorKey>, 't'>

/** A field of a form as `session-form.hbs` shows it: a line of text, or one of `options`. */
export type FieldView = {
  name: string
  label: string
  value: string
  hint: string | null
  problem: string | null
  options: { value: string; label: string; selected: boolean }[] | null
  /** What to suggest while someone types. */
  list: string[] | null
  mode: 'text' | 'numeric' | 'url'
  /** More than fits a line of a phone. */
  isLong: boolean
}

type Extra = { [Field in 'options' | 'list' | 'mode' | 'isLong' | 'hint']?: FieldView[Field] }

/** The labels of the columns of a file, on the forms of sessions, groups and topics. */
const LABELS: Readonly<Record<string, OperatorKey>> = {
  group: 'sessions.field.group',
  topic: 'sessions.field.topic',
  kind: 'sessions.field.kind',
  therapist: 'sessions.field.therapist',
  starts_at: 'sessions.field.starts-at',
  time_zone: 'sessions.field.time-zone',
  duration_minutes: 'sessions.field.duration-minutes',
  repeats: 'sessions.field.repeats',
  occurrences: 'sessions.field.occurrences',
  seats_total: 'sessions.field.seats-total',
  seats_left: 'sessions.field.seats-left',
  status: 'sessions.field.status',
  booking_url: 'sessions.field.booking-url',
  external_id: 'sessions.field.external-id',
  summary: 'groups.field.summary',
  group_url: 'groups.field.group-url',
  language: 'groups.field.language',
  place: 'groups.field.place',
  price: 'groups.field.price',
  name: 'groups.field.name',
  slug: 'groups.field.slug',
}

const HINTS: Readonly<Record<string, OperatorKey>> = {
  group: 'sessions.hint.group',
  starts_at: 'sessions.hint.starts-at',
  time_zone: 'sessions.hint.time-zone',
  occurrences: 'sessions.hint.occurrences',
  seats_left: 'sessions.hint.seats-left',
  external_id: 'sessions.hint.external-id',
  summary: 'groups.hint.summary',
  language: 'groups.hint.language',
  place: 'groups.hint.place',
  slug: 'groups.hint.slug',
}

/** What people call a column; the column itself where it has no label. */
export const labelOf = ({ t }: Words, column: string): string => {
  const key = LABELS[column]
  return key === undefined ? column : t(key)
}

/** What is wrong with each field, in words that name fields as the page does. */
function problemsOf(words: Words, errors: readonly FieldError[]): Map<string, string> {
  const named = (message: string) =>
    message.replace(/\b[a-z]+_[a-z]+\b/g, (column) =>
      column in LABELS ? `“${labelOf(words, column)}”` : column,
    )
  return new Map(
    errors
      .toReversed()
      .map(({ field, message }) => [
        field,
        `${labelOf(words, field)} ${named(message)}`.replace(/[^.?!]$/, '$&.'),
      ]),
  )
}

/** A maker of fields for one form: `field('therapist')`, `field('topic', { options })`. */
export function fieldsFor(words: Words, given: Given, errors: readonly FieldError[]) {
  const problems = problemsOf(words, errors)
  return (name: string, extra: Extra = {}): FieldView => {
    const hint = HINTS[name]
    return {
      ...{ name, value: given[name] ?? '', label: labelOf(words, name), problem: problems.get(name) ?? null },
      hint: hint === undefined ? null : words.t(hint),
      ...{ options: null, list: null, mode: 'text', isLong: false },
      ...extra,
    }
  }
}

/** Choices of a `select`, of which the given one is chosen. */
export const optionsOf = (
  choices: readonly (readonly [value: string, label: string])[],
  chosen: string | undefined,
): FieldView['options'] =>
  choices.map(([value, label]) => ({ value, label, selected: value === (chosen ?? '') }))

/** A value of a row as text, whatever another program wrote there. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'number' ? String(value) : ''
}

/** The fields of a form that was sent, each as one text. */
export function formOf(body: unknown): Given {
  if (typeof body !== 'object' || body === null) return {}
  return Object.fromEntries(
    Object.entries(body as Record<string, unknown>).map(([name, value]) => {
      const one = Array.isArray(value) ? value.at(-1) : value
      return [name, typeof one === 'string' ? one : '']
    }),
  )
}
