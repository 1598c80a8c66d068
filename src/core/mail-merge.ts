import { hash } from 'node:crypto'
import Handlebars from 'handlebars'
import type { Values, Voice, WordKey } from './words.ts'

export type Format = 'html' | 'text'

/**
 * Compiles a template so that a variable it lacks throws, a helper it lacks too, and HTML (only) is escaped.
 * `{{t 'key' name=value}}` is a message in the reader's language.
 */
export function compileTemplate<View>(source: string, format: Format): (view: View, voice: Voice) => string {
  const template = Handlebars.compile<View>(source, {
    strict: true,
    knownHelpers: { t: true },
    knownHelpersOnly: true,
    noEscape: format === 'text',
  })
  return (view, voice) => {
    const t = (key: WordKey, { hash }: { hash: Values }) =>
      format === 'text' ? voice.say(key, hash) : new Handlebars.SafeString(voice.sayHtml(key, hash))
    return template(view, { helpers: { t } })
  }
}

/**
 * Renders a page once, with marks where the values of the fields go, and returns what fills them in: for thousands of
 * readers this costs a join of bytes each. `prints` says for each field how the page prints its value (escaped for HTML,
 * for JSON, …). The result is `render(values)` in UTF-8, as long as `render` prints those values so and does nothing else
 * with them. Throws when the page itself holds what marks are made of, U+FDD0.
 */
export function mailMerge<Field extends string>(
  prints: Record<Field, (value: string) => string>,
  render: (values: Record<Field, string>) => string,
): MergedPage<Field> {
  const fields = Object.keys(prints) as Field[]
  const sample = (valueAt: (index: number) => string) =>
    Object.fromEntries(fields.map((field, index) => [field, valueAt(index)])) as Record<Field, string>
  if (render(sample(() => 'x')).includes('\ufdd0'))
    throw new Error('the page holds U+FDD0; strip it from the data')

  // Split at a capturing pattern: text, index of a field, text, … The values are never searched for marks.
  const pieces = render(sample((index) => `\ufdd0${index}\ufdd1`)).split(/\ufdd0(\d+)\ufdd1/)
  const texts = pieces.filter((_, place) => place % 2 === 0).map((text) => Buffer.from(text))
  const indexes = pieces.filter((_, place) => place % 2 === 1).map(Number)

  return {
    fingerprint: hash('sha256', JSON.stringify(pieces), 'base64url'),
    fill(values) {
      const printed = fields.map((field) => Buffer.from(prints[field](values[field])))
      return texts.flatMap((text, place) => [text, printed[indexes[place] ?? -1] ?? NOTHING])
    },
  }
}

/** A page with blanks. Two of the same `fingerprint` fill in the same values to the same bytes. */
export type MergedPage<Field extends string> = {
  fingerprint: string
  /** The page in pieces that follow one another; most of them are the page's own, so they are not to be written to. */
  fill: (values: Record<Field, string>) => Buffer[]
}

const NOTHING = Buffer.alloc(0)
