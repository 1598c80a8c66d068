import type { FastifyInstance } from 'fastify'
import { type OpenTimes, openTimes } from '../../../actions/sessions/open-times.ts'
import type { App } from '../../../app.ts'
import { atomFeed } from '../../../core/sessions/feed.ts'
import { type Translator, translatorFor } from '../../../core/words/words.ts'
import { sendFresh } from '../fresh.ts'
import { inWords } from './list.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'templates'>

const ENTRIES = 50

/** `/feed.xml`: one entry for each session that can be booked, latest news first, in the language of LOCALE. */
export function addFeed(server: FastifyInstance, app: Needs): void {
  const translator = translatorFor(app.templates.words, app.config.LOCALE)
  const written = new WeakMap<OpenTimes, string>()
  server.get('/feed.xml', async (request, reply) => {
    const times = await openTimes(app)
    const text = written.get(times) ?? feedOf(app, times, translator)
    written.set(times, text)
    return sendFresh(request, reply.type('application/atom+xml; charset=utf-8'), text)
  })
}

function feedOf(app: Needs, times: OpenTimes, translator: Translator): string {
  const entries = entriesFor(app, times, translator)
  const { practice, PUBLIC_URL: publicUrl } = app.config
  return atomFeed({ practice, publicUrl, updated: entries[0]?.updated ?? new Date(0), entries }, translator)
}

function entriesFor({ config, now }: Needs, { sessions, offers }: OpenTimes, translator: Translator) {
  const { t } = translator
  const byId = new Map(sessions.map((session) => [session.id, session]))
  const newsAt = (id: number) => byId.get(id)?.newsAt ?? 0
  const newest = offers.toSorted((a, b) => newsAt(b.id) - newsAt(a.id) || b.id - a.id).slice(0, ENTRIES)
  const { topics } = inWords(config, newest, { translator, timeZone: config.DIGEST_TIME_ZONE, now: now() })
  return topics
    .flatMap(({ name, sessions: views }) =>
      views.map(({ id, label, group, when, kind, therapist, minutes }) => ({
        sessionId: id,
        title: `${label}: ${group}`,
        topic: name,
        text: `${when}. ${t('session.about', { kind, therapist, minutes })}.`,
        url: `${config.PUBLIC_URL}/sessions?topic=${byId.get(id)?.topicSlug}#session-${id}`,
        updated: new Date(newsAt(id)),
      })),
    )
    .sort((a, b) => b.updated.getTime() - a.updated.getTime() || b.sessionId - a.sessionId)
}
