import type { FormError } from '../../core/intake/fields.ts'
import type { Translator } from '../../core/words/words.ts'

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
