import { type News, type NewsState, newsTo } from '../audience/news.ts'
import { type ChosenTopics, type Seen } from '../audience/seen.ts'
import { isBookable, lastOccurrence, nextOccurrence } from '../time/occurrences.ts'

/** A session with its group and topic, as the database holds it. Local times belong to `timeZone` (IANA). */
export type Session = {
  id: number
  externalId: string
  topicId: number
  topicSlug: string
  topicName: string
  kind: 'therapy' | 'skills'
  group: string
  therapist: string
  startsAtLocal: string
  timeZone: string
  durationMinutes: number
  repeats: 'weekly' | 'once'
  occurrences: number | null
  seatsTotal: number | null
  seatsLeft: number | null
  status: 'open' | 'full' | 'cancelled'
  bookingUrl: string
  seq: number
  addedSeq: number
  news: News
  /** How it stood before, once it changed after an edition. */
  history?: readonly NewsState[]
}

export type { News } from '../audience/news.ts'

/** A bookable session as frozen for a mail: plain data that renders the same in any year. Instants are ISO, UTC. */
export type Offer = {
  id: number
  seq: number
  addedSeq: number
  news: News
  topicId: number
  topic: string
  group: string
  kind: 'therapy' | 'skills'
  therapist: string
  startsAt: string
  lastStartsAt: string | null
  durationMinutes: number
  timeZone: string
  repeats: 'weekly' | 'once'
  seatsLeft: number | null
  bookingUrl: string
  history?: readonly NewsState[]
}

/** What one reader is told: the offers shown, each with its news in the reader's eyes, and how many did not fit. */
export type Selection = { shown: { id: number; news: News }[]; more: number }

/** The sessions that can be booked at `at`, soonest first, with their next time. */
export function offersAt(sessions: readonly Session[], at: Date): Offer[] {
  return sessions
    .filter((session) => isBookable(session, at))
    .flatMap((session) => {
      const next = nextOccurrence(session, at)
      return next === null ? [] : [offer(session, next.at)]
    })
    .sort((a, b) => (a.startsAt === b.startsAt ? a.id - b.id : a.startsAt < b.startsAt ? -1 : 1))
}

/** So many seats are few. */
const FEW_SEATS = 3

/** Whether an offer has so few seats left that who sees it first matters. */
export const isScarce = ({ seatsLeft }: Pick<Offer, 'seatsLeft'>): boolean =>
  seatsLeft !== null && seatsLeft <= FEW_SEATS

/**
 * Applies the content rule to `offers` (soonest first) for one reader, and cuts at `max`.
 * The cut ones are counted in `more`; they count as told. Null: nothing is news, so there is no mail.
 * `turn`, of as many as `turnsAmong` says, decides which of equal offers comes first.
 */
export function selectFor(
  reader: { topics: ChosenTopics; seen: Seen },
  offers: readonly Offer[],
  { throughSeq, max, turn = 0 }: { throughSeq: number; max: number; turn?: number },
): Selection | null {
  const newsById = new Map<number, News>()
  for (const offer of offers) {
    const news = newsTo(offer, reader.topics, reader.seen, throughSeq)
    if (news !== null) newsById.set(offer.id, news)
  }
  if (newsById.size === 0) return null
  const shown = inTurn(
    offers.filter(({ id }) => newsById.has(id)),
    turn,
  )
    .slice(0, max)
    .map(({ id }) => ({ id, news: newsById.get(id) ?? 'new' }))
  return { shown, more: newsById.size - shown.length }
}

/**
 * How many turns readers take: where equal offers have few seats, each comes first for as many readers as the others, so
 * the turn of one is the id of their delivery modulo this. 1 where there are none: then readers share their pages.
 */
export function turnsAmong(offers: readonly Offer[]): number {
  return equals(offers).some(isContested) ? TURNS : 1
}

/** A multiple of 2 to 6, so that groups of that many equal offers rotate evenly. */
const TURNS = 60

/** Offers of one topic that begin together: their order says nothing. */
const equals = (offers: readonly Offer[]): Offer[][] => [
  ...Map.groupBy(offers, ({ topicId, startsAt }) => `${topicId} ${startsAt}`).values(),
]

const isContested = (group: readonly Offer[]): boolean => group.length > 1 && group.some(isScarce)

/** The offers in their order, but with each group of equal and scarce ones turned. */
function inTurn(offers: readonly Offer[], turn: number): readonly Offer[] {
  if (turn === 0) return offers
  const instead = new Map<Offer, Offer | undefined>()
  for (const group of equals(offers).filter(isContested))
    for (const [place, offer] of group.entries()) instead.set(offer, group[(place + turn) % group.length])
  return offers.map((offer) => instead.get(offer) ?? offer)
}

function offer(session: Session, next: Date): Offer {
  return {
    id: session.id,
    seq: session.seq,
    addedSeq: session.addedSeq,
    news: session.news,
    topicId: session.topicId,
    topic: session.topicName,
    group: session.group,
    kind: session.kind,
    therapist: session.therapist,
    startsAt: next.toISOString(),
    lastStartsAt: lastOccurrence(session)?.toISOString() ?? null,
    durationMinutes: session.durationMinutes,
    timeZone: session.timeZone,
    repeats: session.repeats,
    seatsLeft: session.seatsLeft,
    bookingUrl: session.bookingUrl,
    ...(session.history && { history: session.history }),
  }
}
