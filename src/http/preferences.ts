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
import type { Problem } from '../core/fields.ts'
import { readToken } from '../core/tokens.ts'
import { findByPublicId, type Subscriber } from '../db/subscribers.ts'
import { basePath } from './pages.ts'
import { type Form, preferencesPage, textOf } from './preferences-page.ts'

type Needs = Pick<App, 'config' | 'db' | 'hashKey' | 'log' | 'now'> & {
  queue: Pick<App['queue'], 'wakeNotices'>
}
type WithToken = { Params: { token: string }; Querystring: { saved?: string }; Body: Form | undefined }
type Outcome = { kind: string; problems?: Problem[] }

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
    const subscriber = await readerOf(app, request)
    if (subscriber === null) return unknownLink(reply)
    return reply.view('preferences.hbs', await preferencesPage(app, subscriber, { saved: savedIn(request) }))
  })

  /** One form of the page: does it, then shows the page with what was done or what to mend. */
  const form = (path: string, saved: string, act: (publicId: string, form: Form) => Promise<Outcome>) =>
    server.post<WithToken>(`/preferences/:token${path}`, async (request, reply) => {
      const subscriber = await readerOf(app, request)
      if (subscriber === null) return unknownLink(reply)
      const typed = { ...request.body }
      const { kind, problems } = await act(subscriber.publicId, typed)
      app.log.info({ outcome: kind }, `preferences: ${saved}`)
      if (kind === 'not-subscribed') return backTo(app, request, reply, '')
      if (kind === 'too-many') return backTo(app, request, reply, '?saved=too-many')
      if (!problems) return backTo(app, request, reply, `?saved=${saved}`)
      const page = await preferencesPage(app, subscriber, { form: saved, typed, problems })
      return reply.code(422).view('preferences.hbs', page)
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
    const subscriber = await readerOf(app, request)
    const exported = subscriber && (await exportSubscriber(app, subscriber.email))
    if (exported?.kind !== 'found') return unknownLink(reply)
    return reply
      .header('content-disposition', 'attachment; filename="my-data.json"')
      .type('application/json; charset=utf-8')
      .send(`${JSON.stringify(exported.record, null, 2)}\n`)
  })

  server.get<WithToken>('/preferences/:token/forget', async (request, reply) => {
    if ((await readerOf(app, request)) === null) return unknownLink(reply)
    return reply.view('forget.hbs', { title: 'Forget me', preferences: pageOf(app, request) })
  })

  server.post<WithToken>('/preferences/:token/forget', async (request, reply) => {
    const subscriber = await readerOf(app, request)
    if (subscriber === null) return unknownLink(reply)
    const { kind } = await forgetReader(app, subscriber.publicId)
    app.log.info({ outcome: kind }, 'forget me')
    return reply.view('forgotten.hbs', { title: 'You are forgotten' })
  })
}

function addAddressRoutes(server: FastifyInstance, app: Needs): void {
  server.get<WithToken>('/change-address/:token', async (request, reply) =>
    canConfirmAddress(app, request.params.token) === null
      ? reply.code(404).view('message.hbs', ADDRESS_ANSWERS.expired)
      : reply.view('change-address.hbs', { title: 'Use this address' }),
  )

  server.post<WithToken>('/change-address/:token', async (request, reply) => {
    const { kind } = await confirmAddressChange(app, request.params.token)
    app.log.info({ outcome: kind }, 'change of address')
    return reply.code(kind === 'expired' ? 404 : 200).view('message.hbs', ADDRESS_ANSWERS[kind])
  })
}

const ADDRESS_ANSWERS = {
  changed: {
    title: 'Your mail comes here now',
    text: 'From now on it goes to this address and no longer to the old one. Nothing else changed.',
  },
  taken: {
    title: 'This address was not changed',
    text: 'The new address already gets the mail, or cannot get it. Your mail goes where it went before.',
  },
  'not-subscribed': {
    title: 'This address was not changed',
    text: 'The subscription has ended, so there is no mail to send here.',
  },
  expired: {
    title: 'This link no longer works',
    text: 'It is good for seven days, and only the newest one counts. Your preferences can send another.',
  },
} as const

async function readerOf(
  { config, db }: Needs,
  request: FastifyRequest<WithToken>,
): Promise<Subscriber | null> {
  const publicId = readToken(config.LINK_SECRET, 'preferences', request.params.token)
  return publicId === null ? null : await findByPublicId(db, publicId)
}

/** The same for forged, unknown and forgotten ones. */
const unknownLink = (reply: FastifyReply) =>
  reply.code(404).view('no-preferences.hbs', { title: 'This link opens no preferences' })

const pageOf = ({ config }: Needs, { params }: FastifyRequest<WithToken>): string =>
  `${basePath(config)}/preferences/${encodeURIComponent(params.token)}`

const backTo = (app: Needs, request: FastifyRequest<WithToken>, reply: FastifyReply, query: string) =>
  reply.redirect(`${pageOf(app, request)}${query}`, 303)

const savedIn = ({ query }: FastifyRequest<WithToken>): string => textOf(query.saved)
