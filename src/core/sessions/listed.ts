import { millisecondsInWeek } from 'date-fns/constants'
import { toLocal, wallClockBetween } from '../time/calendar.ts'
import { isBookable } from '../time/occurrences.ts'
import type { Offer, Session } from './offers.ts'

/** What became of an offer that an edition listed: bookable at the listed time, moved to another time, or gone. */
export type OfferStatus = 'bookable' | 'moved' | 'gone'

/** The status of `offer` at `now`. `session` is its session as it is today; undefined if it was deleted. */
export function offerStatus(offer: Offer, session: Session | undefined, now: Date): OfferStatus {
  if (!session || !isBookable(session, now)) return 'gone'
  return sameTimes(offer, session) ? 'bookable' : 'moved'
}

/** A weekly session that has advanced by whole weeks is still at its listed time. */
function sameTimes(offer: Offer, session: Session): boolean {
  if (offer.timeZone !== session.timeZone || offer.repeats !== session.repeats) return false
  const drift = wallClockBetween(toLocal(new Date(offer.startsAt), offer.timeZone), session.startsAtLocal)
  return (offer.repeats === 'weekly' ? drift % millisecondsInWeek : drift) === 0
}
