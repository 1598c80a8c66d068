import { lru } from '../lru.ts'
import { weighed } from '../weighed.ts'

const LOCALES_KEPT = 16

const namesIn = lru(
  LOCALES_KEPT,
  (locale: string) => locale,
  (locale) => weighed(new Intl.DisplayNames(locale, { type: 'language' })),
)

/** The name of a language (BCP 47) in another: `Spanish` of `es` in English. */
export const languageNamed = (language: string, locale: string): string =>
  namesIn(locale).of(language) ?? language
