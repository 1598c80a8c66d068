import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Resubscribed, resubscribe, unsubscribe } from '../actions/consent.ts'
import type { App } from '../app.ts'
import { formatOccurrence } from '../core/occurrences.ts'
import { readToken, signToken } from '../core/tokens.ts'
import { allTopics } from '../db/sessions.ts'
import { findByPublicId, findSuppression, holdingsOf, type Subscriber } from '../db/subscribers.ts'
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

  server.get<WithToken>('/unsubscribe/:token', (_request, reply) =>
    reply.view('unsubscribe.hbs', { title: 'Unsubscribe' }),
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

  server.get<WithToken>('/preferences/:token', async (request, reply) => {
    const publicId = readToken(app.config.LINK_SECRET, 'preferences', request.params.token)
    const subscriber = publicId === null ? null : await findByPublicId(app.db, publicId)
    if (subscriber === null) return reply.callNotFound()
    return reply.view('preferences.hbs', await preferences(app, subscriber))
  })
}

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

/** How the subscription stands, without the address or the name: whoever holds the link needs neither. */
async function preferences(app: Needs, subscriber: Subscriber) {
  const token = signToken(app.config.LINK_SECRET[0] ?? '', 'unsubscribe', subscriber.publicId)
  const suppressed = (await findSuppression(app.db, subscriber.emailHash)) !== null
  const active = subscriber.status === 'active' && !suppressed
  return {
    title: 'Your subscription',
    active,
    facts: active ? await factsOf(app, subscriber) : [],
    unsubscribe: unsubscribeUrl(app, token),
    undo: subscriber.status === 'unsubscribed' && !suppressed ? undoUrl(app, token) : null,
  }
}

async function factsOf(app: Needs, subscriber: Subscriber): Promise<{ name: string; value: string }[]> {
  const { cadence, timeZone, pausedUntil } = subscriber
  const facts = [
    { name: 'How often', value: cadence === 'weekly' ? 'Every week' : 'Every four weeks' },
    { name: 'Times shown in', value: `${placeOf(timeZone)} time` },
    { name: 'Topics', value: (await chosenTopics(app, subscriber)).join(', ') || 'All' },
  ]
  if (pausedUntil === null || pausedUntil <= app.now().getTime()) return facts
  const { weekday, date } = formatOccurrence(new Date(pausedUntil), timeZone, 'en')
  return [...facts, { name: 'Paused until', value: `${weekday}, ${date}` }]
}

async function chosenTopics({ db }: Needs, { emailHash }: Subscriber): Promise<string[]> {
  const { topics } = await holdingsOf(db, emailHash)
  const chosen = new Set(topics.filter((topic) => topic.chosen).map(({ topic }) => topic))
  return (await allTopics(db)).filter(({ slug }) => chosen.has(slug)).map(({ name }) => name)
}

/** As the mail calls it: `America/New_York` is New York. */
const placeOf = (timeZone: string): string => (timeZone.split('/').at(-1) ?? timeZone).replaceAll('_', ' ')
