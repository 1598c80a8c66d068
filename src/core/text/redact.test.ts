import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { withoutAddresses } from './redact.ts'

test.each([
  "miles.o'needle@zone.test",
  'mary=needle@zone.test',
  'needle`a@zone.test',
  'needle{x}|y@zone.test',
  '"needle, the \\"first\\""@zone.test',
  'mary."needle haystack"@zone.test',
  'needle(at work)@zone.test',
  'nëedle.needle@zone.test',
  'needle%40zone.test',
  'needle@[IPv6:2001:db8::1]',
])('%s is taken out of a sentence', (address) => {
  for (const text of [
    `to ${address} it failed`,
    `<${address}>`,
    `"${address}"`,
    `mailto:${address}?subject=x`,
  ])
    expect(withoutAddresses(text)).not.toMatch(/needle|haystack|@/)
  expect(withoutAddresses(`to ${address} it failed`)).toMatch(/^to \[address\].* it failed$/)
})

const ATEXT = Array.from("abcXYZ019!#$%&'*+-/=?^_`{|}~é")
const atom = fc.string({ unit: fc.constantFrom(...ATEXT), minLength: 1, maxLength: 20 })
const dotAtom = fc.array(atom, { minLength: 1, maxLength: 3 }).map((atoms) => atoms.join('.'))
const quoted = fc
  .array(fc.constantFrom(...ATEXT, ' ', ',', ';', ':', '<', '>', '@', '[', ']', '(', '.', '\\"', '\\\\'), {
    minLength: 1,
    maxLength: 60,
  })
  .map((parts) => `"${parts.join('')}"`)

test('everything before the @ is removed, and the words around it stay', () => {
  fc.assert(
    fc.property(fc.oneof(dotAtom, quoted), (local) => {
      const text = withoutAddresses(`refused ${local}@zone.test today`)
      expect(text).toBe('refused [address] today')
    }),
    { numRuns: 2_000 },
  )
})

test('what a query was asked with goes, over as many lines as it has', () => {
  const stack =
    'Failed query: insert into t values (?)\nparams: Mara "Q" Quill,\nsecond line\n    at run (a.ts:1)'
  expect(withoutAddresses(stack)).toBe(
    'Failed query: insert into t values (?)\nparams: [hidden]\n    at run (a.ts:1)',
  )
})

test('a text without an address stays as it is, up to a length that a person reads', () => {
  const text = 'HTTP 422 validation_error: "to" is {wrong} (see https://resend.com/docs), `x` = 1'
  expect(withoutAddresses(text)).toBe(text)
  expect(withoutAddresses('long '.repeat(20_000)).length).toBeLessThan(8_200)
})

test.each(['a', '\u202e', '"', '"\\', '(', '"a"@', '\nparams: ', '%4'])(
  'a megabyte of %j costs no more per character than a little of it',
  (unit) => {
    const cost = (length: number) => {
      const text = unit.repeat(length / unit.length)
      const from = performance.now()
      withoutAddresses(text)
      return performance.now() - from
    }
    cost(100_000)
    // Quadratic work would take minutes; linear takes some ms.
    expect(cost(1_000_000)).toBeLessThan(2_000)
  },
)
