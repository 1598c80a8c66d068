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
function topicRows(
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

/** What a reader was shown: up to a general mark, and up to others in the topics that differ. */
export type Seen = { general: number; byTopic: ReadonlyMap<number, number> }

/** The topics a reader chose; `null` = every topic. */
export type ChosenTopics = ReadonlySet<number> | null

/** One topic as the reader has it stored; see `subscriber_topics`. */
export type TopicRow = { topicId: number; chosen: boolean; seenThrough: number | null }

/** The reader's chosen topics, and what they were shown in each; every chosen topic has a row. */
export function seenBy(general: number, rows: readonly TopicRow[]): { topics: ChosenTopics; seen: Seen } {
  const chosen = rows.filter((row) => row.chosen)
  const byTopic = new Map<number, number>()
  for (const row of rows) if (row.seenThrough !== null) byTopic.set(row.topicId, row.seenThrough)
  return {
    topics: chosen.length === 0 ? null : new Set(chosen.map((row) => row.topicId)),
    seen: { general, byTopic },
  }
}

/**
 * The marks after the reader was shown everything up to `throughSeq` in the topics of an email (null = every topic). `rows`
 * are the choice now, which may differ from the choice that the email was made for: a topic of the email counts as shown even
 * if it was dropped since, and a topic that was chosen since keeps its own mark. `topicIds` are all topics.
 */
export function marksAfter(
  general: number,
  rows: readonly TopicRow[],
  covered: readonly number[] | null,
  throughSeq: number,
  topicIds: readonly number[],
): { general: number; rows: TopicRow[] } {
  const after = Math.max(general, throughSeq)
  const seenNow = (topicId: number): number => {
    const seen = effectiveSeen(topicId, rows, general)
    return covered === null || covered.includes(topicId) ? Math.max(seen, throughSeq) : seen
  }
  const chosen = new Set(rows.filter((row) => row.chosen).map((row) => row.topicId))
  return { general: after, rows: topicRows(topicIds, chosen, seenNow, after) }
}
