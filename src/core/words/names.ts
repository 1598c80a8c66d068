import { lru } from '../lru.ts'
import { weighed } from '../weighed.ts'

const LOCALES_KEPT = 16

/** Sorts names as readers of a locale do. */
export const collatorOf = lru(
  LOCALES_KEPT,
  (locale: string) => locale,
  (locale) => weighed(new Intl.Collator(locale)),
)

/** What a language (BCP 47 tag) is called in a locale, as within a sentence: `Spanish`, `español`. */
export const languageName = (language: string, locale: string): string =>
  languageNamesOf(locale).of(language) ?? language

const languageNamesOf = lru(
  LOCALES_KEPT,
  (locale: string) => locale,
  (locale) => weighed(new Intl.DisplayNames(locale, { type: 'language' })),
)
