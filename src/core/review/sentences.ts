import type english from '../../../templates/operator/words/en.json'
import type { Translator } from '../words/words.ts'
import type { Flag, Named } from './flags.ts'

/** A flag for people: what is odd, with its numbers, and what to do about it. */
export type FlagSentences = { what: string; todo: string }

type Words = Translator<keyof typeof english>
type Values = Parameters<Words['t']>[1]

/** The sentences of a flag in these words. They name sessions, links and numbers, and nothing about any reader. */
export function sentencesOf(flag: Flag, words: Words): FlagSentences {
  const values = valuesOf(flag, words)
  return {
    what: words.t(`review.flag.${flag.name}.what`, values),
    todo: words.t(`review.flag.${flag.name}.todo`, values),
  }
}

function valuesOf(flag: Flag, words: Words): Values {
  switch (flag.name) {
    case 'no-news':
      return {}
    case 'many-news':
      return { news: flag.news, usual: flag.usual }
    case 'fewer-people':
    case 'more-people': {
      const { people, last, lastId } = flag
      return { people, last, lastId, percent: Math.round(Math.abs(1 - people / last) * 100) }
    }
    case 'new-host':
      return { hosts: listed(flag.hosts, words) }
    case 'dead-link': {
      const links = flag.links.map((link) => words.t('review.flag.dead-link.answer', link))
      return { count: links.length, links: listed(links, words) }
    }
    case 'past-date':
    case 'far-date':
      return { count: flag.sessions.length, sessions: listed(flag.sessions.map(named(words)), words) }
    case 'shifted':
      return { moved: flag.moved, of: flag.of, shift: shiftIn(flag.minutes, words) }
    case 'resend': {
      const problems = flag.checks.map(({ name, detail }) => `${name}: ${detail}`)
      return { problems: problems.join('; '), fixes: flag.checks.flatMap(({ fix }) => fix ?? []).join(' ') }
    }
  }
}

const named =
  (words: Words) =>
  ({ group, date }: Named): string =>
    words.t('review.flag.session', { group, date })

const MOST_LISTED = 5

function listed(parts: readonly string[], words: Words): string {
  const list = parts.slice(0, MOST_LISTED).join(', ')
  const more = parts.length - MOST_LISTED
  return more > 0 ? words.t('review.flag.and-more', { list, more }) : list
}

function shiftIn(minutes: number, words: Words): string {
  const size = Math.abs(minutes)
  const direction = minutes > 0 ? 'later' : 'earlier'
  if (size % 1_440 === 0) return words.t('review.shift.days', { count: size / 1_440, direction })
  if (size % 60 === 0) return words.t('review.shift.hours', { count: size / 60, direction })
  return words.t('review.shift.minutes', { count: size, direction })
}
