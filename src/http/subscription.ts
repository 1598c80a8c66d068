import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Resubscribed, resubscribe, unsubscribe } from '../actions/consent.ts'
import { goMonthly, type Paused, pauseMail } from '../actions/preferences.ts'
import type { App } from '../app.ts'
import { readToken } from '../core/tokens.ts'
import { basePath } from './pages.ts'

type Needs = Pick<App, 'config' | 'db' | 'log' | 'now'>
type WithToken = { Params: { token: string } }

/**
 * What the links in a mail open. Only POST changes anything: scanners open every link, and some run scripts
 * (RFC 8058 wants POST to need no cookie and never to redirect). Forged, unknown and repeated tokens are answered
 * like any other, so a link tells nobody who is on the list.
 */
export function addSubscriptionRoutes(server: FastifyInstance, app: Needs): void {
  // A link that was cut off right before its token would match with an empty one.
  for (const url of ['/unsubscribe/', '/preferences/'])
    server.route({ method: ['GET', 'POST'], url, handler: (_request, reply) => reply.callNotFound() })

  // Offers the same to every token, without looking anyone up.
  server.get<WithToken>('/unsubscribe/:token', (request, reply) =>
    reply.view('unsubscribe.hbs', { title: 'Unsubscribe', self: unsubscribeUrl(app, request.params.token) }),
  )

  server.post<WithToken>('/unsubscribe/:token', async (request, reply) => {
    const publicId = subscriberIn(app, request)
    const outcome = publicId === null ? 'bad-token' : (await unsubscribe(app, publicId)).kind
    app.log.info({ outcome }, 'unsubscribe')
    const undo = undoUrl(app, request.params.token)
    return reply.view('unsubscribed.hbs', { title: 'You are unsubscribed', undo })
  })

  server.post<WithToken>('/unsubscribe/:token/undo', async (request, reply) => {
    const publicId = subscriberIn(app, request)
    const outcome = publicId === null ? 'bad-token' : (await resubscribe(app, publicId)).kind
    app.log.info({ outcome }, 'resubscribe')
    return reply.view('message.hbs', afterUndo(app, outcome))
  })

  /** Less mail in place of none. Without a body, as one click: its page offers one pause, the preferences any. */
  const instead = (path: string, act: (publicId: string) => Promise<Paused | Monthly>) =>
    server.post<WithToken>(`/unsubscribe/:token${path}`, async (request, reply) => {
      const publicId = subscriberIn(app, request)
      const outcome = publicId === null ? NO_ONE : await act(publicId)
      app.log.info({ outcome: outcome.kind }, 'less instead of unsubscribing')
      return reply.view('message.hbs', afterLess(outcome))
    })
  instead('/pause', (publicId) => pauseMail(app, publicId, { weeks: '4' }))
  instead('/monthly', (publicId) => goMonthly(app, publicId))
}

type Monthly = Awaited<ReturnType<typeof goMonthly>>
const NO_ONE = { kind: 'not-subscribed' } as const

const subscriberIn = ({ config }: Needs, request: FastifyRequest<WithToken>): string | null =>
  readToken(config.LINK_SECRET, 'unsubscribe', request.params.token)

const unsubscribeUrl = ({ config }: Needs, token: string): string =>
  `${basePath(config)}/unsubscribe/${encodeURIComponent(token)}`

const undoUrl = (app: Needs, token: string): string => `${unsubscribeUrl(app, token)}/undo`

function afterUndo({ config }: Needs, outcome: Resubscribed['kind'] | 'bad-token') {
  switch (outcome) {
    case 'resubscribed':
    case 'already':
      return {
        title: 'You are subscribed again',
        text: `${config.practice} will write to you when there are new times.`,
      }
    case 'pending':
    case 'suppressed':
    case 'not-found':
    case 'bad-token':
      return {
        title: 'We could not subscribe you again',
        text: 'This link cannot do it, and you will get no mail. If you want it back, please get in touch.',
      }
  }
}

function afterLess(outcome: Paused | Monthly) {
  switch (outcome.kind) {
    case 'paused':
      return {
        title: 'Your mail is paused for 4 weeks',
        text: 'It starts again by itself and then tells all that is still free. The preferences link in any of our mails changes that.',
      }
    case 'monthly':
      return {
        title: 'Your mail comes every four weeks',
        text: 'Each one tells all that opened since the last and is still free. The preferences link in any of our mails changes that.',
      }
    case 'invalid':
    case 'not-subscribed':
      return {
        title: 'Nothing was changed',
        text: 'This link has no running subscription, so there is no mail to lessen.',
      }
  }
}
