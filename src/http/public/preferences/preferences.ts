import formbody from '@fastify/formbody'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { openCalendar, revokeCalendar } from '../../../actions/subscribers/calendar.ts'
import {
  type FreshAsked,
  renewLinks,
  requestFreshLink,
  requestNewestLink,
} from '../../../actions/subscribers/fresh-links.ts'
import { endPause, pauseMail, savePreferences } from '../../../actions/subscribers/preferences.ts'
import type { App } from '../../../app.ts'
import type { FormError } from '../../../core/intake/fields.ts'
import { partOf } from '../../../core/intake/preferences.ts'
import { readToken } from '../../../core/tokens.ts'
import { findByFormerId } from '../../../db/people/links.ts'
import { findByPublicId, type Subscriber } from '../../../db/people/subscribers.ts'
import { registerScope } from '../../scope.ts'
import { serveFile } from '../../serve-file.ts'
import type { RequestLimiter } from '../join/limits.ts'
import { chosenBy, chosenLanguage, speakAs } from '../language.ts'
import { toPreferences, toTimes } from '../next.ts'
import { basePath } from '../pages.ts'
import { showRequested } from './fresh-links.ts'
import { type Form, type Just, masked, preferencesPage, textOf } from './page.ts'

type Needs = Pick<App, 'config' | 'store' | 'hashKey' | 'log' | 'now' | 'templates'> & {
  queue: Pick<App['queue'], 'wakeNotices'>
}
type WithToken = { Params: { token: string }; Querystring: { saved?: string }; Body: Form | undefined }
type Outcome = { kind: string; errors?: FormError[] }

/**
 * The page of the preferences link in every email. GET and HEAD change nothing. A valid form is answered with a redirect to
 * the page, so that reloading repeats nothing; an invalid one, with the page as it was filled in.
 */
export async function addPreferencesRoutes(
  server: FastifyInstance,
  app: Needs,
  limit: RequestLimiter,
): Promise<void> {
  await registerScope(server, 'preferences', async (forms) => {
    await forms.register(formbody)
    const script = serveFile(
      forms,
      'copy.js',
      app.templates.files['copy.js'],
      'text/javascript; charset=utf-8',
    )
    addPageRoutes(forms, app, basePath(app.config) + script)
    addRequests(forms, app, limit)
  })
}

function addPageRoutes(server: FastifyInstance, app: Needs, copyScript: string): void {
  const show = async (reply: FastifyReply, subscriber: Subscriber, just: Just) => {
    const page = await preferencesPage(app, subscriber, just, reply.translator)
    return withScript(reply, page.calendar !== null).view('preferences', { ...page, copyScript })
  }

  server.get<WithToken>('/preferences/:token', async (request, reply) => {
    const subscriber = await readerOf(app, request, reply)
    if (subscriber === null) return unknownLink(app, request, reply)
    return show(reply, subscriber, { saved: savedIn(request) })
  })

  /** One form of the page: applies it, then shows the page with the result or the errors. */
  const form = (path: string, saved: string, act: (publicId: string, form: Form) => Promise<Outcome>) =>
    server.post<WithToken>(`/preferences/:token${path}`, async (request, reply) => {
      const subscriber = await readerOf(app, request, reply)
      if (subscriber === null) return unknownLink(app, request, reply)
      const typed = { ...request.body }
      const { kind, errors } = await act(subscriber.publicId, typed)
      app.log.info({ outcome: kind }, `preferences: ${saved}`)
      if (kind === 'not-subscribed') return backTo(app, request, reply, {})
      if (!errors) return backTo(app, request, reply, { saved: partOf(typed) ?? saved })
      return show(reply.code(422), subscriber, { form: saved, typed, errors })
    })

  form('', 'preferences', (publicId, typed) => savePreferences(app, publicId, typed))
  form('/pause', 'pause', (publicId, { weeks, until }) =>
    pauseMail(app, publicId, weeks === undefined ? { date: textOf(until) } : { weeks: textOf(weeks) }),
  )
  form('/pause/end', 'resumed', (publicId) => endPause(app, publicId))
  form('/calendar', 'calendar', (publicId) => openCalendar(app, publicId))
  form('/calendar/replace', 'calendar-replaced', async (publicId) => {
    await revokeCalendar(app, publicId)
    return openCalendar(app, publicId)
  })
  form('/calendar/remove', 'calendar-removed', async (publicId) => {
    await revokeCalendar(app, publicId)
    return { kind: 'removed' }
  })
}

