import type { FastifyInstance } from 'fastify'
import type { App } from '../app.ts'
import { offersAt } from '../core/content.ts'
import { atomFeed } from '../core/feed.ts'
import type { DatedSession } from '../core/ics.ts'
import { openDatedSessions } from '../db/sessions.ts'
import { sendFresh } from './fresh.ts'
import { inWords } from './times-list.ts'

type Needs = Pick<App, 'config' | 'db' | 'now'>

const ENTRIES = 50

/** `/feed.xml`: the sessions that can be booked, the latest news first, one entry each. */
export function addFeed(server: FastifyInstance, app: Needs): void {
  server.get('/feed.xml', async (request, reply) => {
    const sessions = await openDatedSessions(app.db, app.now())
    const entries = entriesFor(app, sessions).slice(0, ENTRIES)
    const { practice, PUBLIC_URL: publicUrl } = app.config
    const updated = entries[0]?.updated ?? new Date(0)
    const text = atomFeed({ practice, publicUrl, updated, entries })
    return sendFresh(request, reply.type('application/atom+xml; charset=utf-8'), text)
  })
}

function entriesFor({ config, now }: Needs, sessions: readonly DatedSession[]) {
  const byId = new Map(sessions.map((session) => [session.id, session]))
  const { topics } = inWords(config, offersAt(sessions, now()), config.DIGEST_TIME_ZONE)
  return topics
    .flatMap(({ name, sessions: views }) =>
      views.map((view) => ({
        sessionId: view.id,
        title: `${view.label}: ${view.group}`,
        topic: name,
        text: `${view.when}. ${view.kind} with ${view.therapist}, ${view.length}.`,
        url: `${config.PUBLIC_URL}/sessions?topic=${byId.get(view.id)?.topicSlug}#session-${view.id}`,
        updated: new Date(byId.get(view.id)?.newsAt ?? 0),
      })),
    )
    .sort((a, b) => b.updated.getTime() - a.updated.getTime() || b.sessionId - a.sessionId)
}
