export type RateLimit = {
  /** Takes the token of one request; false if none is left. */
  take: () => boolean
  set: (requestsPerSecond: number) => void
  perSecond: () => number
  /** Resend's four `ratelimit-*` headers for this moment. */
  headers: () => Record<string, string>
}

/**
 * A token bucket for one second's worth of requests, refilled continuously by the clock `now` (ms).
 * https://resend.com/docs/api-reference/rate-limit
 */
export function rateLimit(requestsPerSecond: number, now: () => number): RateLimit {
  let capacity = requestsPerSecond
  let tokens = capacity
  let filledAt = now()

  function refill(): void {
    const at = now()
    tokens = Math.min(capacity, tokens + (Math.max(0, at - filledAt) / 1000) * capacity)
    filledAt = at
  }

  return {
    take() {
      refill()
      if (tokens < 1) return false
      tokens -= 1
      return true
    },
    set(limit) {
      capacity = limit
      tokens = limit
      filledAt = now()
    },
    perSecond: () => capacity,
    headers: () => ({
      'ratelimit-limit': String(capacity),
      'ratelimit-policy': `${capacity};w=1`,
      'ratelimit-remaining': String(Math.floor(tokens)),
      'ratelimit-reset': '1',
    }),
  }
}
