import { setTimeout } from 'node:timers/promises'

/**
 * Runs `work` and returns its result after `everyMs`, or a multiple of it if the work takes longer. So the time of an answer
 * does not reveal what was found. With 0, at once.
 */
export async function steadily<Result>(everyMs: number, work: () => Promise<Result>): Promise<Result> {
  const begun = performance.now()
  try {
    return await work()
  } finally {
    if (everyMs > 0) await setTimeout(everyMs - ((performance.now() - begun) % everyMs))
  }
}
