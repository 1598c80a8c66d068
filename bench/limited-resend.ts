import { startResendStandIn } from '../src/dev/resend-stand-in.ts'

/** Milliseconds since the epoch, for each mail accepted and each request that was one too many. */
export type SeenByLimited = { accepted: number[]; refused: number[] }

/** The strict stand-in at ten requests a second. Asked by any message, it tells what it has seen. */
async function startLimitedResend(): Promise<void> {
  const options = { requestsPerSecond: 10, apiKey: 're_bench', keepBodies: false }
  const { url, accepted, requests } = await startResendStandIn(options)
  const refused: number[] = []
  let requestsRead = 0

  // A request has no time of its own; looked at so often, it is known to a twentieth of a second.
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
