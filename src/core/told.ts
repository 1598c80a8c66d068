import { millisecondsInWeek } from 'date-fns/constants'
import { toLocal, wallClockBetween } from './calendar.ts'
import type { Offer, Session } from './content.ts'
import { isBookable } from './occurrences.ts'

/** What became of an offer that was told earlier: still bookable as told, at another time now, or not any more. */
export type Standing = 'bookable' | 'moved' | 'gone'

/** How `offer` stands at `now`, given its session as it is today; none = it was deleted. */
export function standingOf(offer: Offer, session: Session | undefined, now: Date): Standing {
  if (!session || !isBookable(session, now)) return 'gone'
  return sameTimes(offer, session) ? 'bookable' : 'moved'
}

/** A weekly session that goes on by whole weeks is still at the time that was told. */
function sameTimes(offer: Offer, session: Session): boolean {
  if (offer.timeZone !== session.timeZone || offer.repeats !== session.repeats) return false
  const drift = wallClockBetween(toLocal(new Date(offer.startsAt), offer.timeZone), session.startsAtLocal)
  return (offer.repeats === 'weekly' ? drift % millisecondsInWeek : drift) === 0
}
