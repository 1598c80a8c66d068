import formbody from '@fastify/formbody'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  canConfirmAddress,
  confirmAddressChange,
  endPause,
  forgetReader,
  pauseMail,
  requestAddressChange,
  savePreferences,
} from '../actions/preferences.ts'
import { openCalendar, revokeCalendar } from '../actions/private-calendar.ts'
import { exportSubscriber } from '../actions/subscriber-records.ts'
import type { App } from '../app.ts'
import type { Mistake } from '../core/fields.ts'
import { readToken } from '../core/tokens.ts'
import { localeOfMover } from '../db/preferences.ts'
import { findByPublicId, type Subscriber } from '../db/subscribers.ts'
import { chosenBy, chosenLanguage, speakAs } from './language.ts'
import { basePath } from './pages.ts'
import { type Form, preferencesPage, textOf } from './preferences-page.ts'

type Needs = Pick<App, 'config' | 'db' | 'hashKey' | 'log' | 'now' | 'templates'> & {
  queue: Pick<App['queue'], 'wakeNotices'>
}
type WithToken = { Params: { token: string }; Querystring: { saved?: string }; Body: Form | undefined }
type Outcome = { kind: string; mistakes?: Mistake[] }

/**
 * What the preferences link of every mail opens. GET and HEAD change nothing. A form that was right is answered with
 * a redirect to the page, so that loading it anew repeats nothing; one that was not, with the page as it was filled.
 */
export async function addPreferencesRoutes(server: FastifyInstance, app: Needs): Promise<void> {
  await server.register(async (forms) => {
    await forms.register(formbody)
    addPageRoutes(forms, app)
    addDataRoutes(forms, app)
    addAddressRoutes(forms, app)
  })
}

function addPageRoutes(server: FastifyInstance, app: Needs): void {
  server.get<WithToken>('/preferences/:token', async (request, reply) => {
    const subscriber = await readerOf(app, request, reply)
    if (subscriber === null) return unknownLink(reply)
    const page = await preferencesPage(app, subscriber, { saved: savedIn(request) }, reply.voice)
    return reply.view('preferences', page)
  })

  /** One form of the page: does it, then shows the page with what was done or what to mend. */
  const form = (path: string, saved: string, act: (publicId: string, form: Form) => Promise<Outcome>) =>
    server.post<WithToken>(`/preferences/:token${path}`, async (request, reply) => {
      const subscriber = await readerOf(app, request, reply)
      if (subscriber === null) return unknownLink(reply)
      const typed = { ...request.body }
      const { kind, mistakes } = await act(subscriber.publicId, typed)
      app.log.info({ outcome: kind }, `preferences: ${saved}`)
      if (kind === 'not-subscribed') return backTo(app, request, reply, {})
      if (kind === 'too-many') return backTo(app, request, reply, { saved: 'too-many' })
      if (!mistakes) return backTo(app, request, reply, { saved })
      const page = await preferencesPage(app, subscriber, { form: saved, typed, mistakes }, reply.voice)
      return reply.code(422).view('preferences', page)
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
  form('/address', 'address', (publicId, { email }) => requestAddressChange(app, publicId, textOf(email)))
}

function addDataRoutes(server: FastifyInstance, app: Needs): void {
  server.get<WithToken>('/preferences/:token/data.json', async (request, reply) => {
    const subscriber = await readerOf(app, request, reply)
    const exported = subscriber && (await exportSubscriber(app, subscriber.email))
    if (exported?.kind !== 'found') return unknownLink(reply)
    return reply
      .header('content-disposition', 'attachment; filename="my-data.json"')
      .type('application/json; charset=utf-8')
      .send(`${JSON.stringify(exported.record, null, 2)}\n`)
  })

  server.get<WithToken>('/preferences/:token/forget', async (request, reply) => {
    if ((await readerOf(app, request, reply)) === null) return unknownLink(reply)
    const preferences = pageOf(app, request) + chosenLanguage(request, app.templates.words)
    return reply.view('forget', { title: reply.voice.say('page.forget.title'), preferences })
  })

  server.post<WithToken>('/preferences/:token/forget', async (request, reply) => {
    const subscriber = await readerOf(app, request, reply)
    if (subscriber === null) return unknownLink(reply)
    const { kind } = await forgetReader(app, subscriber.publicId)
    app.log.info({ outcome: kind }, 'forget me')
    return reply.view('forgotten', { title: reply.voice.say('page.forgotten.title') })
  })
}

function addAddressRoutes(server: FastifyInstance, app: Needs): void {
  server.get<WithToken>('/change-address/:token', async (request, reply) => {
    if ((await moverOf(app, request, reply)) === null) return answer(reply.code(404), 'expired')
    return reply.view('change-address', { title: reply.voice.say('page.address.title') })
  })

  server.post<WithToken>('/change-address/:token', async (request, reply) => {
    await moverOf(app, request, reply)
    const { kind } = await confirmAddressChange(app, request.params.token)
    app.log.info({ outcome: kind }, 'change of address')
    if (kind === 'expired') return answer(reply.code(404), kind)
    return answer(reply, kind === 'not-subscribed' ? 'ended' : kind)
  })
}

function answer(reply: FastifyReply, what: 'changed' | 'taken' | 'ended' | 'expired'): FastifyReply {
  const { say } = reply.voice
  return reply.view('message', {
    title: say(`page.address.${what}.title`),
    text: say(`page.address.${what}.text`),
  })
}

/** Whose page it is; it is answered in their language. */
async function readerOf(
  { config, db, templates }: Needs,
  request: FastifyRequest<WithToken>,
  reply: FastifyReply,
): Promise<Subscriber | null> {
  const publicId = readToken(config.LINK_SECRET, 'preferences', request.params.token)
  const reader = publicId === null ? null : await findByPublicId(db, publicId)
  if (reader) speakAs(reply, templates.words, reader.locale)
  return reader
}

/** The change of address that a link is for, or null when it is not ours or too old. */
async function moverOf(
  app: Needs,
  request: FastifyRequest<WithToken>,
  reply: FastifyReply,
): Promise<string | null> {
  const changeId = canConfirmAddress(app, request.params.token)
  const locale = changeId === null ? null : await localeOfMover(app.db, changeId)
  if (locale !== null) speakAs(reply, app.templates.words, locale)
  return changeId
}

/** The same for forged, unknown and forgotten ones. */
const unknownLink = (reply: FastifyReply) =>
  reply.code(404).view('no-preferences', { title: reply.voice.say('page.noPreferences.title') })

const pageOf = ({ config }: Needs, { params }: FastifyRequest<WithToken>): string =>
  `${basePath(config)}/preferences/${encodeURIComponent(params.token)}`

function backTo(
  app: Needs,
  request: FastifyRequest<WithToken>,
  reply: FastifyReply,
  said: { saved?: string },
) {
  // Once preferences are saved, the page speaks the language that was chosen with them.
  const lang = said.saved === 'preferences' ? null : chosenBy(request, app.templates.words)
  const query = new URLSearchParams({ ...said, ...(lang !== null && { lang }) }).toString()
  return reply.redirect(pageOf(app, request) + (query && `?${query}`), 303)
}

const savedIn = ({ query }: FastifyRequest<WithToken>): string => textOf(query.saved)
