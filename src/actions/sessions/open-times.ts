import type { App } from '../../app.ts'
import type { DatedSession } from '../../core/sessions/ics.ts'
import { type Offer, offersAt } from '../../core/sessions/offers.ts'
import { allTopics, openDatedSessions, sessionsVersion, type Topic } from '../../db/sessions/sessions.ts'
import type { Store } from '../../db/store.ts'
import { settleSeatsBriefly } from './seats.ts'

/** What the public pages show: sessions by id, the offers that can be booked now, soonest first, and topics by name. */
export type OpenTimes = {
  sessions: readonly DatedSession[]
  offers: readonly Offer[]
  topics: readonly Topic[]
  /** When it was read. */
  at: Date
  /** Changes with what is shown. */
  version: string
}

/**
 * Reads the public times once per change and minute (sessions start at whole minutes), instead of for each visitor. Nothing
 * in it depends on the visitor.
 */
export async function openTimes({ store, now }: Pick<App, 'store' | 'now'>): Promise<OpenTimes> {
  const at = now()
  await settleSeatsBriefly({ store, now })
  // Read before the data, so that a change in between is read again.
  const version = `${await sessionsVersion(store)} ${Math.floor(at.getTime() / 60_000)}`
  const kept = lastRead.get(store)
  if (kept?.version === version) return kept
  const sessions = await openDatedSessions(store, at)
  const read = { at, version, sessions, offers: offersAt(sessions, at), topics: await allTopics(store) }
  lastRead.set(store, read)
  return read
}

const lastRead = new WeakMap<Store, OpenTimes>()
