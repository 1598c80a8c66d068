import { beforeAll, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { compileInTest } from '../../../test/mjml.ts'
import { loadTemplates } from '../../templates/load.ts'
import { ada, allOffers, edition, harbor, links } from './digest.fixture.ts'
import { type DigestTemplate, digestComposer } from './digest.ts'
import { batchBody, requestComposer, requestJson } from './request.ts'

let template: DigestTemplate

beforeAll(async () => {
  template = { ...(await loadTemplates({ compile: compileInTest })).digest, letterhead: harbor }
})

/** Anything a subscriber's row can hold, and often what could be taken for a mark or an escape. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    '',
    'Ada',
    '\ufdd00\ufdd1',
    '\\u0041',
    '"}],',
    '</p><b>',
    '{{name}}',
    '$&',
    'Łukasz 🌿',
    '\u0000',
  ),
)
const reader = fc
  .record({
    name: fc.option(text),
    publicId: fc.string({ unit: 'grapheme-ascii' }),
    email: fc.emailAddress(),
    discreet: fc.boolean(),
    more: fc.constantFrom(0, 1, 7),
    timeZone: fc.constantFrom('America/New_York', 'Asia/Kolkata'),
  })
  .map((own) => ({ ...ada, ...own }))

test('the bytes of a batch contain exactly the emails that are composed one by one', () => {
  const plainly = digestComposer(template, allOffers, edition, links)
  const asBytes = requestComposer(template, allOffers, edition, links)
  fc.assert(
    fc.property(fc.array(reader, { minLength: 1, maxLength: 4 }), text, (readers, tag) => {
      const safeTag = tag.replace(/[\r\n]/g, '')
      const body = batchBody(readers.map((one) => asBytes(one, safeTag).pieces))
      const plain = readers.map((one) => requestJson(plainly(one, safeTag)))
      expect(body.toString()).toBe(Buffer.from(`[${plain.join(',')}]`).toString())
      expect(JSON.parse(body.toString())).toHaveLength(readers.length)
    }),
    { numRuns: 300 },
  )
})

test('an address with a line break is refused, as when composing one by one', () => {
  const compose = requestComposer(template, allOffers, edition, links)
  expect(() => compose({ ...ada, email: 'ada@sample.test\r\nBcc: eve@sample.test' }, 'tag')).toThrow(
    'line break',
  )
})
