import type { GroupFacts } from '../sessions/group.ts'
import type { TopicNames } from '../sessions/topic.ts'
import { fieldsOf, type Parsed } from './fields.ts'
import { type Given, slugOf } from './new-session.ts'
import { groupFactsOf, KINDS, unknownTopic } from './records.ts'

/** All that people write of a group; `topic` is a slug. */
export type GroupText = GroupFacts & { title: string; topic: string; kind: 'therapy' | 'skills' }

/** Checks all that is written of a group, by the rules of an import; `topics` are the known slugs. */
export function parseGroup(given: Given, topics: ReadonlySet<string>): Parsed<GroupText> {
  const fields = fieldsOf(given)
  const { errors, addError, text, oneOf } = fields
  const title = text('group', { max: 120, missing: 'write the name of the group' })
  const topic = text('topic', { max: 80, missing: 'choose a topic' }).toLowerCase()
  if (topic !== '' && !topics.has(topic)) addError('topic', unknownTopic(topic, topics, 'one'))
  const kind = oneOf('kind', ['therapy', 'skills'], KINDS)
  const row = { title, topic, kind, ...groupFactsOf(fields) }
  return errors.length === 0 ? { ok: true, row } : { ok: false, errors }
}

export type TopicText = { slug: string; name: string; names: TopicNames }

/**
 * Checks what is written of a topic: `name`, `slug` (made of the name where there is none), and its names in other languages
 * as `name_es`. An empty name in a language is none.
 */
export function parseTopic(given: Given): Parsed<TopicText> {
  const { errors, addError, text } = fieldsOf(given)
  const name = text('name', { max: 80, missing: 'write what readers call it' })
  const slug = text('slug', { max: 80 }) || slugOf(name)
  if (name !== '' && !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(slug))
    addError('slug', 'needs lowercase letters, digits, and single hyphens; for example eating-disorders')
  const names: Record<string, string> = {}
  for (const field of Object.keys(given)) {
    const language = /^name_([a-z]{2,3})$/.exec(field)?.[1]
    const called = language === undefined ? '' : text(field, { max: 80 })
    if (language !== undefined && called !== '') names[language] = called
  }
  return errors.length === 0 ? { ok: true, row: { slug, name, names } } : { ok: false, errors }
}
