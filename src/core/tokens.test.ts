import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import {
  addressWith,
  deliveryIdIn,
  deliveryTagger,
  earlierDeliveryTagger,
  earlierSignLinks,
  newHashKey,
  newPublicId,
  readAddress,
  readEpoch,
  readToken,
  signAddress,
  signEpoch,
  signLinks,
  signToken,
  tokenWith,
} from './tokens.ts'

const [SECRET, NEXT] = ['a link secret that is long enough', 'another one that is long enough!']

test('an unsubscribe address identifies the subscriber in any letter case and is a valid length', () => {
  const publicId = fc.stringMatching(/^[A-Za-z0-9_-]{22}$/)
  fc.assert(
    fc.property(publicId, fc.boolean(), (id, upper) => {
      const address = signAddress(SECRET, 'a-name-of-19-letter@in.harbor.test', id) ?? ''
      expect(address).toMatch(/^[a-z0-9+@.-]+$/)
      expect(address.split('@')[0]).toHaveLength(64)
      expect(readAddress([NEXT, SECRET], upper ? address.toUpperCase() : address)).toBe(id)
      expect(readAddress([NEXT], address)).toBeNull()
    }),
  )
})

test('no other text is such an address', () => {
  const address = signAddress(SECRET, 'leave@in.harbor.test', newPublicId()) ?? ''
  const place = fc.integer({ min: 6, max: 49 })
  fc.assert(
    fc.property(place, fc.constantFrom(...'0az9'.split(''), ''), (at, put) => {
      const other = address.slice(0, at) + put + address.slice(at + 1)
      expect(readAddress([SECRET], other)).toBe(other === address ? readAddress([SECRET], address) : null)
    }),
  )
  for (const text of ['', '@', 'leave@in.harbor.test', '+@', `+${'z'.repeat(44)}@x`])
    expect(readAddress([SECRET], text)).toBeNull()
})

test('a public id that is not ours, and a name that leaves no room, get no address', () => {
  expect(signAddress(SECRET, 'leave@in.harbor.test', 'short')).toBeNull()
  expect(signAddress(SECRET, `${'x'.repeat(20)}@in.harbor.test`, newPublicId())).toBeNull()
})

test('one HMAC signs all links of a subscriber, and no part of it stands for another', () => {
  const id = newPublicId()
  const { unsubscribe, preferences, address } = signLinks(SECRET, id)
  expect(tokenWith(id, unsubscribe)).toBe(signToken(SECRET, 'unsubscribe', id))
  expect(tokenWith(id, preferences)).toBe(signToken(SECRET, 'preferences', id))
  expect(addressWith('leave@in.harbor.test', id, address)).toBe(
    signAddress(SECRET, 'leave@in.harbor.test', id),
  )
  expect(readToken([SECRET], 'preferences', tokenWith(id, unsubscribe))).toBeNull()
  expect(readToken([SECRET], 'unsubscribe', tokenWith(id, preferences))).toBeNull()
  expect(readToken([SECRET], 'unsubscribe', signToken(SECRET, 'confirm', id))).toBeNull()
  expect(readToken([NEXT], 'unsubscribe', tokenWith(id, unsubscribe))).toBeNull()
  expect(unsubscribe.length + preferences.length).toBe(48) // 144 bits each
})

test('links and addresses of older releases stay good', () => {
  const id = newPublicId()
  const { unsubscribe, preferences, address } = earlierSignLinks(SECRET, id)
  expect(readToken([NEXT, SECRET], 'unsubscribe', tokenWith(id, unsubscribe))).toBe(id)
  expect(readToken([NEXT, SECRET], 'preferences', tokenWith(id, preferences))).toBe(id)
  expect(readToken([SECRET], 'preferences', tokenWith(id, unsubscribe))).toBeNull()
  expect(readAddress([SECRET], addressWith('leave@in.harbor.test', id, address) ?? '')).toBe(id)
  expect(readAddress([NEXT], addressWith('leave@in.harbor.test', id, address) ?? '')).toBeNull()
})

const EDITION = { editionId: '2026-11-23', generation: 0 }

test('a tag identifies its delivery to us and reveals nothing to anyone else', () => {
  const key = newHashKey()
  const tagOf = deliveryTagger(key, EDITION)
  const tags = Array.from({ length: 2_000 }, (_, id) => tagOf(id))
  expect(tags.filter((tag) => !/^[A-Za-z0-9_-]{22}$/.test(tag))).toEqual([])
  expect(tags.map((tag) => deliveryIdIn(key, tag))).toEqual(tags.map((_, id) => id))
  // Neighbors have nothing in common: 2,000 of them begin in as many ways as chance has it.
  expect(new Set(tags.map((tag) => tag.slice(0, 4))).size).toBeGreaterThan(1_990)
  expect(tagOf(7)).toBe(deliveryTagger(key, EDITION)(7))
  expect(deliveryIdIn(newHashKey(), tagOf(7))).not.toBe(7)
})

test('another edition, generation or installation makes another tag of the same id', () => {
  const key = newHashKey()
  const others = [
    deliveryTagger(key, { ...EDITION, generation: 1 }),
    deliveryTagger(key, { ...EDITION, editionId: '2026-11-30' }),
    deliveryTagger(newHashKey(), EDITION),
  ]
  expect(new Set([deliveryTagger(key, EDITION), ...others].map((tagOf) => tagOf(7))).size).toBe(4)
})

test('the tags of older releases are still read', () => {
  const key = newHashKey()
  const tag = earlierDeliveryTagger(key, EDITION)(123_456)
  expect(tag).toMatch(/^2n9c-[A-Za-z0-9_-]{10}$/)
  expect(deliveryIdIn(key, tag)).toBe(123_456)
})

test.each(['', 'x', '-abcdefghij', '2n9c-abc', 'a@sample.test', 'A'.repeat(23)])('"%s" is no tag', (tag) =>
  expect(deliveryIdIn(newHashKey(), tag)).toBeNull(),
)

test('an epoch is read by who signed it', () => {
  const key = newHashKey()
  expect(readEpoch(key, signEpoch(key, 42))).toBe(42)
  expect(readEpoch(newHashKey(), signEpoch(key, 42))).toBeNull()
  expect(readEpoch(key, signEpoch(key, 42).replace('42', '43'))).toBeNull()
  expect(readEpoch(key, null)).toBeNull()
})
