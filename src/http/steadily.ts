import { setTimeout } from 'node:timers/promises'

/**
 * Does `work` and gives what came of it at a fixed moment: `everyMs` after it was asked for, or as many times that as the work
 * took. So the time of an answer does not tell what was found. 0: at once.
 */
export async function steadily<Result>(everyMs: number, work: () => Promise<Result>): Promise<Result> {
  const begun = performance.now()
  try {
    return await work()
  } finally {
    if (everyMs > 0) await setTimeout(everyMs - ((performance.now() - begun) % everyMs))
  }
}
