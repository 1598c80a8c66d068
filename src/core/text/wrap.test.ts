import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { wrap } from './wrap.ts'

test('lines break between words at 72 columns and keep their indent; the first stays', () => {
  const words = 'therapy '.repeat(12).trim()
  const [first, second, third, fourth] = wrap(`${words}\n  ${words}\nshort`).split('\n')
  expect(first).toBe(words)
  expect(second).toBe(`  ${'therapy '.repeat(8).trim()}`)
  expect(third).toBe(`  ${'therapy '.repeat(4).trim()}`)
  expect(fourth).toBe('short')
})

test('a word that is longer than a line stays whole', () => {
  const url = `https://sample.test/${'a'.repeat(90)}`
  expect(wrap(`x\n  ${url}\nsee ${url} now`)).toBe(`x\n  ${url}\nsee\n${url}\nnow`)
})

test('wrapping changes nothing but white space, and wrapped text stays as it is', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'ñ', '-', '.', '—'), minLength: 1, maxLength: 90 })
  fc.assert(
    fc.property(fc.array(fc.array(word, { maxLength: 30 })), (lines) => {
      const text = lines.map((words) => words.join(' ')).join('\n')
      const wrapped = wrap(text)
      expect(wrapped.split(/\s+/)).toEqual(text.split(/\s+/))
      for (const line of wrapped.split('\n').slice(1))
        expect(line.length <= 72 || !line.includes(' ')).toBe(true)
      expect(wrap(wrapped)).toBe(wrapped)
    }),
  )
})
