/** What the provider reported of an edition so far; `bounced` for good. */
export type Harm = { submitted: number; bounced: number; complained: number }

/** From how much on an edition may not go on by itself. */
export type BreakerLimits = {
  BREAKER_BOUNCE_PERCENT: number
  BREAKER_COMPLAINT_PERCENT: number
  BREAKER_MIN_SUBMITTED: number
}

/** Every reason of the breaker begins so; only an operator's resume after such a pause turns it off. */
export const BREAKER = 'circuit breaker: '

/**
 * Why an edition must not go on without an operator, or null. The defaults are where Resend may pause an account.
 * https://resend.com/docs/knowledge-base/account-quotas-and-limits
 */
export function breakerReason(harm: Harm, limits: BreakerLimits): string | null {
  const { submitted, bounced, complained } = harm
  if (submitted < limits.BREAKER_MIN_SUBMITTED || submitted === 0) return null
  const part = (count: number) => (count * 100) / submitted
  const say = (count: number, what: string, limit: number, setting: string) =>
    `${BREAKER}${count} of ${submitted} mails ${what}, ${part(count).toFixed(2)} %, and ${setting} is ${limit}`
  const { BREAKER_BOUNCE_PERCENT, BREAKER_COMPLAINT_PERCENT } = limits
  if (part(bounced) > BREAKER_BOUNCE_PERCENT)
    return say(bounced, 'bounced for good', BREAKER_BOUNCE_PERCENT, 'BREAKER_BOUNCE_PERCENT')
  if (part(complained) > BREAKER_COMPLAINT_PERCENT)
    return say(complained, 'were marked as spam', BREAKER_COMPLAINT_PERCENT, 'BREAKER_COMPLAINT_PERCENT')
  return null
}
