import formbody from '@fastify/formbody'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { canConfirm, confirmSubscription, requestSubscription, type SignUpForm } from '../actions/join.ts'
import type { App } from '../app.ts'
import { nextSlot, toLocal, weekdayOf } from '../core/calendar.ts'
import { consentWording } from '../core/consent-wording.ts'
import { allTopics } from '../db/sessions.ts'
import { findByPublicId } from '../db/subscribers.ts'
import { readForm, type Typed, typedIn } from './join-form.ts'
import { joinLimits } from './join-limits.ts'
import { showForm } from './join-page.ts'
import { speakAs } from './language.ts'

type Needs = Pick<App, 'config' | 'db' | 'hashKey' | 'log' | 'now' | 'templates'> & {
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
  server.get<WithToken>('/confirm/:token', async (request, reply) => {
    if ((await speakToReader(app, request, reply)).publicId === null) return showExpired(reply)
    const consent = consentWording(app.config.practice, reply.voice)
    return reply.view('confirm', { title: reply.voice.say('page.confirm.title'), consent })
  })
  server.post<WithToken>('/confirm/:token', async (request, reply) => {
    const { reader } = await speakToReader(app, request, reply)
    const { token } = request.params
    const { kind } = await confirmSubscription(app, token, { source: '/confirm', voice: reply.voice })
    app.log.info({ outcome: kind }, 'confirm')
    if (kind === 'expired') return showExpired(reply)
    const title = reply.voice.say('page.confirmed.title')
    return reply.view('confirmed', { title, day: dayFor(app, reader?.timeZone) })
  })
}

/** Answers in the language of the form that the link came from; returns who asked for it; `publicId` is null when it expired. */
async function speakToReader(app: Needs, request: FastifyRequest<WithToken>, reply: FastifyReply) {
  const publicId = canConfirm(app, request.params.token)
  const reader = publicId === null ? null : await findByPublicId(app.db, publicId)
  if (reader) speakAs(reply, app.templates.words, reader.locale)
  return { publicId, reader }
}

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const

/** The day on which the mail goes out where the reader is: Monday morning in New York is Tuesday in Auckland. */
function dayFor({ config, now }: Needs, timeZone = config.DIGEST_TIME_ZONE) {
  return DAYS[weekdayOf(toLocal(nextSlot(config.slotRule, now()).at, timeZone))]
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
    const topics = await allTopics(app.db)
    const read = readForm(typed, { secrets, topics, locale: reply.voice.locale, now: app.now() })
    switch (read.kind) {
      case 'bot':
        app.log.info({ outcome: 'bot' }, 'subscribe')
        return showSubscribed(reply)
      case 'stale':
        return showForm(app, reply.code(400), { typed: { ...typed, stamp: '' }, trouble: 'page.home.stale' })
      case 'invalid':
        return showForm(app, reply.code(400), { typed, mistakes: read.mistakes })
      case 'valid':
        return take(request, reply, typed, read.form)
    }
  })

  async function take(request: FastifyRequest, reply: FastifyReply, typed: Typed, form: SignUpForm) {
    const passage = await limit(request, form.email)
    if (passage === 'network')
      return showForm(app, reply.code(429).header('retry-after', HOUR_MS / 1000), {
        typed,
        trouble: 'page.home.many',
      })
    // Without the counts of Redis nobody can tell a reader from a flood, so no mail is planned.
    if (passage === 'unknown')
      return showForm(app, reply.code(503).header('retry-after', 60), { typed, trouble: 'page.home.unable' })
    const outcome = passage === 'address' ? 'address-limit' : (await requestSubscription(app, form)).kind
    app.log.info({ outcome }, 'subscribe')
    if (outcome === 'overall-limit') noteOverall()
    return showSubscribed(reply)
  }
}

const showSubscribed = (reply: FastifyReply) =>
  reply.view('subscribed', { title: reply.voice.say('page.subscribed.title') })

const showExpired = (reply: FastifyReply) =>
  reply.code(410).view('expired', { title: reply.voice.say('page.expired.title') })

function onceAnHour({ now }: Pick<App, 'now'>, tell: () => void): () => void {
  let last = Number.NEGATIVE_INFINITY
  return () => {
    if (now().getTime() - last < HOUR_MS) return
    last = now().getTime()
    tell()
  }
}
