import type { FormError } from '../../core/intake/fields.ts'
import type { MessageKey, Translator } from '../../core/words/words.ts'

/** A sentence for each of `fields`, null for one without an error, because a template names them all. */
export function formMessages<const Field extends string>(
  fields: readonly Field[],
  errors: readonly FormError[],
  { t }: Translator,
): Record<Field, string | null> {
  const sentences = fields.map((field) => {
    const error = errors.find((one) => one.field === field)
    return [field, error ? t(error.key, error.values) : null] as const
  })
  return Object.fromEntries(sentences) as Record<Field, string | null>
}

/** The summary above a form: a link to each field with an error, in a few words. The sentence is beside the field. */
export function formSummary(
  errors: readonly FormError[],
  { t }: Translator,
): { href: string; text: string }[] {
  return errors.map(({ field, key, values }) => ({ href: `#${field}`, text: t(BRIEFLY[key] ?? key, values) }))
}

const BRIEFLY: Partial<Record<MessageKey, MessageKey>> = {
  'page.wrong.email.missing': 'page.wrong.brief.email.missing',
  'page.wrong.email': 'page.wrong.brief.email',
  'page.wrong.email.same': 'page.wrong.brief.email.same',
  'page.wrong.name.long': 'page.wrong.brief.name.long',
  'page.wrong.name.link': 'page.wrong.brief.name.link',
  'page.wrong.zone': 'page.wrong.brief.zone',
  'page.wrong.topics': 'page.wrong.brief.topics',
  'page.wrong.cadence': 'page.wrong.brief.cadence',
  'page.wrong.language': 'page.wrong.brief.language',
  'page.wrong.day.missing': 'page.wrong.brief.day',
  'page.wrong.day.format': 'page.wrong.brief.day',
  'page.wrong.day.past': 'page.wrong.brief.day.past',
  'page.wrong.day.far': 'page.wrong.brief.day.far',
}
