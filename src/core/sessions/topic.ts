import { collatorOf } from '../words/collator.ts'
import type { Translator } from '../words/words.ts'

/** What a topic is called, by language (BCP 47 primary tag). */
export type TopicNames = Readonly<Record<string, string>>

/** The name of a topic in this language; `fallback`, the name that it always has, where it has none. */
export const topicName = (names: TopicNames | undefined, fallback: string, language: string): string =>
  (names && Object.hasOwn(names, language) && names[language]) || fallback

/** Topics as they are called in a reader's language, in the order of these names. */
export function topicsIn<Topic extends { name: string; names: TopicNames }>(
  topics: readonly Topic[],
  { language, locale }: Pick<Translator, 'language' | 'locale'>,
): Topic[] {
  const { compare } = collatorOf(locale)
  return topics
    .map((topic) => ({ ...topic, name: topicName(topic.names, topic.name, language) }))
    .sort((a, b) => compare(a.name, b.name))
}
