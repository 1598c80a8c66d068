/** What the provider has reported about an edition so far. `bounced` counts permanent bounces only. */
export type Harm = { submitted: number; bounced: number; complained: number }

/** Above these, an edition pauses and waits for an operator. */
export type BreakerLimits = {
  BREAKER_BOUNCE_PERCENT: number
  BREAKER_COMPLAINT_PERCENT: number
  BREAKER_MIN_SUBMITTED: number
}

/** Every reason of the breaker starts with this. Resuming after such a pause turns the breaker off for the edition. */
export const BREAKER = 'circuit breaker: '

/** In a first wave, one who marks the email as spam or three that bounce for good are too many, on a list of any size. */
const MOST_BOUNCED_FIRST = 2

/** Why the rest of an edition must not follow its first wave without an operator, or null. */
export function firstWaveReason({ submitted, bounced, complained }: Harm): string | null {
  const of = `of the first ${submitted} emails`
  if (complained > 0)
    return `${BREAKER}${complained} ${of} ${complained === 1 ? 'was' : 'were'} marked as spam`
  if (bounced > MOST_BOUNCED_FIRST) return `${BREAKER}${bounced} ${of} bounced permanently`
  return null
}

/**
 * Why an edition must not continue without an operator, or null. At the default limits, Resend may pause an account.
 * https://resend.com/docs/knowledge-base/account-quotas-and-limits
 */
export function breakerReason(harm: Harm, limits: BreakerLimits): string | null {
  const { submitted, bounced, complained } = harm
  if (submitted < limits.BREAKER_MIN_SUBMITTED || submitted === 0) return null
  const percent = (count: number) => (count * 100) / submitted
  const reason = (count: number, what: string, limit: number, setting: string) =>
    `${BREAKER}${count} of ${submitted} emails ${what}, ${percent(count).toFixed(2)} %, and ${setting} is ${limit}`
  const { BREAKER_BOUNCE_PERCENT, BREAKER_COMPLAINT_PERCENT } = limits
  if (percent(bounced) > BREAKER_BOUNCE_PERCENT)
    return reason(bounced, 'bounced permanently', BREAKER_BOUNCE_PERCENT, 'BREAKER_BOUNCE_PERCENT')
  if (percent(complained) > BREAKER_COMPLAINT_PERCENT)
    return reason(complained, 'were marked as spam', BREAKER_COMPLAINT_PERCENT, 'BREAKER_COMPLAINT_PERCENT')
  return null
}
