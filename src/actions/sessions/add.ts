import type { Installation } from '../../app.ts'
import type { SessionRow } from '../../core/intake/records.ts'
import type { Session } from '../../core/sessions/offers.ts'
import { applyNewSession } from '../../db/imports/new-session.ts'
import { stageSessions, stagingForSessions } from '../../db/imports/sessions.ts'
import { closeStaging } from '../../db/imports/staging.ts'
import { findSessionNamed } from '../../db/sessions/sessions.ts'

/** Adds one checked session, as an import would. Null if its external id exists; then nothing is changed. */
export async function addSession(
  { store, now }: Pick<Installation, 'store' | 'now'>,
  row: SessionRow,
): Promise<Session | null> {
  const staging = await stagingForSessions(store)
  try {
    await stageSessions(staging, [{ line: 1, row }])
    if (!(await applyNewSession(staging, now()))) return null
  } finally {
    await closeStaging(staging)
  }
  return findSessionNamed(store, row.externalId)
}
