import { type Applied, applySessions } from './sessions.ts'
import type { Staging } from './staging.ts'

/** What `applySessions` would return. Writes nothing. */
export async function previewSessions(staging: Staging, options: { skipInvalid: boolean }): Promise<Applied> {
  try {
    return await applySessions(staging, {
      ...options,
      last: async (_, applied) => {
        throw new Undone(applied)
      },
    })
  } catch (error) {
    if (error instanceof Undone) return error.applied
    throw error
  }
}

/** Thrown to undo the transaction. */
class Undone extends Error {
  override name = 'Undone'
  applied: Applied

  constructor(applied: Applied) {
    super()
    this.applied = applied
  }
}
