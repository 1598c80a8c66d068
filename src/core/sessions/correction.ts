import { toLocal, weekdayOf } from '../time/calendar.ts'
import { isBookable, nextOccurrence } from '../time/occurrences.ts'
import { type Correction, type Offer, offerFrom, type Session, type Wrong } from './offers.ts'

/** What an email said of a session that is not so any more, and the session as it is; null if all of it is still right. */
export function correctionOf(
  shown: Offer,
  session: Session,
  now: Date,
): (Offer & { correction: Correction }) | null {
  const wrong = wrongIn(shown, session)
  if (wrong.length === 0) return null
  const { startsAt, repeats, therapist, durationMinutes, place, price } = shown
  const next = nextOccurrence(session, now)?.at ?? new Date(startsAt)
  const bookable = isBookable(session, now)
  return {
    ...offerFrom(session, next),
    correction: { wrong, was: { startsAt, repeats, therapist, durationMinutes, place, price }, bookable },
  }
}

function wrongIn(shown: Offer, session: Session): Wrong[] {
  const told = shown.correction?.wrong ?? []
  if (session.status === 'cancelled') return told.includes('cancelled') ? [] : ['cancelled']
  const checks: [Wrong, boolean][] = [
    ['time', timesShown(shown) !== timesOf(session)],
    ['therapist', shown.therapist !== session.therapist],
    ['minutes', shown.durationMinutes !== session.durationMinutes],
    ['place', (shown.place ?? '') !== (session.place ?? '')],
    ['price', (shown.price ?? '') !== (session.price ?? '')],
    ['link', shown.bookingUrl !== session.bookingUrl],
    ['full', (session.status === 'full' || session.seatsLeft === 0) && !told.includes('full')],
  ]
  return checks.flatMap(([what, isWrong]) => (isWrong ? [what] : []))
}

const timesShown = ({ startsAt, timeZone, repeats }: Offer): string =>
  times(toLocal(new Date(startsAt), timeZone), timeZone, repeats)

const timesOf = ({ startsAtLocal, timeZone, repeats }: Session): string =>
  times(startsAtLocal, timeZone, repeats)

/** Weekday and hour of a series, date and hour of what is once. */
const times = (local: string, zone: string, repeats: Session['repeats']): string =>
  `${repeats} ${repeats === 'weekly' ? weekdayOf(local) : local.slice(0, 10)} ${local.slice(11, 16)} ${zone}`
