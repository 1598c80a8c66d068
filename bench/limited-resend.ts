import { startResendStandIn } from '../test/resend/stand-in.ts'

/** Milliseconds since the epoch, for each accepted email and each rate-limited request. */
export type SeenByLimited = { accepted: number[]; refused: number[] }

/** Runs the strict stand-in at ten requests a second. Replies to any message with what it has seen. */
async function startLimitedResend(): Promise<void> {
  const options = { requestsPerSecond: 10, apiKey: 're_bench', keepBodies: false }
  const { url, accepted, requests } = await startResendStandIn(options)
  const refused: number[] = []
  let requestsRead = 0

  // Requests have no timestamp. Polling every 50 ms is accurate enough.
  setInterval(() => {
    while (requestsRead < requests.length && requests[requestsRead]?.status !== null)
      if (requests[requestsRead++]?.status === 429) refused.push(Date.now())
  }, 50)
  process.on('message', () => {
    const seen: SeenByLimited = {
      accepted: accepted.map(({ at }) => at),
      refused,
    }
    process.send?.(seen)
  })
  process.once('disconnect', () => process.exit())
  process.send?.({ url })
}

if (import.meta.main) await startLimitedResend()
