import { type News, type NewsState, newsTo, timesKnownTo } from '../audience/news.ts'
import { type ChosenTopics, type Seen } from '../audience/seen.ts'
import { isBookable, lastOccurrence, nextOccurrence } from '../time/occurrences.ts'
import { type GroupFacts, UNSAID } from './group.ts'
import type { TopicNames } from './topic.ts'

/** A session with its group and topic, as stored. Local times are in `timeZone` (IANA). */
export type Session = GroupFacts & {
  id: number
  externalId: string
  topicId: number
  topicSlug: string
  topicName: string
  topicNames: TopicNames
  groupId: number
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
  /** Its earlier states, if it changed after an edition. */
  history?: readonly NewsState[]
}

export type { News } from '../audience/news.ts'

/** A bookable session, frozen for an email: plain data that renders the same in any year. Instants are ISO, UTC. */
export type Offer = GroupFacts & {
  id: number
  seq: number
  addedSeq: number
  news: News
  topicId: number
  topic: string
  topicNames: TopicNames
  /** Null if an earlier release froze the offer. */
  groupId: number | null
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
  /** In an email that corrects it: what an earlier one said. */
  correction?: Correction
}

/** What of a session was wrong in an email. */
export type Wrong = 'time' | 'therapist' | 'minutes' | 'place' | 'price' | 'link' | 'cancelled' | 'full'

/** A session as it is now, with what an email said of it instead; frozen with the email that corrects it. */
export type Correction = {
  wrong: Wrong[]
  was: Pick<Offer, 'startsAt' | 'repeats' | 'therapist' | 'durationMinutes' | 'place' | 'price'>
  /** Whether there is still something to reserve. */
  bookable: boolean
}

/** What one reader gets: the offers shown, and how many did not fit. */
export type Selection = { shown: Shown[]; more: number }

/** What is new about an offer for one reader, and if it moved, the times that they know, where that is certain. */
export type Shown = { id: number; news: News; was?: string }

/** The sessions that are bookable at `at`, with their next time, soonest first. */
export function offersAt(sessions: readonly Session[], at: Date): Offer[] {
  return sessions
    .filter((session) => isBookable(session, at))
    .flatMap((session) => {
      const next = nextOccurrence(session, at)
      return next === null ? [] : [offerFrom(session, next.at)]
    })
    .sort((a, b) => (a.startsAt === b.startsAt ? a.id - b.id : a.startsAt < b.startsAt ? -1 : 1))
}

/** An offer as it was frozen, maybe by an earlier release, which said less of a group. */
export const thawed = (frozen: Partial<Offer>): Offer =>
  ({ ...UNSAID, groupId: null, topicNames: {}, ...frozen }) as Offer

/** At most this many seats left count as scarce. */
const FEW_SEATS = 3

/** Whether so few seats are left that it matters who sees the offer first. */
export const isScarce = ({ seatsLeft }: Pick<Offer, 'seatsLeft'>): boolean =>
  seatsLeft !== null && seatsLeft <= FEW_SEATS

/**
 * Selects the offers that are news to one reader, at most `max` of them. `offers` are soonest first. The others are counted
 * in `more`, and also count as seen. Null if nothing is news: then there is no email. `rotation` (0 up to `rotationCount`)
 * decides which of equal offers comes first.
 */
export function selectFor(
  reader: { topics: ChosenTopics; seen: Seen },
  offers: readonly Offer[],
  { throughSeq, max, rotation = 0 }: { throughSeq: number; max: number; rotation?: number },
): Selection | null {
  const newsById = new Map<number, Shown>()
  for (const offer of offers) {
    const news = newsTo(offer, reader.topics, reader.seen, throughSeq)
    if (news === null) continue
    const was = news === 'moved' ? timesKnownTo(offer, reader.topics, reader.seen) : null
    newsById.set(offer.id, { id: offer.id, news, ...(was !== null && { was }) })
  }
  if (newsById.size === 0) return null
  const shown = rotate(
    offers.filter(({ id }) => newsById.has(id)),
    rotation,
  )
    .slice(0, max)
    .flatMap(({ id }) => newsById.get(id) ?? [])
  return { shown, more: newsById.size - shown.length }
}

/**
 * How many rotations there are. Equal offers with few seats take turns at coming first: a reader's rotation is the id of
 * their delivery modulo this number. 1 if there are no such offers; then readers can share a page.
 */
export function rotationCount(offers: readonly Offer[]): number {
  return equals(offers).some(isContested) ? ROTATIONS : 1
}

/** Divisible by 2 to 6, so that groups of that many equal offers rotate evenly. */
const ROTATIONS = 60

/** Groups of offers with the same topic and start. Their order has no meaning. */
const equals = (offers: readonly Offer[]): Offer[][] => [
  ...Map.groupBy(offers, ({ topicId, startsAt }) => `${topicId} ${startsAt}`).values(),
]

const isContested = (group: readonly Offer[]): boolean => group.length > 1 && group.some(isScarce)

/** The offers in their order, but with each group of equal, scarce ones rotated. */
function rotate(offers: readonly Offer[], rotation: number): readonly Offer[] {
  if (rotation === 0) return offers
  const instead = new Map<Offer, Offer | undefined>()
  for (const group of equals(offers).filter(isContested))
    for (const [place, offer] of group.entries()) instead.set(offer, group[(place + rotation) % group.length])
  return offers.map((offer) => instead.get(offer) ?? offer)
}

/** A session as an email shows it, with its next start. */
export function offerFrom(session: Session, next: Date): Offer {
  return {
    id: session.id,
    seq: session.seq,
    addedSeq: session.addedSeq,
    news: session.news,
    topicId: session.topicId,
    topic: session.topicName,
    topicNames: session.topicNames,
    groupId: session.groupId,
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
    summary: session.summary,
    groupUrl: session.groupUrl,
    language: session.language,
    place: session.place,
    price: session.price,
    ...(session.history && { history: session.history }),
  }
}
