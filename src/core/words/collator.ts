import { lru } from '../lru.ts'
import { weighed } from '../weighed.ts'

const LOCALES_KEPT = 16

/** Sorts names as readers of a locale do. */
export const collatorOf = lru(
  LOCALES_KEPT,
  (locale: string) => locale,
  (locale) => weighed(new Intl.Collator(locale)),
)
