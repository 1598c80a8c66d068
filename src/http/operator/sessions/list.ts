import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { actingAs } from '../../../actions/operators/acting.ts'
import { type Agenda, type AgendaRow, agenda } from '../../../actions/sessions/agenda.ts'
import type { App } from '../../../app.ts'
import { type AgendaFilter, agendaStatus, STATUSES } from '../../../core/sessions/agenda.ts'
import { languageNamed } from '../../../core/words/language-name.ts'
import { allTopics, type Topic } from '../../../db/sessions/sessions.ts'
import { optionsOf } from './fields.ts'
import { seatsView } from './seats.ts'
import { editionView, startView } from './times.ts'

type Words = FastifyReply['words']

/** Adds `/sessions`: every session by its next date, with what was asked for in the URL. */
export function addSessionList(server: FastifyInstance, app: App): void {
  server.get('/sessions', { config: { may: 'sessions.see' } }, async (request, reply) => {
    const { filter, page } = askedIn(request)
    const topics = await allTopics(app.store)
    const found = await agenda(actingAs(app, request.actor), filter, page)
    const { words } = reply
    const here = urlOf(filter, found.page)
    return reply.show('sessions', {
      title: words.t('sessions.title'),
      rows: found.rows.map((row) => rowView(app, words, row, here)),
      leftOut: found.leftOut.map(({ id, externalId, field, message }) => ({
        id,
        externalId,
        field,
        message,
      })),
      filter: filterView(words, filter, topics, found),
      isNone: found.all === 0 && found.leftOut.length === 0,
      isNoneFound: found.all > 0 && found.found === 0,
      ofGroup: filter.group === null ? null : (found.rows[0]?.session.group ?? null),
      count: words.t('sessions.count', { found: found.found, all: found.all }),
      pager: pagerView(words, filter, found),
    })
  })
}

function askedIn({ query }: FastifyRequest): { filter: AgendaFilter; page: number } {
  const asked = query as Record<string, unknown>
  const text = (name: string) => (typeof asked[name] === 'string' ? asked[name].trim().slice(0, 100) : '')
  const status = STATUSES.find((one) => one === text('status')) ?? 'coming'
  const group = /^\d{1,15}$/.test(text('group')) ? Number(text('group')) : null
  const filter = {
    topic: text('topic') || null,
    language: text('language') || null,
    status,
    group,
    text: text('q'),
  }
  return { filter, page: Number.parseInt(text('page'), 10) || 1 }
}

/** The URL of a page of the list; what is not asked for is not in it. */
function urlOf({ topic, language, status, group, text }: AgendaFilter, page: number): string {
  const query = new URLSearchParams({
    ...(text !== '' && { q: text }),
    ...(topic !== null && { topic }),
    ...(status !== 'coming' && { status }),
    ...(language !== null && { language }),
    ...(group !== null && { group: String(group) }),
    ...(page > 1 && { page: String(page) }),
  })
  return query.size === 0 ? '/sessions' : `/sessions?${query.toString()}`
}

function filterView(words: Words, filter: AgendaFilter, topics: readonly Topic[], { languages }: Agenda) {
  const { t, locale } = words
  const all = ['', t('sessions.filter.all')] as const
  const named = languages
    .map((language) => [language, languageNamed(language, locale)] as const)
    .sort(([, one], [, other]) => (one < other ? -1 : 1))
  return {
    text: filter.text,
    group: filter.group,
    topics: optionsOf([all, ...topics.map(({ slug, name }) => [slug, name] as const)], filter.topic ?? ''),
    statuses: optionsOf(
      STATUSES.map((status) => [status, t(`sessions.filter.${status}`)] as const),
      filter.status,
    ),
    languages: named.length > 1 ? optionsOf([all, ...named], filter.language ?? '') : null,
    isOn: urlOf(filter, 1) !== '/sessions',
  }
}

function rowView(app: App, words: Words, { session, next, waiting, shownIn }: AgendaRow, here: string) {
  const { t } = words
  const status = agendaStatus({ session, next })
  const now = app.now()
  return {
    ...{ id: session.id, group: session.group, therapist: session.therapist, topic: session.topicName },
    start: next && startView(words, next.at, session.timeZone, app.config.DIGEST_TIME_ZONE, now),
    rhythm: t(session.repeats === 'weekly' ? 'sessions.weekly' : 'sessions.once'),
    status: t(`sessions.status.${status}`),
    isQuiet: status !== 'open',
    seats: seatsView(words, session, waiting, { back: `${here}#s${session.id}`, now }),
    uncounted: session.status === 'cancelled' ? '' : t('sessions.seats.uncounted'),
    shown: editionView(words, shownIn, now),
  }
}

function pagerView({ t }: Words, filter: AgendaFilter, { page, pages }: Agenda) {
  if (pages === 1) return null
  return {
    before: page > 1 ? urlOf(filter, page - 1) : null,
    after: page < pages ? urlOf(filter, page + 1) : null,
    where: t('sessions.pager', { page, pages }),
  }
}
