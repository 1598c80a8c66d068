import { setTimeout as wait } from 'node:timers/promises'

const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const

/** How long current work may take to finish. */
const FINISH_WITHIN_MS = 30_000

/**
 * From now on, the first SIGINT or SIGTERM aborts the returned signal and calls `announce`. The second one ends the
 * process at once, with exit code 130 or 143 as shells expect. The ledger is safe either way.
 */
export function stopSignal(announce: () => void): AbortSignal {
  const stop = new AbortController()
  for (const [name, number] of Object.entries(NUMBERS))
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(128 + number)
      stop.abort()
      announce()
    })
  return stop.signal
}

/** Resolves when the signal aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
}

/** True if all `work` finishes within 30 s. False otherwise; the work is then left running. */
export async function finishes(work: readonly Promise<void>[]): Promise<boolean> {
  const late = wait(FINISH_WITHIN_MS, false, { ref: false })
  return Promise.race([Promise.all(work).then(() => true), late])
}
