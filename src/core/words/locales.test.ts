import { expect, test } from '@jest/globals'
import { shortLocale } from './locales.ts'

test.each([
  ['en', 'en'],
  ['es-MX', 'es-MX'],
  ['ES-mx', 'es-MX'],
  ['es-419', 'es-419'],
  ['zh-Hant-TW', 'zh-TW'],
  ['en-US-u-ca-buddhist-x-abcdefgh', 'en-US'],
  ['en-US-random12', 'en-US'],
  ['en-XX', 'en'],
  ['en-ZZ', 'en'],
  ['en-123', 'en'],
])('%s is read as %s', (tag, locale) => expect(shortLocale(tag)).toBe(locale))

test.each(['', '*', 'e', 'en_US', 'not a tag'])('"%s" is no tag', (tag) =>
  expect(shortLocale(tag)).toBeNull(),
)
