import { expect, test } from '@jest/globals'
import { breakerReason } from './breaker.ts'

const LIMITS = { BREAKER_BOUNCE_PERCENT: 4, BREAKER_COMPLAINT_PERCENT: 0.08, BREAKER_MIN_SUBMITTED: 200 }

test.each([
  [{ submitted: 200, bounced: 8, complained: 0 }, null],
  [{ submitted: 200, bounced: 9, complained: 0 }, '9 of 200 emails bounced permanently, 4.50 %'],
  [{ submitted: 199, bounced: 199, complained: 199 }, null],
  [{ submitted: 1250, bounced: 0, complained: 1 }, null],
  [{ submitted: 1249, bounced: 0, complained: 1 }, '1 of 1249 emails were marked as spam, 0.08 %'],
  [{ submitted: 0, bounced: 0, complained: 0 }, null],
])('%j: %s', (harm, reason) => {
  if (reason === null) expect(breakerReason(harm, LIMITS)).toBeNull()
  else expect(breakerReason(harm, LIMITS)).toContain(reason)
})

test('the limits can be set', () => {
  const strict = { BREAKER_BOUNCE_PERCENT: 0, BREAKER_COMPLAINT_PERCENT: 100, BREAKER_MIN_SUBMITTED: 1 }
  expect(breakerReason({ submitted: 10, bounced: 1, complained: 10 }, strict)).toContain(
    'BREAKER_BOUNCE_PERCENT is 0',
  )
  expect(breakerReason({ submitted: 10, bounced: 0, complained: 10 }, strict)).toBeNull()
})
