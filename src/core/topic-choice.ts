import type { TopicRow } from './audience.ts'

/** What a reader asks to hear of: some topics by id, or every topic there is and will be. */
export type TopicChoice = 'all' | ReadonlySet<number>

/**
 * The rows to store in place of `current` when a reader chooses anew. Choosing never changes how far a topic was
 * told (`effectiveSeen`), so nobody is told a session twice and nothing is missed. An empty set means `'all'`, as
 * no chosen row does in the database. `general` is the subscriber's own `seen_through`; `topicIds` are all topics.
 */
export function chooseTopics(
  current: readonly TopicRow[],
  general: number,
  topicIds: readonly number[],
  choice: TopicChoice,
): TopicRow[] {
  const chosen = choice === 'all' ? new Set<number>() : choice
  return topicRows(topicIds, chosen, (topicId) => effectiveSeen(topicId, current, general), general)
}

/** The fewest rows that keep these topics `chosen` (none = every topic) and each told as far as `seenIn` says. */
export function topicRows(
  topicIds: readonly number[],
  chosen: ReadonlySet<number>,
  seenIn: (topicId: number) => number,
  general: number,
): TopicRow[] {
  const row = (topicId: number, seenThrough: number | null): TopicRow[] => [
    { topicId, chosen: chosen.has(topicId), seenThrough },
  ]
  return topicIds.flatMap((topicId) => {
    const seen = seenIn(topicId)
    if (chosen.has(topicId)) return row(topicId, seen === general ? null : seen)
    if (chosen.size === 0) return seen === general ? [] : row(topicId, seen)
    // Written out even when it equals `general`: that one moves on with every mail, and this topic is not in them.
    return seen === 0 ? [] : row(topicId, seen)
  })
}

/**
 * The highest `seq` of this topic that the reader was told. Without a row it is the general mark, save for a reader
 * who chose other topics: they were never told of this one.
 */
export function effectiveSeen(topicId: number, rows: readonly TopicRow[], general: number): number {
  const row = rows.find((one) => one.topicId === topicId)
  if (row) return row.seenThrough ?? general
  return rows.some((one) => one.chosen) ? 0 : general
}
