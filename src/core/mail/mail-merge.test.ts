import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import Handlebars from 'handlebars'
import { lru } from '../lru.ts'
import { type Catalogs, translatorFor } from '../words/words.ts'
import { compileTemplate, type Format, mailMerge } from './mail-merge.ts'

const translator = translatorFor(
  { en: { locale: 'en-US', 'mail.questions': 'Hi <bdi>{name}</bdi>!' } } as unknown as Catalogs,
  'en',
)

type Values = { name: string; stop: string; change: string }
const printsFor = (format: Format) => {
  const print = (value: string) => (format === 'html' ? Handlebars.escapeExpression(value) : value)
  return { name: print, stop: print, change: print }
}

/** Any text, and often text that looks like a mark or a piece of a page. */
const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '\ufdd00\ufdd1',
    '\ufdd01\ufdd1',
    '\ufdd0',
    '{{name}}',
    '$&',
    '$1',
    '<b>&"\'`=</b>',
    '__proto__',
  ),
)
const values = fc.record({ name: value, stop: value, change: value })
const piece = fc.oneof(
  fc.string({ unit: 'grapheme-ascii' }).map((text) => text.replace(/[{}\\]/g, '')),
  fc.constantFrom(
    "{{t 'mail.questions' name=name}}",
    '{{name}}',
    '{{stop}}',
    '{{change}}',
    '<a href="{{stop}}">',
    '0',
    '\n',
  ),
)

test.each<Format>(['html', 'text'])(
  'a merged %s page equals the plain rendering, whatever the values',
  (format) => {
    fc.assert(
      fc.property(fc.array(piece), values, values, (pieces, first, second) => {
        const compiled = compileTemplate<Values>(pieces.join(''), format)
        const render = (values: Values) => compiled(values, translator)
        const page = mailMerge(printsFor(format), render)
        // Twice, as one page serves many readers.
        expect(Buffer.concat(page.fill(first))).toEqual(Buffer.from(render(first)))
        expect(Buffer.concat(page.fill(second))).toEqual(Buffer.from(render(second)))
      }),
      { numRuns: 500 },
    )
  },
)

test('a page that already contains a mark is refused', () => {
  const render = () => 'Dr. \ufdd0 Lee'
  expect(() => mailMerge(printsFor('html'), render)).toThrow('U+FDD0')
  expect(() => mailMerge(printsFor('html'), () => '\ufdd09\ufdd1')).toThrow('U+FDD0')
})

test('an unknown variable or helper throws', () => {
  expect(() => compileTemplate('{{nmae}}', 'html')({ name: 'Ada' }, translator)).toThrow('"nmae" not defined')
  expect(() => compileTemplate('{{shout name}}', 'html')({ name: 'Ada' }, translator)).toThrow('shout')
})

test('a full cache drops the least recently used result first', () => {
  const made: string[] = []
  const look = lru(
    2,
    (key: string) => key,
    (key) => {
      made.push(key)
      return key.toUpperCase()
    },
  )
  expect(['a', 'b', 'a', 'c', 'a', 'b'].map(look)).toEqual(['A', 'B', 'A', 'C', 'A', 'B'])
  expect(made).toEqual(['a', 'b', 'c', 'b'])
})
