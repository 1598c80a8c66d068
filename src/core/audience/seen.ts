import type { TopicRow } from './exclusion.ts'

/** The topics a reader wants: some, by id, or all topics that exist now or later. */
export type TopicChoice = 'all' | ReadonlySet<number>

/**
 * The rows to store instead of `current` when a reader changes their topics. The seen mark of each topic stays
 * (`effectiveSeen`), so no session is shown twice and none is missed. An empty set means `'all'`, just as having no chosen
 * row does in the database. `general` is the subscriber's own `seen_through`; `topicIds` are all topics.
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

/** The fewest rows that store these `chosen` topics (none = all) and, for each topic, the seen mark that `seenIn` gives. */
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
    // Stored even if it equals `general`: that mark moves with every email, and this topic is not in those emails.
    return seen === 0 ? [] : row(topicId, seen)
  })
}

/**
 * The highest `seq` of this topic that the reader was shown. Without a row, it is the general mark. But if the reader chose
 * other topics, it is 0: this topic was never shown to them.
 */
export function effectiveSeen(topicId: number, rows: readonly TopicRow[], general: number): number {
  const row = rows.find((one) => one.topicId === topicId)
  if (row) return row.seenThrough ?? general
  return rows.some((one) => one.chosen) ? 0 : general
}
