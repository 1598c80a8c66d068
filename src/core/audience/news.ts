import type { ChosenTopics, Seen } from './seen.ts'

/** How a session stood from `seq` on, as far as readers care; `reopened` is the `seq` it last reopened with. */
export type NewsState = { seq: number; topicId: number | null; times: string; reopened: number }

/** As much of a session as says what is news; `history`, oldest first, is there once it changed after an edition. */
export type NewsSource = {
  topicId: number
  seq: number
  addedSeq?: number
  news?: News
  history?: readonly NewsState[]
}

export type News = 'new' | 'reopened' | 'moved'

/** The content rule: is the session news to the reader, in an edition up to `throughSeq`? */
export function isNewsTo(session: NewsSource, topics: ChosenTopics, seen: Seen, throughSeq: number): boolean {
  return newsTo(session, topics, seen, throughSeq) !== null
}

/**
 * What the session is to the reader, in an edition up to `throughSeq`: the difference between what they know and how it
 * stands now. Null: nothing, or it changed since the edition was planned, so a later one tells of it. An edition goes by
 * the topics as they were when it was planned. The table of what is news to whom is in `db/news.md`.
 */
export function newsTo(
  session: NewsSource,
  topics: ChosenTopics,
  seen: Seen,
  throughSeq: number,
): News | null {
  const asPlanned = stateAt(session, () => throughSeq)
  if (!asPlanned || !isTold(session, throughSeq)) return null
  if (topics !== null && !topics.has(asPlanned.topicId ?? session.topicId)) return null

  const known = stateAt(session, (topicId) => seenThroughFor(topicId, topics, seen))
  if (!session.history) {
    if (known) return null
    const added = session.addedSeq ?? session.seq
    return added > seenThroughFor(session.topicId, topics, seen) ? 'new' : (session.news ?? 'new')
  }
  const now = session.history.at(-1)
  if (!known) return 'new'
  if (known.times !== now?.times) return 'moved'
  return known.reopened === now.reopened ? null : 'reopened'
}

/** Whether an edition up to `throughSeq` may tell of the session: it stands as it did when that edition was planned. */
export function isTold(session: NewsSource, throughSeq: number): boolean {
  if (!session.history) return session.seq <= throughSeq
  const [then, now] = [stateAt(session, () => throughSeq), session.history.at(-1)]
  return then !== undefined && then.times === now?.times && then.reopened === now.reopened
}

/** The last state that marks reach; without a history there is one. */
function stateAt(session: NewsSource, markIn: (topicId: number) => number): NewsState | undefined {
  const { topicId, seq } = session
  const states = session.history ?? [{ seq, topicId, times: '', reopened: 0 }]
  return states.findLast((state) => state.seq <= markIn(state.topicId ?? topicId))
}

/** The highest `seq` of this topic that the reader was told: of one they do not ask for, only what they once were. */
function seenThroughFor(topicId: number, topics: ChosenTopics, seen: Seen): number {
  return seen.byTopic.get(topicId) ?? (topics === null || topics.has(topicId) ? seen.general : 0)
}
