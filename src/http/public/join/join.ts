import formbody from '@fastify/formbody'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  canConfirm,
  confirmSubscription,
  requestSubscription,
  type SignUpForm,
} from '../../../actions/subscribers/join.ts'
import type { App } from '../../../app.ts'
import { parseMailbox } from '../../../core/mail/mailbox.ts'
import { nextSlot, toLocal, weekdayOf } from '../../../core/time/calendar.ts'
import { consentWording } from '../../../core/words/consent.ts'
import type { MessageKey } from '../../../core/words/words.ts'
import { findByPublicId } from '../../../db/people/subscribers.ts'
import { allTopics } from '../../../db/sessions/sessions.ts'
import { registerScope } from '../../scope.ts'
import { steadily } from '../../steadily.ts'
import { speakAs } from '../language.ts'
import { readForm, type Typed, typedIn } from './form.ts'
import type { RequestLimiter } from './limits.ts'
import { firstPage, showForm } from './page.ts'

type Needs = Pick<App, 'config' | 'store' | 'hashKey' | 'log' | 'now' | 'pace' | 'templates'> & {
  queue: Pick<App['queue'], 'wakeNotices'>
}
type WithToken = { Params: { token: string } }

const FORM_LIMIT_BYTES = 16 * 1024
const HOUR_MS = 3_600_000

/**
 * Signing up: the first page with its form, and the link to confirm. The answer for a valid address is the same if it is new,
 * subscribed, unsubscribed, or suppressed, so that the form does not reveal who is on the list.
 */
export async function addJoinRoutes(
  server: FastifyInstance,
  app: Needs,
  limit: RequestLimiter,
): Promise<void> {
  const showFirst = firstPage(app)
  server.get('/', async (_request, reply) => showFirst(reply.removeHeader('x-robots-tag')))
  await registerScope(server, 'sign-up', async (scope) => {
    await scope.register(formbody, { bodyLimit: FORM_LIMIT_BYTES })
    addSubscribe(scope, app, limit)
  })

  // Scanners open links, so only the button does anything.
  server.get<WithToken>('/confirm/:token', async (request, reply) => {
    if ((await speakToReader(app, request, reply)).publicId === null) return showExpired(reply)
    const consent = consentWording(app.config.practice, reply.translator)
    return reply.view('confirm', { title: reply.translator.t('page.confirm.title'), consent })
  })
  server.post<WithToken>('/confirm/:token', async (request, reply) => {
    const { reader } = await speakToReader(app, request, reply)
    const { token } = request.params
    const { kind } = await confirmSubscription(app, token, {
      source: '/confirm',
      translator: reply.translator,
    })
    app.log.info({ outcome: kind }, 'confirm')
    if (kind === 'expired') return showExpired(reply)
    const title = reply.translator.t('page.confirmed.title')
    return reply.view('confirmed', { title, day: dayFor(app, reader?.timeZone) })
  })
}

/** Answers in the language of the form that the link came from. Returns its subscriber; `publicId` is null if it expired. */
async function speakToReader(app: Needs, request: FastifyRequest<WithToken>, reply: FastifyReply) {
  const publicId = canConfirm(app, request.params.token)
  const reader = publicId === null ? null : await findByPublicId(app.store, publicId)
  if (reader) speakAs(reply, app.templates.words, reader.locale)
  return { publicId, reader }
}

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'] as const

/** The day of the email in the reader's time zone: Monday morning in New York is Tuesday in Auckland. */
function dayFor({ config, now }: Needs, timeZone = config.DIGEST_TIME_ZONE) {
  return DAYS[weekdayOf(toLocal(nextSlot(config.slotRule, now()).at, timeZone))]
}

function addSubscribe(scope: FastifyInstance, app: Needs, limit: RequestLimiter): void {
  const noteOverall = onceAnHour(app, () =>
    app.log.warn('sign-ups are over the limit of emails an hour: more are asked to come again later'),
  )

  scope.post('/subscribe', async (request, reply) => {
    const typed = typedIn(request.body)
    const { LINK_SECRET: secrets } = app.config
    const topics = await allTopics(app.store)
    const read = readForm(typed, { secrets, topics, locale: reply.translator.locale, now: app.now() })
    switch (read.kind) {
      case 'again':
        app.log.info({ outcome: 'again' }, 'subscribe')
        return showForm(app, reply.code(400), { typed, trouble: 'page.home.again' })
      case 'stale':
        return showForm(app, reply.code(400), { typed: { ...typed, stamp: '' }, trouble: 'page.home.stale' })
      case 'invalid':
        return showForm(app, reply.code(400), { typed, errors: read.errors })
      case 'valid':
        return take(request, reply, typed, read.form)
    }
  })

  async function take(request: FastifyRequest, reply: FastifyReply, typed: Typed, form: SignUpForm) {
    const outcome = await steadily(app.pace.answerMs, async () => {
      const allowed = await limit(request, form.email)
      return allowed.kind === 'ok' ? (await requestSubscription(app, form, allowed.nth)).kind : allowed.kind
    })
    app.log.info({ outcome }, 'subscribe')
    if (outcome === 'busy') noteOverall()
    const trouble = TROUBLES.get(outcome)
    if (trouble === undefined) return showSubscribed(app, reply)
    reply.code(trouble.code).header('retry-after', trouble.retryAfter)
    return showForm(app, reply, { typed, trouble: trouble.says })
  }
}

/** What keeps us from taking any sign-up. */
const TROUBLES = new Map<string, { code: number; retryAfter: number; says: MessageKey }>([
  ['network', { code: 429, retryAfter: HOUR_MS / 1000, says: 'page.home.many' }],
  ['busy', { code: 503, retryAfter: HOUR_MS / 1000, says: 'page.home.busy' }],
  // Without the counts in Redis we cannot tell a reader from a flood, so no email is planned.
  ['unknown', { code: 503, retryAfter: 60, says: 'page.home.unable' }],
])

/** Who writes is said for both kinds of emails, so that it tells no one which kind the owner of the address chose. */
function showSubscribed({ config }: Pick<App, 'config'>, reply: FastifyReply): FastifyReply {
  const { t } = reply.translator
  return reply.view('subscribed', {
    title: t('page.subscribed.title'),
    sender: senderName(config),
    discreetSender: config.DISCREET_FROM_NAME ?? t('mail.discreet.sender'),
  })
}

const senderName = ({ MAIL_FROM }: App['config']): string => {
  const sender = parseMailbox(MAIL_FROM)
  return sender?.name || (sender?.address ?? MAIL_FROM)
}

const showExpired = (reply: FastifyReply) =>
  reply.code(410).view('expired', { title: reply.translator.t('page.expired.title') })

function onceAnHour({ now }: Pick<App, 'now'>, act: () => void): () => void {
  let last = Number.NEGATIVE_INFINITY
  return () => {
    if (now().getTime() - last < HOUR_MS) return
    last = now().getTime()
    act()
  }
}
