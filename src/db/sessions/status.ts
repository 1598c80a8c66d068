import type { Session } from '../../core/sessions/offers.ts'
import { audit } from '../audit.ts'
import { and, eq, sql } from '../drizzle.ts'
import { seatChanges, sessions } from '../schema/sessions.ts'
import type { Store } from '../store.ts'

/** What an operator changes of a session. Without `seatsLeft`, the number of seats left stays. */
export type StatusChange = { status: Session['status']; seatsLeft?: number | undefined }

/**
 * Changes the status of a session, and records who did. False if it was so already, or is gone. Triggers see whether it is
 * news. A number of seats replaces those that wait to be counted.
 */
export async function setSessionStatus(
  store: Store,
  id: number,
  { status, seatsLeft }: StatusChange,
  now: Date,
): Promise<boolean> {
  const change = { status, ...(seatsLeft !== undefined && { seatsLeft }) }
  const seats =
    seatsLeft === undefined ? sql`false` : sql`${sessions.seatsLeft} is distinct from ${seatsLeft}`
  const differs = sql`(${sessions.status} <> ${status} or ${seats})`
  return store.write(async (tx) => {
    const changed = await tx
      .update(sessions)
      .set(change)
      .where(and(eq(sessions.id, id), differs))
      .run()
    if (seatsLeft !== undefined) await tx.delete(seatChanges).where(eq(seatChanges.sessionId, id)).run()
    if (changed.changes === 1) await audit(tx, now, { action: `session ${status}`, subject: String(id) })
    return changed.changes === 1
  })
}
