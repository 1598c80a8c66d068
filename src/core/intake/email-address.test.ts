import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { normalizeEmail } from './email-address.ts'

test.each([
  ['  Mara.Lind@Sample.TEST ', 'mara.lind@sample.test'],
  ['\ufeffmara@sample.test', 'mara@sample.test'],
  ['\u200bmara@sample.test', 'mara@sample.test'],
  ['\u202amara@sample.test\u202c', 'mara@sample.test'],
  ['mar\u200ba\u00ad@sam\u200bple.test\u200b', 'mara@sample.test'],
  ['\u00a0mara@sample.test\u2060', 'mara@sample.test'],
  ['ma\u200dra\ufe0f@sample.test', 'mara@sample.test'],
  ["o'neil+groups@sample.test", "o'neil+groups@sample.test"],
  ['jonas@bücher.test', 'jonas@xn--bcher-kva.test'],
  ['jonas@BÜCHER.test', 'jonas@xn--bcher-kva.test'],
  ['jonas@xn--bcher-kva.test', 'jonas@xn--bcher-kva.test'],
  ['ines@例え.テスト', 'ines@xn--r8jz45g.xn--zckzah'],
  ['ines@例え。テスト', 'ines@xn--r8jz45g.xn--zckzah'],
  [`${'a'.repeat(64)}@sample.test`, `${'a'.repeat(64)}@sample.test`],
])('%s becomes %s', (text, email) => {
  expect(normalizeEmail(text)).toEqual({ email })
})

test.each([
  ['', 'is missing'],
  ['   ', 'is missing'],
  ['mara', 'is not an address'],
  ['@sample.test', 'is not an address'],
  ['mara@', 'is not an address'],
  ['mara@home@sample.test', 'more than one @'],
  ['Mara <mara@sample.test>', 'angle brackets'],
  ['mara lind@sample.test', 'a space'],
  ['mara@sample.test\r\nBcc: jonas@sample.test', 'a space or control character'],
  ['mara\u0000@sample.test', 'control character'],
  ['mära@sample.test', 'outside a-z before the @'],
  ['mara..lind@sample.test', 'not allowed before the @'],
  ['.mara@sample.test', 'not allowed before the @'],
  ['"mara lind"@sample.test', 'a space'],
  ['mailto:mara@sample.test', 'not allowed before the @'],
  ['mara,jonas@sample.test', 'not allowed before the @'],
  ['mara@localhost', 'domain that cannot exist'],
  ['mara@sample.test.', 'domain that cannot exist'],
  ['mara@sample..test', 'domain that cannot exist'],
  ['mara@-sample.test', 'domain that cannot exist'],
  ['mara@sample_groups.test', 'domain that cannot exist'],
  ['mara@192.168.1.2', 'domain that cannot exist'],
  ['mara@1.2', 'domain that cannot exist'],
  ['mara@[127.0.0.1]', 'domain that cannot exist'],
  ['mara@sample.test/path', 'domain that cannot exist'],
  ['mara@s%61mple.test', 'domain that cannot exist'],
  [`${'a'.repeat(65)}@sample.test`, 'more than 64 characters'],
  [`mara@${'a'.repeat(64)}.test`, 'domain that cannot exist'],
  [`mara@${'a.'.repeat(130)}test`, 'longer than 254'],
  ['x'.repeat(1_000_000), 'longer than 254'],
])('%j is refused: %s', (text, reason) => {
  expect(normalizeEmail(text)).toMatchObject({ problem: expect.stringContaining(reason) })
})

test('normalizing twice changes nothing, and what passes fits on one header line', () => {
  const nearlyAddresses = fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))
  fc.assert(
    fc.property(
      fc.oneof(
        fc.emailAddress(),
        nearlyAddresses.map(([a, b]) => `${a}@${b}.test`),
      ),
      (text) => {
        const once = normalizeEmail(text)
        if (!('email' in once)) return
        expect(normalizeEmail(once.email)).toEqual(once)
        expect(once.email).toMatch(/^[!-~]+@[a-z0-9.-]+$/)
        expect(once.email).toBe(once.email.toLowerCase())
      },
    ),
  )
})
