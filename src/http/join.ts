import formbody from '@fastify/formbody'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { canConfirm, confirmSubscription, requestSubscription, type SignUpForm } from '../actions/join.ts'
import type { App } from '../app.ts'
import { consentWording } from '../core/consent-wording.ts'
import { allTopics } from '../db/sessions.ts'
import { readForm, type Typed, typedIn } from './join-form.ts'
import { joinLimits } from './join-limits.ts'
import { showForm } from './join-page.ts'

type Needs = Pick<App, 'config' | 'db' | 'hashKey' | 'log' | 'now'> & {
  queue: Pick<App['queue'], 'limits' | 'wakeNotices'>
}
type WithToken = { Params: { token: string } }

const FORM_LIMIT_BYTES = 16 * 1024
const HOUR_MS = 3_600_000

/**
 * The way onto the list: the first page with its form, and the link that confirms. What comes back for a valid address
 * is the same whether it is new, subscribed, gone or barred, so the form tells nobody who is on the list.
 */
export async function addJoinRoutes(server: FastifyInstance, app: Needs): Promise<void> {
  server.get('/', async (_request, reply) => showForm(app, reply.removeHeader('x-robots-tag'), {}))
  await server.register(async (scope) => {
    await scope.register(formbody, { bodyLimit: FORM_LIMIT_BYTES })
    addSubscribe(scope, app, await joinLimits(scope, app))
  })

  // Scanners open links: only the button does anything.
  server.get<WithToken>('/confirm/:token', async (request, reply) =>
    canConfirm(app, request.params.token)
      ? reply.view('confirm.hbs', {
          title: 'Confirm your subscription',
          consent: consentWording(app.config.practice),
        })
      : showExpired(reply),
  )
  server.post<WithToken>('/confirm/:token', async (request, reply) => {
    const { kind } = await confirmSubscription(app, request.params.token, '/confirm')
    app.log.info({ outcome: kind }, 'confirm')
    return kind === 'expired'
      ? showExpired(reply)
      : reply.view('confirmed.hbs', { title: 'You are subscribed', day: dayOf(app.config.DIGEST_DAY) })
  })
}

function addSubscribe(
  scope: FastifyInstance,
  app: Needs,
  limit: Awaited<ReturnType<typeof joinLimits>>,
): void {
  const noteOverall = onceAnHour(app, () =>
    app.log.warn('sign-ups are over the limit of mails an hour: more are answered, and dropped'),
  )

  scope.post('/subscribe', async (request, reply) => {
    const typed = typedIn(request.body)
    const { LINK_SECRET: secrets } = app.config
    const read = readForm(typed, { secrets, topics: await allTopics(app.db), now: app.now() })
    switch (read.kind) {
      case 'bot':
        app.log.info({ outcome: 'bot' }, 'subscribe')
        return showSubscribed(reply)
      case 'stale':
        return showForm(app, reply.code(400), { typed: { ...typed, stamp: '' }, trouble: STALE })
      case 'invalid':
        return showForm(app, reply.code(400), { typed, problems: read.problems })
      case 'valid':
        return take(request, reply, typed, read.form)
    }
  })

  async function take(request: FastifyRequest, reply: FastifyReply, typed: Typed, form: SignUpForm) {
    const passage = await limit(request, form.email)
    if (passage === 'network')
      return showForm(app, reply.code(429).header('retry-after', HOUR_MS / 1000), {
        typed,
        trouble: TOO_MANY,
      })
    // Without the counts of Redis nobody can tell a reader from a flood, so no mail is planned.
    if (passage === 'unknown')
      return showForm(app, reply.code(503).header('retry-after', 60), { typed, trouble: NOT_NOW })
    const outcome = passage === 'address' ? 'address-limit' : (await requestSubscription(app, form)).kind
    app.log.info({ outcome }, 'subscribe')
    if (outcome === 'overall-limit') noteOverall()
    return showSubscribed(reply)
  }
}

const STALE = 'This page was open for more than a day. Please press the button once more.'
const TOO_MANY = 'Many people signed up from your network just now. Please try again in an hour.'
const NOT_NOW = 'We cannot take sign-ups at the moment. Please try again in a few minutes.'

const showSubscribed = (reply: FastifyReply) => reply.view('subscribed.hbs', { title: 'Look in your inbox' })

const showExpired = (reply: FastifyReply) =>
  reply.code(410).view('expired.hbs', { title: 'This link has expired' })

const dayOf = (weekday: string): string => weekday.charAt(0).toUpperCase() + weekday.slice(1)

function onceAnHour({ now }: Pick<App, 'now'>, tell: () => void): () => void {
  let last = Number.NEGATIVE_INFINITY
  return () => {
    if (now().getTime() - last < HOUR_MS) return
    last = now().getTime()
    tell()
  }
}
