import { isUnchanged } from '../../core/audience/news.ts'
import { type Offer, offersAt } from '../../core/sessions/offers.ts'
import { sessionsOfEdition } from '../../db/sessions/sessions.ts'
import type { Store } from '../../db/store.ts'

/** What an edition can still offer at `now`, soonest first: bookable, and unchanged since it was planned. */
export async function offersLeft(
  store: Store,
  edition: { id: string; throughSeq: number },
  now: Date,
): Promise<Offer[]> {
  const offers = offersAt(await sessionsOfEdition(store, edition.id), now)
  return offers.filter((offer) => isUnchanged(offer, edition.throughSeq))
}
