import { plain, webAddress } from '../mail/digest-page.ts'
import type { GroupFacts } from './group.ts'
import type { TopicNames } from './topic.ts'

/** The facts as columns of the database hold them, where other programs may have written any value. */
export type WrittenFacts = { [Fact in keyof GroupFacts]?: unknown }

/** The facts, safe to show. What cannot be read is not said: no session is left out because of it. */
export function groupFacts({ summary, groupUrl, language, place, price }: WrittenFacts): GroupFacts {
  return {
    summary: line(summary),
    groupUrl: typeof groupUrl === 'string' ? webAddress(groupUrl) : null,
    language: typeof language === 'string' && /^[a-z]{2,3}$/.test(language) ? language : null,
    place: line(place),
    price: line(price),
  }
}

const line = (value: unknown): string | null => (typeof value === 'string' && plain(value)) || null

/** The names in a column of the database, safe to show. What another program wrote that cannot be read is left out. */
export function topicNamesIn(column: unknown): TopicNames {
  const names = typeof column === 'string' ? parsed(column) : null
  if (typeof names !== 'object' || names === null || Array.isArray(names)) return {}
  return Object.fromEntries(
    Object.entries(names).flatMap(([language, name]) => {
      const shown = typeof name === 'string' && /^[a-z]{2,3}$/.test(language) ? plain(name) : ''
      return shown === '' ? [] : [[language, shown]]
    }),
  )
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return null
  }
}
