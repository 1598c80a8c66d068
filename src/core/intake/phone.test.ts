import { expect, test } from '@jest/globals'
import { phoneLink } from './phone.ts'

test.each([
  ['207-555-0143', 'tel:2075550143'],
  ['(207) 555-0143', 'tel:2075550143'],
  ['+1 207.555.0143', 'tel:+12075550143'],
  [' +44 20 7946 0018 ', 'tel:+442079460018'],
  ['207-555-0143 ext. 12', 'tel:2075550143;ext=12'],
  ['207-555-0143x7', 'tel:2075550143;ext=7'],
  ['988', 'tel:988'],
  ['call us', null],
  ['12', null],
  ['1234567890123456', null],
  ['207-555-CARE', null],
  ['207-555-0143, 207-555-0144', null],
  ['tel:2075550143', null],
  ['+', null],
  ['', null],
  [`2${' '.repeat(60)}07`, null],
])('%s is called by %s', (text, link) => expect(phoneLink(text)).toBe(link))
