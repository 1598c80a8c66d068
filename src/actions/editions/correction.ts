import { correctionOf } from '../../core/sessions/correction.ts'
import type { Offer } from '../../core/sessions/offers.ts'
import { offersOfEdition } from '../../db/ledger/editions.ts'
import { findDatedSession } from '../../db/sessions/sessions.ts'
import type { Store } from '../../db/store.ts'

/** A session as it is now, with what an edition said of it; null if that is still right, or the session is gone. */
export async function correctionFor(
  store: Store,
  editionId: string,
  sessionId: number,
  now: Date,
): Promise<Offer | null> {
  const shown = (await offersOfEdition(store, editionId)).find(({ id }) => id === sessionId)
  const session = await findDatedSession(store, sessionId)
  return shown && session ? correctionOf(shown, session, now) : null
}
