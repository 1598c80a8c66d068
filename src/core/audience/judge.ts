import { type Offer, rotationCount, type Selection, selectFor } from '../sessions/offers.ts'
import { type Candidate, type Exclusion, exclusionOf } from './exclusion.ts'
import { isNewsTo } from './news.ts'
import { type ChosenTopics, type Seen, seenBy, type TopicRow } from './seen.ts'

/** A candidate with their seen marks. */
export type KnownCandidate = Candidate & { id: number; seenThrough: number; topicRows: readonly TopicRow[] }

/**
 * What only resends know. `firstSeenThrough`: what the reader had seen when the edition was first planned. `inDoubtIn` and
 * `waitsIn`: the newest later edition that may have shown them the news already, or is about to.
 */
export type ResendFacts = { firstSeenThrough: number; inDoubtIn: string | null; waitsIn: string | null }

type Judged = KnownCandidate & Partial<ResendFacts>

/**
 * The edition to judge. `offers` are what it shows, soonest first, all with `isUnchanged`. `at` is the slot, or now if later;
 * `max` the most sessions in one email. `resend` is null for the edition itself; `again` repeats what the edition showed; `corrects` shows
 * this one session to whoever may be emailed.
 */
export type JudgedEdition = {
  id: string
  throughSeq: number
  offers: readonly Offer[]
  at: Date
  max: number
  resend: { again: boolean; corrects?: number | null } | null
}

/** `topics` are those that the email covers; null = all. */
export type Judgment =
  | { exclusion: null; topics: ChosenTopics; selection: Selection }
  | { exclusion: Exclusion }

export type Judge = {
  /** Why the candidate gets no email; null if they get one. Always agrees with `select`. */
  exclude(candidate: Judged): Exclusion | null
  /** What the candidate's email shows, or why they get none. `turn`, any id, decides which scarce session comes first. */
  select(candidate: Judged, turn: number): Judgment
}

/**
 * The one place that decides what a subscriber gets of an edition, and why not: for planning, the last checks before
 * submitting, previews, and resends. Pure, but it remembers selections, because most readers have seen and chosen the same.
 */
export function openJudge(edition: JudgedEdition): Judge {
  const { id, throughSeq, offers, at, resend } = edition
  const again = resend?.again ?? false
  const hasNews = newsFinder(offers, throughSeq)
  const selectionOf = rememberingSelector(edition)

  const refusal = (candidate: Judged): Exclusion | null =>
    // The weekly job counts months. An operator who resends an edition means its monthly readers too.
    exclusionOf(resend === null ? candidate : { ...candidate, cadence: 'weekly' }, id, at)

  const marks = (candidate: Judged): { topics: ChosenTopics; seen: Seen } => {
    const { topics, seen } = seenBy(candidate.seenThrough, candidate.topicRows)
    const { firstSeenThrough = candidate.seenThrough } = candidate
    return { topics, seen: again ? { general: firstSeenThrough, byTopic: new Map() } : seen }
  }

  const shownElsewhere = ({ inDoubtIn = null, waitsIn = null }: Judged): Exclusion | null => {
    if (resend === null || again) return null
    if (inDoubtIn !== null) return 'in-doubt'
    return waitsIn === null ? null : 'superseded'
  }

  const { corrects = null } = resend ?? {}
  if (corrects !== null) return correctionJudge(corrects, refusal)
  return {
    exclude: (candidate) =>
      refusal(candidate) ?? (hasNews(marks(candidate)) ? null : 'nothing-new') ?? shownElsewhere(candidate),
    select(candidate, turn) {
      const refused = refusal(candidate)
      if (refused !== null) return { exclusion: refused }
      const { topics, seen } = marks(candidate)
      const selection = selectionOf(topics, seen, turn)
      if (selection === null) return { exclusion: 'nothing-new' }
      const elsewhere = shownElsewhere(candidate)
      return elsewhere === null ? { exclusion: null, topics, selection } : { exclusion: elsewhere }
    },
  }
}

/** A correction says one thing, and covers no topic: it moves no mark. */
function correctionJudge(id: number, refusal: (candidate: Judged) => Exclusion | null): Judge {
  const selection: Selection = { shown: [{ id, news: 'new' }], more: 0 }
  return {
    exclude: refusal,
    select(candidate) {
      const exclusion = refusal(candidate)
      return exclusion === null ? { exclusion, topics: new Set(), selection } : { exclusion }
    },
  }
}

/**
 * Whether any offer is news to a reader, with few comparisons each: planning asks for every subscriber. A topic has news
 * exactly if its newest session is news, except for sessions that changed after an edition; they are asked one by one.
 */
function newsFinder(offers: readonly Offer[], throughSeq: number) {
  const newest = new Map<number, number>()
  for (const { topicId, seq, history } of offers)
    if (!history) newest.set(topicId, Math.max(seq, newest.get(topicId) ?? 0))
  const changed = offers.filter(({ history }) => history !== undefined)
  return ({ topics, seen }: { topics: ChosenTopics; seen: Seen }): boolean => {
    for (const [topicId, seq] of newest) if (isNewsTo({ topicId, seq }, topics, seen, throughSeq)) return true
    return changed.some((offer) => isNewsTo(offer, topics, seen, throughSeq))
  }
}

/** Readers of a million subscribers may all differ; more selections than this are not kept. */
const REMEMBERED = 10_000

function rememberingSelector({ offers, throughSeq, max }: JudgedEdition) {
  const rotations = rotationCount(offers)
  const known = new Map<string, Selection | null>()
  return (topics: ChosenTopics, seen: Seen, turn: number): Selection | null => {
    const rotation = turn % rotations
    const key = `${topics && [...topics].join()}|${seen.general}|${[...seen.byTopic].join(';')}|${rotation}`
    const found = known.get(key)
    if (found !== undefined) return found
    if (known.size >= REMEMBERED) known.clear()
    const selection = selectFor({ topics, seen }, offers, { throughSeq, max, rotation })
    known.set(key, selection)
    return selection
  }
}
