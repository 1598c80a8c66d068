import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type OpenTimes, openTimes } from '../../../actions/sessions/open-times.ts'
import type { App } from '../../../app.ts'
import { offerStatus } from '../../../core/sessions/listed.ts'
import type { Offer, Session } from '../../../core/sessions/offers.ts'
import { canonicalZone } from '../../../core/time/zone-names.ts'
import { weighed } from '../../../core/weighed.ts'
import { crisisView } from '../../../core/words/crisis.ts'
import type { Translator } from '../../../core/words/words.ts'
import { findEdition, offersOfEdition, tallyOf } from '../../../db/ledger/editions.ts'
import { sessionsOfEdition } from '../../../db/sessions/sessions.ts'
import { serveFile } from '../../serve-file.ts'
import { keptPages } from '../kept-pages.ts'
import { chosenBy } from '../language.ts'
import { basePath } from '../pages.ts'
import { publicly } from '../publicly.ts'
import { filtered, languageWanted } from './filter.ts'
import { addGroupRoute } from './group.ts'
import { linkTo, timesList } from './list.ts'
import type { Listed } from './rows.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'templates'>

/** The public pages of times: what can be reserved now, and what an edition showed. */
export async function addTimesRoutes(server: FastifyInstance, app: Needs): Promise<void> {
  const { files, words } = app.templates
  const script = serveFile(server, 'zone.js', files['zone.js'], 'text/javascript; charset=utf-8')
  const zoneScript = basePath(app.config) + script
  const ownZone = app.config.DIGEST_TIME_ZONE
  const Query = z.object({
    tz: z.string().catch('').transform(canonicalZone),
    topic: z.union([z.string(), z.array(z.string())]).catch([]),
    language: z.string().catch('').transform(languageWanted),
    discreet: z.literal('1').optional().catch(undefined),
    zones: z.string().catch(''),
    page: z.coerce.number().int().min(1).catch(1),
  })

  const asked = (request: FastifyRequest, reply: FastifyReply) => {
    const { tz, zones, discreet, ...query } = Query.parse(request.query)
    return {
      ...query,
      tz: tz ?? ownZone,
      zoneOfVisitor: tz,
      everyZone: zones === 'all',
      discreet: discreet === '1',
      lang: chosenBy(request, words),
      translator: reply.translator,
    }
  }

  const kept = keptPages()
  server.get('/sessions', async (request, reply) => {
    const times = await openTimes(app)
    const write = () =>
      reply.written('times', { ...bookableTimes(app, times, asked(request, reply)), zoneScript })
    return publicly(reply).page(kept(times, { reply, write }))
  })

  addGroupRoute(server, app, { zoneScript, asked })

  server.get<{ Params: { id: string } }>('/editions/:id', async (request, reply) => {
    const page = await toldTimes(app, request.params.id, asked(request, reply))
    return page === null ? reply.callNotFound() : publicly(reply).view('times', { ...page, zoneScript })
  })
}

type Query = {
  tz: string
  /** Null if the URL names none that we know. */
  zoneOfVisitor: string | null
  everyZone: boolean
  page: number
  topic: string | string[]
  language: string | null
  /** Whether they came from a discreet email: then the times they save are discreet events. */
  discreet: boolean
  lang: string | null
  translator: Translator
}

/** Where to turn in a crisis, in the country of the visitor's zone, comes before a list: it may be what they look for. */
const crisisFor = ({ config }: Needs, { zoneOfVisitor, translator }: Omit<Query, 'topic'>) => ({
  crisisFirst: true,
  crisis: crisisView(config.CRISIS_LINE, zoneOfVisitor, translator),
})

function bookableTimes(app: Needs, times: OpenTimes, { topic, ...query }: Query) {
  const { t } = query.translator
  const { shown, topics, languages, slugs, language } = filtered(times, { ...query, topic }, query.translator)
  const narrowed = slugs.length > 0 || language !== null
  const listed = shown.map((offer): Listed => ({ offer, status: 'bookable' }))
  const asked = { ...query, path: '/sessions', slugs }
  const list = timesList(app.config, listed, asked, app.now())
  const to = (change: Partial<typeof asked>) => linkTo(app.config, { ...asked, page: 1, ...change })
  const toggled = (slug: string) =>
    slugs.includes(slug) ? slugs.filter((one) => one !== slug) : [...slugs, slug]
  return {
    ...list,
    ...crisisFor(app, query),
    title: t('page.times.title'),
    lead: shown.length > 0 ? t('page.times.lead') : null,
    filters: topics.map((one) => ({ ...one, url: to({ slugs: toggled(one.slug) }) })),
    chosen: slugs.map((slug) => ({ slug })),
    allTopics: to({ slugs: [] }),
    filtered: slugs.length > 0,
    groupLanguages: languages.map((one) => ({
      ...one,
      url: to({ language: one.checked ? null : one.language }),
    })),
    offer: true,
    ending: list.days.length > 0,
    told: false,
    nothing: t(narrowed ? 'page.times.nothing.topics' : 'page.times.nothing'),
    others: shown.length < times.offers.length && shown.length === 0,
  }
}

/** Everything the edition offered, to any reader. Null if there is no such edition, or no one can have got it yet. */
async function toldTimes(app: Needs, id: string, query: Query) {
  const { t, locale } = query.translator
  const now = app.now()
  const edition = await findEdition(app.store, id)
  if (edition === null || edition.plannedAt === null || edition.scheduledFor > now.getTime()) return null
  if (edition.state === 'cancelled' && (await tallyOf(app.store, id)).submitted === 0) return null
  const [offers, sessions] = await Promise.all([
    offersOfEdition(app.store, id),
    sessionsOfEdition(app.store, id),
  ])
  const byId = new Map(sessions.map((session) => [session.id, session]))
  const listed = offers.map((offer) => withStatus(offer, byId.get(offer.id), now))
  const list = timesList(
    app.config,
    listed,
    { ...query, path: `/editions/${id}`, slugs: [], language: null },
    now,
  )
  // The slot's own date, which the id is.
  const day = weighed(new Intl.DateTimeFormat(locale, { timeZone: 'UTC', dateStyle: 'long' }))
  return {
    ...list,
    ...crisisFor(app, query),
    title: t('page.edition.title', { date: day.format(new Date(id)) }),
    lead: t('page.edition.lead'),
    filters: [],
    chosen: [],
    allTopics: '',
    filtered: false,
    groupLanguages: [],
    offer: false,
    ending: false,
    told: !query.everyZone,
    nothing: t('page.edition.nothing'),
    others: false,
  }
}

/** Shown as it was, except for what would mislead: the booking link is the current one, and free spots are not shown. */
function withStatus(offer: Offer, session: Session | undefined, now: Date): Listed {
  const bookingUrl = session?.bookingUrl ?? offer.bookingUrl
  return { offer: { ...offer, bookingUrl, seatsLeft: null }, status: offerStatus(offer, session, now) }
}
