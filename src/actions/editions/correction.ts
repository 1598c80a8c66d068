import { correctionOf } from '../../core/sessions/correction.ts'
import { type Offer, thawed } from '../../core/sessions/offers.ts'
import { offersOfEdition } from '../../db/ledger/editions.ts'
import { lastCorrectedOffers } from '../../db/ledger/frozen-contents.ts'
import { findDatedSession } from '../../db/sessions/sessions.ts'
import type { Store } from '../../db/store.ts'

/** One session in one edition. `before` asks as it was before this generation; null is now. */
export type Corrected = { editionId: string; sessionId: number; before: number | null }

/**
 * A session as it is now, with what readers of an edition were last told of it: by its last correction, or by the edition. Null
 * if that is still right, or the session is gone.
 */
export async function correctionFor(store: Store, corrected: Corrected, now: Date): Promise<Offer | null> {
  const { editionId, sessionId } = corrected
  const content = await lastCorrectedOffers(store, corrected)
  const told = content === null ? [] : (JSON.parse(content) as Partial<Offer>[]).map(thawed)
  const shown = [...told, ...(await offersOfEdition(store, editionId))].find(({ id }) => id === sessionId)
  const session = await findDatedSession(store, sessionId)
  return shown && session ? correctionOf(shown, session, now) : null
}
