import { audit } from '../audit.ts'
import { sql } from '../drizzle.ts'
import { applySessions } from './sessions.ts'
import type { Staging } from './staging.ts'

/** Brings in the one staged session, as an import would. False if its external id exists; then nothing is written. */
export async function applyNewSession(staging: Staging, now: Date): Promise<boolean> {
  try {
    await applySessions(staging, {
      skipInvalid: false,
      last: async (tx, { added }, table) => {
        if (added === 0) throw new Known()
        const { id } = await tx.get<{ id: number }>(
          sql`select id from sessions where external_id = (select external_id from ${table})`,
        )
        await audit(tx, now, { action: 'session added', subject: String(id) })
      },
    })
    return true
  } catch (error) {
    if (error instanceof Known) return false
    throw error
  }
}

/** Thrown to undo the transaction. */
class Known extends Error {
  override name = 'Known'
}
