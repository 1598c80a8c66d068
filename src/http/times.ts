import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import type { App } from '../app.ts'
import { isTimeZone } from '../core/calendar.ts'
import { type Offer, offersAt, type Session } from '../core/content.ts'
import { formatOccurrence } from '../core/occurrences.ts'
import { standingOf } from '../core/told.ts'
import { findEdition, offersOfEdition, tallyOf } from '../db/editions.ts'
import { allTopics, openSessions, sessionsOfEdition } from '../db/sessions.ts'
import { basePath, serveFile } from './pages.ts'
import { type Listed, timesList } from './times-list.ts'

type Needs = Pick<App, 'config' | 'db' | 'now'>

/** The public pages of times: what can be reserved now, and what an edition told. */
export async function addTimesRoutes(server: FastifyInstance, app: Needs): Promise<void> {
  const script = await serveFile(server, 'zone.js', 'text/javascript; charset=utf-8')
  const zoneScript = basePath(app.config) + script
  const Query = z.object({
    tz: z.string().refine(isTimeZone).catch(app.config.DIGEST_TIME_ZONE),
    topic: z.union([z.string(), z.array(z.string())]).catch([]),
    page: z.coerce.number().int().min(1).catch(1),
  })

  server.get('/sessions', async (request, reply) => {
    const { topic, ...query } = Query.parse(request.query)
    return show(reply, { ...(await bookableTimes(app, query, [topic].flat())), zoneScript })
  })

  server.get<{ Params: { id: string } }>('/editions/:id', async (request, reply) => {
    const page = await toldTimes(app, request.params.id, Query.parse(request.query))
    return page === null ? reply.callNotFound() : show(reply, { ...page, zoneScript })
  })
}

type Query = { tz: string; page: number }

/** Search engines may list these pages; the one script they run is our own. */
function show(reply: FastifyReply, page: object): FastifyReply {
  const policy = `${String(reply.getHeader('content-security-policy'))};script-src 'self'`
  return reply.removeHeader('x-robots-tag').header('content-security-policy', policy).view('times.hbs', page)
}

async function bookableTimes(app: Needs, { tz, page }: Query, slugs: readonly string[]) {
  const now = app.now()
  const [{ sessions }, topics] = await Promise.all([openSessions(app.db, now), allTopics(app.db)])
  const offers = offersAt(sessions, now)
  const chosen = new Set(topics.filter(({ slug }) => slugs.includes(slug)))
  const chosenIds = new Set([...chosen].map(({ id }) => id))
  const shown = offers.filter(({ topicId }) => chosen.size === 0 || chosenIds.has(topicId))
  const offeredIds = new Set([...offers.map(({ topicId }) => topicId), ...chosenIds])
  const filters = topics.filter(({ id }) => offeredIds.has(id))
  const listed = shown.map((offer): Listed => ({ offer, standing: 'bookable' }))
  const asked = { path: '/sessions', tz, page, slugs: [...chosen].map(({ slug }) => slug) }
  const list = timesList(app.config, listed, asked)
  return {
    ...list,
    title: 'Group times',
    lead: `Every time that has a place free, shown in ${list.place} time.`,
    filters: filters.length > 1 ? filters.map((topic) => ({ ...topic, checked: chosen.has(topic) })) : [],
    filtered: chosen.size > 0,
    nothing:
      chosen.size > 0
        ? 'No time in these topics has a place free right now. New ones are added all week.'
        : 'No time has a place free right now. New ones are added all week, so please look again soon.',
    others: shown.length < offers.length && shown.length === 0,
  }
}

/** What the edition told of, whoever got it. Null: there is no such edition, or nobody can have got it yet. */
async function toldTimes(app: Needs, id: string, { tz, page }: Query) {
  const now = app.now()
  const edition = await findEdition(app.db, id)
  if (edition === null || edition.plannedAt === null || edition.scheduledFor > now.getTime()) return null
  if (edition.state === 'cancelled' && (await tallyOf(app.db, id)).submitted === 0) return null
  const [offers, sessions] = await Promise.all([offersOfEdition(app.db, id), sessionsOfEdition(app.db, id)])
  const byId = new Map(sessions.map((session) => [session.id, session]))
  const listed = offers.map((offer) => asItStands(offer, byId.get(offer.id), now))
  const list = timesList(app.config, listed, { path: `/editions/${id}`, tz, page, slugs: [] })
  const { date } = formatOccurrence(new Date(edition.scheduledFor), app.config.DIGEST_TIME_ZONE, 'en')
  return {
    ...list,
    title: `Group times of ${date}, ${id.slice(0, 4)}`,
    lead: `The times that had a place free when we wrote that week, shown in ${list.place} time. What has changed since is marked.`,
    filters: [],
    filtered: false,
    nothing: 'No time had a place free that week.',
    others: false,
  }
}

/** Told as it was, save for what would mislead: where to reserve is looked up, and the places left are not counted. */
function asItStands(offer: Offer, session: Session | undefined, now: Date): Listed {
  const bookingUrl = session?.bookingUrl ?? offer.bookingUrl
  return { offer: { ...offer, bookingUrl, seatsLeft: null }, standing: standingOf(offer, session, now) }
}
