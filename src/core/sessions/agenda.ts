import type { Occurrence } from '../time/occurrences.ts'
import type { Session } from './offers.ts'

/** What an operator asks of the list. `coming`: with a date to come, also if it is full. Null = all. */
export type AgendaFilter = {
  topic: string | null
  status: (typeof STATUSES)[number]
  language: string | null
  group: number | null
  text: string
}

export const STATUSES = ['coming', 'open', 'full', 'cancelled', 'over', 'all'] as const

/** What the list shows as the status of a session: full is also one without a seat left. */
export type AgendaStatus = 'open' | 'full' | 'cancelled' | 'over'

type Dated = {
  session: Pick<Session, 'id' | 'status' | 'seatsLeft' | 'startsAtLocal' | 'topicSlug' | 'language'> &
    Pick<Session, 'groupId' | 'group' | 'therapist' | 'externalId'>
  next: Occurrence | null
}

export function agendaStatus({
  session,
  next,
}: Pick<Dated, 'next'> & {
  session: Pick<Session, 'status' | 'seatsLeft'>
}): AgendaStatus {
  if (session.status === 'cancelled') return 'cancelled'
  if (next === null) return 'over'
  return session.status === 'open' && session.seatsLeft !== 0 ? 'open' : 'full'
}

/** The sessions asked for: by their next date, soonest first, and then those that are over, the latest first. */
export function agendaOf<One extends Dated>(all: readonly One[], filter: AgendaFilter): One[] {
  const text = filter.text.toLowerCase()
  return all
    .filter(
      (one) =>
        isAsked(one, filter.status) &&
        (filter.topic === null || one.session.topicSlug === filter.topic) &&
        (filter.language === null || one.session.language === filter.language) &&
        (filter.group === null || one.session.groupId === filter.group) &&
        (text === '' || wordsOf(one).includes(text)),
    )
    .sort(byDate)
}

function isAsked(one: Dated, status: AgendaFilter['status']): boolean {
  if (status === 'all') return true
  if (status === 'coming') return one.next !== null && one.session.status !== 'cancelled'
  return agendaStatus(one) === status
}

const wordsOf = ({ session: { group, therapist, externalId } }: Dated): string =>
  `${group}\n${therapist}\n${externalId}`.toLowerCase()

function byDate(one: Dated, other: Dated): number {
  if (one.next && other.next)
    return one.next.at.getTime() - other.next.at.getTime() || one.session.id - other.session.id
  if (one.next || other.next) return one.next ? -1 : 1
  return other.session.startsAtLocal < one.session.startsAtLocal ? -1 : 1
}
