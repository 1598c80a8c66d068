import type { App } from '../../app.ts'
import type { DatedSession } from '../../core/sessions/ics.ts'
import { type Offer, offersAt } from '../../core/sessions/offers.ts'
import type { Db } from '../../db/open.ts'
import { allTopics, openDatedSessions, sessionsVersion, type Topic } from '../../db/sessions/sessions.ts'

/** What the public pages show: sessions in order of id, what of them can be booked now soonest first, topics by name. */
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
 * Read once per change and minute, since sessions begin at whole minutes: what everyone sees does not cost anew for each
 * visitor. Nothing in it depends on who asks.
 */
export async function openTimes({ db, now }: Pick<App, 'db' | 'now'>): Promise<OpenTimes> {
  const at = now()
  // Read first: what changes meanwhile is then read again.
  const version = `${await sessionsVersion(db)} ${Math.floor(at.getTime() / 60_000)}`
  const kept = lastRead.get(db)
  if (kept?.version === version) return kept
  const sessions = await openDatedSessions(db, at)
  const read = { at, version, sessions, offers: offersAt(sessions, at), topics: await allTopics(db) }
  lastRead.set(db, read)
  return read
}

const lastRead = new WeakMap<Db, OpenTimes>()