/** Actions for which the link in an edition is not enough. They need a fresh link, which is emailed to the address on record. */
function addRequests(server: FastifyInstance, app: Needs, limit: RequestLimiter): void {
  const request = (
    path: string,
    act: (publicId: string, nth: number) => Promise<FreshAsked>,
    sent: 'sent' | 'renewed',
  ) =>
    server.post<WithToken>(`/preferences/:token${path}`, async (request, reply) => {
      const subscriber = await readerOf(app, request, reply)
      if (subscriber === null) return unknownLink(app, request, reply)
      const allowed = await limit(request)
      const { kind } = allowed.kind === 'ok' ? await act(subscriber.publicId, allowed.nth) : allowed
      app.log.info({ outcome: kind }, `preferences: asked for ${path.slice(1)}`)
      const said = kind === 'sent' ? sent : kind
      // Renewed links only go to the inbox.
      const next = said === 'renewed' ? toTimes(app, reply) : toPreferences(app, reply, subscriber.publicId)
      return showRequested(reply, said, { address: masked(subscriber.email), next })
    })
  request('/data', (publicId, nth) => requestFreshLink(app, publicId, 'fresh-data', nth), 'sent')
  request('/forget', (publicId, nth) => requestFreshLink(app, publicId, 'fresh-forget', nth), 'sent')
  request('/address', (publicId, nth) => requestFreshLink(app, publicId, 'fresh-address', nth), 'sent')
  request('/links', (publicId, nth) => renewLinks(app, publicId, nth), 'renewed')

  // Bookmarks from before there were fresh links.
  for (const path of ['/data.json', '/forget'])
    server.get<WithToken>(`/preferences/:token${path}`, async (request, reply) => {
      if ((await readerOf(app, request, reply)) === null) return unknownLink(app, request, reply)
      return reply.redirect(
        `${pageOf(app, request)}${chosenLanguage(request, app.templates.words)}#data`,
        303,
      )
    })

  server.post<WithToken>('/preferences/:token/newest', async (request, reply) => {
    const former = formerIdIn(app, request)
    if (former === null) return unknownLink(app, request, reply)
    const allowed = await limit(request)
    const { kind } = allowed.kind === 'ok' ? await requestNewestLink(app, former, allowed.nth) : allowed
    app.log.info({ outcome: kind }, 'preferences: asked for the newest link')
    if (kind === 'unknown-link') return unknownLink(app, request, reply)
    const next = toTimes(app, reply)
    return showRequested(reply, kind === 'sent' ? 'newest' : kind, { address: '', next })
  })
}

/** The subscriber of the page, which is answered in their language. */
async function readerOf(
  { config, store, templates }: Needs,
  request: FastifyRequest<WithToken>,
  reply: FastifyReply,
): Promise<Subscriber | null> {
  const publicId = readToken(config.LINK_SECRET, 'preferences', request.params.token)
  const reader = publicId === null ? null : await findByPublicId(store, publicId)
  if (reader) speakAs(reply, templates.words, reader.locale)
  return reader
}

/**
 * The same answer for forged, unknown, and erased ones. A link from before a renewal opens nothing either; it offers to email
 * the newest link to the address on record.
 */
async function unknownLink(app: Needs, request: FastifyRequest<WithToken>, reply: FastifyReply) {
  const former = formerIdIn(app, request)
  const renewed = former !== null && (await findByFormerId(app.store, former)) !== null
  if (renewed) {
    const newest = `${pageOf(app, request)}/newest`
    return reply
      .code(410)
      .view('replaced-link', { title: reply.translator.t('page.replacedLink.title'), newest })
  }
  return reply.code(404).view('no-preferences', { title: reply.translator.t('page.noPreferences.title') })
}

const formerIdIn = ({ config }: Needs, { params }: FastifyRequest<WithToken>): string | null =>
  readToken(config.LINK_SECRET, 'preferences', params.token)

const pageOf = ({ config }: Needs, { params }: FastifyRequest<WithToken>): string =>
  `${basePath(config)}/preferences/${encodeURIComponent(params.token)}`

function backTo(
  app: Needs,
  request: FastifyRequest<WithToken>,
  reply: FastifyReply,
  said: { saved?: string },
) {
  // Once preferences are saved, the page uses the language in them.
  const { saved = '' } = said
  const lang = ['preferences', 'look'].includes(saved) ? null : chosenBy(request, app.templates.words)
  const query = new URLSearchParams({ ...said, ...(lang !== null && { lang }) }).toString()
  return reply.redirect(pageOf(app, request) + (query && `?${query}`) + (CARDS[saved] ?? ''), 303)
}

/** Where on the page it is said. */
const CARDS: Readonly<Record<string, string>> = {
  preferences: '#get',
  get: '#get',
  look: '#look',
  pause: '#pause',
  resumed: '#pause',
  calendar: '#calendar',
  'calendar-replaced': '#calendar',
  'calendar-removed': '#calendar',
}

/** The page of a reader with a private calendar runs a script of ours, which copies its link. */
function withScript(reply: FastifyReply, needed: boolean): FastifyReply {
  const policy = String(reply.getHeader('content-security-policy'))
  return needed ? reply.header('content-security-policy', `${policy};script-src 'self'`) : reply
}

const savedIn = ({ query }: FastifyRequest<WithToken>): string => textOf(query.saved)
