import type { Session } from '../core/sessions/offers.ts'
import { when } from './layout.ts'

type Told = Pick<
  Session,
  'group' | 'therapist' | 'repeats' | 'timeZone' | 'durationMinutes' | 'seatsLeft' | 'status'
>

/** A session in a line: `Steady Ground with Dr. Lee: Tue, Dec 1, 7:00 PM EST, weekly, 90 minutes, 3 spots left`. */
export function sessionLine(session: Told, next: { at: Date } | null, now: Date): string {
  const { group, therapist, repeats, timeZone, durationMinutes, seatsLeft, status } = session
  const facts = [
    next === null ? 'over' : when(next.at, timeZone, now),
    repeats === 'weekly' ? 'weekly' : 'once',
    `${durationMinutes} minutes`,
    ...(seatsLeft === null || status !== 'open'
      ? []
      : [`${seatsLeft} ${seatsLeft === 1 ? 'spot' : 'spots'} left`]),
  ]
  return `${group} with ${therapist}: ${facts.join(', ')}`
}
