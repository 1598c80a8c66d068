import { millisecondsInDay } from 'date-fns/constants'
import { effectiveSeen, topicRows } from './seen.ts'

/** What the planning of an edition knows of one candidate. Instants are ms UTC. */
export type Candidate = {
  status: 'pending' | 'active' | 'unsubscribed'
  suppressed: boolean
  pausedUntil: number | null
  cadence: 'weekly' | 'monthly'
  lastEditionId: string | null
}

/** Why a candidate does not get an edition. Recorded with the delivery, shown by `explain`. */
export type Exclusion =
  | 'suppressed'
  | 'unsubscribed'
  | 'pending'
  | 'paused'
  | 'monthly-not-due'
  | 'nothing-new'
  | 'superseded'
  | 'in-doubt'
  | 'cancelled'
  | 'erased'

/** How far a reader was told: a general mark, and the topics that differ from it. */
export type Seen = { general: number; byTopic: ReadonlyMap<number, number> }

/** What a reader wants to hear of: `null` = every topic. */
export type ChosenTopics = ReadonlySet<number> | null

/** One topic as the reader has it stored; see `subscriber_topics`. */
export type TopicRow = { topicId: number; chosen: boolean; seenThrough: number | null }

const MONTHLY_DAYS = 28

/** The reason this candidate may not be mailed by the edition at all, or null. `at` is the slot, or now if later. */
export function exclusionOf(candidate: Candidate, editionId: string, at: Date): Exclusion | null {
  if (candidate.suppressed) return 'suppressed'
  if (candidate.status !== 'active') return candidate.status
  if (candidate.pausedUntil !== null && candidate.pausedUntil > at.getTime()) return 'paused'
  if (candidate.cadence === 'monthly' && !monthlyDue(candidate.lastEditionId, editionId))
    return 'monthly-not-due'
  return null
}

/** The reader's chosen topics and how far each was told; every chosen topic has a row. */
export function seenBy(general: number, rows: readonly TopicRow[]): { topics: ChosenTopics; seen: Seen } {
  const chosen = rows.filter((row) => row.chosen)
  const byTopic = new Map<number, number>()
  for (const row of rows) if (row.seenThrough !== null) byTopic.set(row.topicId, row.seenThrough)
  return {
    topics: chosen.length === 0 ? null : new Set(chosen.map((row) => row.topicId)),
    seen: { general, byTopic },
  }
}

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

/**
 * The marks after the reader was told everything up to `throughSeq` in the `covered` topics (null = every topic).
 * Works on the rows as they are now, which may be another choice than the one the mail was made for: a topic that the
 * mail covered counts as told though it was dropped since, and one that was chosen since keeps its own mark.
 * `topicIds` are all topics.
 */
export function afterTelling(
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

function monthlyDue(lastEditionId: string | null, editionId: string): boolean {
  if (lastEditionId === null) return true
  // A date without a time is read as UTC, so the days are 24 hours each whatever the zone of the host.
  return Date.parse(editionId) - Date.parse(lastEditionId) >= MONTHLY_DAYS * millisecondsInDay
}
