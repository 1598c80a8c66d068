import { millisecondsInDay } from 'date-fns/constants'

/** What decides whether a candidate may be emailed at all. Instants are ms UTC. */
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

const MONTHLY_DAYS = 28

/** Why the edition may not email this candidate at all, or null. `at` is the slot, or now if later. */
export function exclusionOf(candidate: Candidate, editionId: string, at: Date): Exclusion | null {
  if (candidate.suppressed) return 'suppressed'
  if (candidate.status !== 'active') return candidate.status
  if (candidate.pausedUntil !== null && candidate.pausedUntil > at.getTime()) return 'paused'
  if (candidate.cadence === 'monthly' && !monthlyDue(candidate.lastEditionId, editionId))
    return 'monthly-not-due'
  return null
}

function monthlyDue(lastEditionId: string | null, editionId: string): boolean {
  if (lastEditionId === null) return true
  // A date without a time is read as UTC, so each day has 24 hours in any time zone of the host.
  return Date.parse(editionId) - Date.parse(lastEditionId) >= MONTHLY_DAYS * millisecondsInDay
}
