import type { ChosenTopics, Seen } from './seen.ts'

/**
 * The state of a session from `seq` on, as far as readers care. `reopened` is the `seq` of its last reopening. `quiet`: its times
 * were corrected without telling anyone, so readers may have seen other ones.
 */
export type NewsState = {
  seq: number
  topicId: number | null
  times: string
  reopened: number
  quiet?: boolean
}

/** What decides whether a session is news. `history`, oldest first, exists once it changed after an edition. */
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
 * What is new about the session for the reader, in an edition up to `throughSeq`: the difference between what they know and
 * its state now. Null if nothing is, or if it changed since the edition was planned: then a later one shows it. An edition
 * uses the topics of the time when it was planned. `db/sessions/news.md` has the table of what is news to whom.
 */
export function newsTo(
  session: NewsSource,
  topics: ChosenTopics,
  seen: Seen,
  throughSeq: number,
): News | null {
  const asPlanned = stateAt(session, () => throughSeq)
  if (!asPlanned || !isUnchanged(session, throughSeq)) return null
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

/**
 * The times by which the reader knows a session that moved, as its history has them. Null if it did not move for them, or if
 * it is not certain which times they saw.
 */
export function timesKnownTo(session: NewsSource, topics: ChosenTopics, seen: Seen): string | null {
  const known = stateAt(session, (topicId) => seenThroughFor(topicId, topics, seen))
  const now = session.history?.at(-1)
  if (!known || !now || known.times === now.times || known.times === '' || known.quiet) return null
  return known.times
}

/** Whether the session was shown to the reader before, in whatever state; they follow its topic. */
export function isKnownTo(session: NewsSource, topics: ChosenTopics, seen: Seen): boolean {
  if (topics !== null && !topics.has(session.topicId)) return false
  const { seq, addedSeq = seq, history } = session
  const source = history ? session : { ...session, seq: addedSeq }
  return stateAt(source, (topicId) => seenThroughFor(topicId, topics, seen)) !== undefined
}

/** Whether an edition up to `throughSeq` may show the session: it is unchanged since that edition was planned. */
export function isUnchanged(session: NewsSource, throughSeq: number): boolean {
  if (!session.history) return session.seq <= throughSeq
  const [then, now] = [stateAt(session, () => throughSeq), session.history.at(-1)]
  return then !== undefined && then.times === now?.times && then.reopened === now.reopened
}

/** The last state up to the marks. Without a history there is only one state. */
function stateAt(session: NewsSource, markIn: (topicId: number) => number): NewsState | undefined {
  const { topicId, seq } = session
  const states = session.history ?? [{ seq, topicId, times: '', reopened: 0 }]
  return states.findLast((state) => state.seq <= markIn(state.topicId ?? topicId))
}

/** The highest `seq` of this topic that the reader was shown; for a topic they did not choose, only from a row of its own. */
function seenThroughFor(topicId: number, topics: ChosenTopics, seen: Seen): number {
  return seen.byTopic.get(topicId) ?? (topics === null || topics.has(topicId) ? seen.general : 0)
}
