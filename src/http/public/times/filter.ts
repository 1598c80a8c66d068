import type { OpenTimes } from '../../../actions/sessions/open-times.ts'
import { languageMeant } from '../../../core/intake/languages.ts'
import type { Offer } from '../../../core/sessions/offers.ts'
import { topicsIn } from '../../../core/sessions/topic.ts'
import { collatorOf } from '../../../core/words/collator.ts'
import { languageNamed } from '../../../core/words/language-name.ts'
import type { Translator } from '../../../core/words/words.ts'

/** What a visitor asked for: slugs of topics, and the language of groups. What we do not know is not asked for. */
export type Wanted = { topic: string | string[]; language: string | null }

/** A choice that the page offers; `checked` if it is made. */
export type Choice = { slug: string; name: string; checked: boolean }
export type LanguageChoice = { language: string; name: string; label: string; checked: boolean }

/** The language in the query of a URL; null if there is none, or none that exists. */
export const languageWanted = (written: string): string | null =>
  written === '' ? null : languageMeant(written)

/**
 * The offers that a visitor asked for, and the choices that make a difference: topics by name, and languages if groups on offer
 * are held in more than one.
 */
export function filtered({ offers, topics }: OpenTimes, wanted: Wanted, translator: Translator) {
  const slugs = new Set([wanted.topic].flat())
  const chosen = topics.filter(({ slug }) => slugs.has(slug))
  const chosenIds = new Set(chosen.map(({ id }) => id))
  const { language } = wanted
  const shown = offers.filter(
    (offer) =>
      (chosen.length === 0 || chosenIds.has(offer.topicId)) &&
      (language === null || offer.language === language),
  )
  const offered = new Set([...offers.map(({ topicId }) => topicId), ...chosenIds])
  const choices = topicsIn(topics, translator)
    .filter(({ id }) => offered.has(id))
    .map(({ id, slug, name }): Choice => ({ slug, name, checked: chosenIds.has(id) }))
  return {
    shown,
    topics: choices.length > 1 ? choices : [],
    languages: languagesOf(offers, language, translator),
    slugs: chosen.map(({ slug }) => slug),
    language,
  }
}

function languagesOf(
  offers: readonly Offer[],
  chosen: string | null,
  { t, locale }: Translator,
): LanguageChoice[] {
  const { compare } = collatorOf(locale)
  const spoken = new Set([chosen, ...offers.map(({ language }) => language)])
  const named = [...spoken]
    .filter((language) => language !== null)
    .map((language) => ({ language, name: languageNamed(language, locale), checked: language === chosen }))
    .sort((a, b) => compare(a.name, b.name))
  return named.length > 1
    ? named.map((one) => ({ ...one, label: t('page.group.language', { language: one.name }) }))
    : []
}
