import { hash } from 'node:crypto'
import Handlebars from 'handlebars'
import type { MessageKey, Translator, Values } from '../words/words.ts'

export type Format = 'html' | 'text'

/**
 * Compiles a template. Values are escaped in `html` and printed as they are in `text`. `{{t 'key' name=value}}` prints a
 * message in the reader's language. Rendering throws if the template uses an unknown variable or helper.
 */
export function compileTemplate<View, Key extends string = MessageKey>(
  source: string,
  format: Format,
): (view: View, translator: Translator<Key>) => string {
  const template = Handlebars.compile<View>(source, {
    strict: true,
    knownHelpers: { t: true },
    knownHelpersOnly: true,
    noEscape: format === 'text',
  })
  return (view, translator) => {
    const t = (key: Key, { hash }: { hash: Values }) =>
      format === 'text' ? translator.t(key, hash) : new Handlebars.SafeString(translator.tHtml(key, hash))
    return template(view, { helpers: { t } })
  }
}

/**
 * Renders a page once, with a mark in place of each field, so that filling it in for one of thousands of readers is only
 * a join of bytes. `prints` gives how the page prints the value of each field (escaped for HTML, for JSON, …). `fill(values)`
 * equals `render(values)` in UTF-8, provided that `render` only prints the values and prints them that way. Throws if the
 * page itself contains U+FDD0, which marks are made of.
 */
export function mailMerge<Field extends string>(
  prints: Record<Field, (value: string) => string>,
  render: (values: Record<Field, string>) => string,
): MergedPage<Field> {
  const fields = Object.keys(prints) as Field[]
  const sample = (valueAt: (index: number) => string) =>
    Object.fromEntries(fields.map((field, index) => [field, valueAt(index)])) as Record<Field, string>
  if (render(sample(() => 'x')).includes('\ufdd0'))
    throw new Error('the page contains U+FDD0; strip it from the data')

  // split() with a capturing group gives: text, field index, text, … The values are never searched for marks.
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

/** A page with blanks. Pages with the same `fingerprint` give the same bytes for the same values. */
export type MergedPage<Field extends string> = {
  fingerprint: string
  /** The filled page, in pieces. Never write to a piece: other readers' emails share it. */
  fill: (values: Record<Field, string>) => Buffer[]
}

const NOTHING = Buffer.alloc(0)
