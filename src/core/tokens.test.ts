import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { newPublicId, readAddress, signAddress } from './tokens.ts'

const [SECRET, NEXT] = ['a link secret that is long enough', 'another one that is long enough!']

test('an address to unsubscribe at says whom, in whatever case, and fits into an address', () => {
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
