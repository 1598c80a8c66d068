import { isKnownTo, type NewsSource, newsTo } from './news.ts'
import type { ChosenTopics, Seen } from './seen.ts'

/** Readers who chose and saw the same, as far as some topics go. */
export type Alike = { topics: ChosenTopics; seen: Seen; readers: number }

/** People who will be shown sessions that they were shown before, and people to whom one is simply new. */
export type Hearers = { again: number; fresh: number }

/** How many readers hear of these sessions in the next edition: each once, and as `again` if they know one of them. */
export function hearersOf(sessions: readonly NewsSource[], readers: readonly Alike[]): Hearers {
  const hearers = { again: 0, fresh: 0 }
  for (const { topics, seen, readers: count } of readers) {
    const news = sessions.map((session) => newsTo(session, topics, seen, Number.MAX_SAFE_INTEGER))
    if (news.some((one) => one === 'moved' || one === 'reopened')) hearers.again += count
    else if (news.includes('new')) hearers.fresh += count
  }
  return hearers
}

/** How many readers who follow the topic of this session were shown it before. */
export function shownTo(session: NewsSource, readers: readonly Alike[]): number {
  return readers
    .filter(({ topics, seen }) => isKnownTo(session, topics, seen))
    .reduce((sum, { readers: count }) => sum + count, 0)
}
