import type { Installation } from '../../app.ts'
import type { Practice } from '../../core/intake/new-session.ts'
import type { StartLimit } from '../../core/intake/records.ts'
import { knownSessions } from '../../db/sessions/listing.ts'
import { allTopics } from '../../db/sessions/sessions.ts'

/** What the rules for a session by hand need to know, with the names of topics by slug. */
export async function practiceOf(
  { store, config, now }: Pick<Installation, 'store' | 'config' | 'now'>,
  farAhead = false,
): Promise<Practice & { topicNames: ReadonlyMap<string, string> }> {
  const topics = await allTopics(store)
  return {
    sessions: await knownSessions(store),
    topics: new Set(topics.map(({ slug }) => slug)),
    topicNames: new Map(topics.map(({ slug, name }) => [slug, name])),
    zone: config.DIGEST_TIME_ZONE,
    limit: limitAt(now(), farAhead),
  }
}

/** Until when a session may start. */
export const limitAt = (now: Date, farAhead: boolean): StartLimit => ({
  today: now.toISOString().slice(0, 10),
  farAhead,
})
