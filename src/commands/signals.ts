import { setTimeout as wait } from 'node:timers/promises'

const NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const

/** How long what is in flight may take to finish. */
const FINISH_WITHIN_MS = 30_000

/**
 * From now on the first SIGINT or SIGTERM aborts the returned signal instead of the process, and calls `announce`; a
 * second one ends the process at once, with 130 or 143 as a shell expects. The ledger is safe either way.
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

/** True when all `work` is done in time; false when it is left as it is. */
export async function finishes(work: readonly Promise<void>[]): Promise<boolean> {
  const late = wait(FINISH_WITHIN_MS, false, { ref: false })
  return Promise.race([Promise.all(work).then(() => true), late])
}
