import type { Mistake } from '../../core/intake/fields.ts'
import type { Translator } from '../../core/words/words.ts'

/** A sentence for each of `fields`, null for one without a mistake: a template names them all. */
export function sayMistakes<const Field extends string>(
  fields: readonly Field[],
  mistakes: readonly Mistake[],
  { say }: Translator,
): Record<Field, string | null> {
  const sentences = fields.map((field) => {
    const mistake = mistakes.find((one) => one.field === field)
    return [field, mistake ? say(mistake.says, mistake.values) : null] as const
  })
  return Object.fromEntries(sentences) as Record<Field, string | null>
}
