import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Resubscribed, resubscribe, unsubscribe } from '../../../actions/subscribers/consent.ts'
import { goMonthly, type Paused, pauseMail } from '../../../actions/subscribers/preferences.ts'
import type { App } from '../../../app.ts'
import { readToken } from '../../../core/tokens.ts'
import type { Values } from '../../../core/words/words.ts'
import { findByFormerId } from '../../../db/people/links.ts'
import { findByPublicId } from '../../../db/people/subscribers.ts'
import { speakAs } from '../language.ts'
import { type Next, toJoin, toTimes } from '../next.ts'
import { basePath } from '../pages.ts'

type Needs = Pick<App, 'config' | 'store' | 'log' | 'now' | 'templates'>
type WithToken = { Params: { token: string } }

/**
 * The pages of the links in an edition. Only POST changes anything: scanners open every link, and some run scripts (RFC 8058:
 * POST must need no cookie and must not redirect). All tokens that we signed get the same answer, even if they are used again
 * or their subscriber is gone, so that a link does not reveal who is on the list; only the language is the reader's own.
 * No answer leads to the preferences: mail programs and their providers know this link, and must not learn what was chosen.
 * `guardLinks` answers all others.
 */
export function addSubscriptionRoutes(server: FastifyInstance, app: Needs): void {
  // The same for every token.
  server.get<WithToken>('/unsubscribe/:token', async (request, reply) => {
    await readerIn(app, request, reply)
    const self = unsubscribeUrl(app, request.params.token)
    return reply.view('unsubscribe', { title: reply.translator.t('page.unsubscribe.title'), self })
  })

  server.post<WithToken>('/unsubscribe/:token', async (request, reply) => {
    const publicId = await readerIn(app, request, reply)
    const outcome = (await unsubscribe(app, publicId)).kind
    app.log.info({ outcome }, 'unsubscribe')
    // A link from before a renewal may be in a stranger's hands. It can only unsubscribe.
    const former = (await findByFormerId(app.store, publicId)) !== null
    const undo = former ? null : undoUrl(app, request.params.token)
    return reply.view('unsubscribed', { title: reply.translator.t('page.unsubscribed.title'), undo })
  })

  server.post<WithToken>('/unsubscribe/:token/undo', async (request, reply) => {
    const publicId = await readerIn(app, request, reply)
    const outcome = (await resubscribe(app, publicId)).kind
    app.log.info({ outcome }, 'resubscribe')
    const back = outcome === 'resubscribed' || outcome === 'already'
    return showMessage(reply, afterUndo(outcome), {
      values: { practice: app.config.practice },
      next: back ? toTimes(app, reply) : toJoin(app, reply),
    })
  })

  /** Pause or go monthly instead of unsubscribing. Takes no body, like one-click. */
  const instead = (path: string, act: (publicId: string) => Promise<Paused | Monthly>) =>
    server.post<WithToken>(`/unsubscribe/:token${path}`, async (request, reply) => {
      const publicId = await readerIn(app, request, reply)
      const outcome = await act(publicId)
      app.log.info({ outcome: outcome.kind }, 'less instead of unsubscribing')
      return showMessage(reply, afterLess(outcome), { next: toTimes(app, reply) })
    })
  instead('/pause', (publicId) => pauseMail(app, publicId, { weeks: '4' }))
  instead('/monthly', (publicId) => goMonthly(app, publicId))
}

type Monthly = Awaited<ReturnType<typeof goMonthly>>

/** The public id in a link that `guardLinks` let pass. Sets the language of the answer to the subscriber's. */
async function readerIn(
  { config, store, templates }: Needs,
  request: FastifyRequest<WithToken>,
  reply: FastifyReply,
): Promise<string> {
  const publicId = readToken(config.LINK_SECRET, 'unsubscribe', request.params.token)
  if (publicId === null) throw new Error('a link with a wrong signature came as far as its handler')
  const reader = await findByPublicId(store, publicId)
  if (reader) speakAs(reply, templates.words, reader.locale)
  return publicId
}

const unsubscribeUrl = ({ config }: Needs, token: string): string =>
  `${basePath(config)}/unsubscribe/${encodeURIComponent(token)}`

const undoUrl = (app: Needs, token: string): string => `${unsubscribeUrl(app, token)}/undo`

type Message = 'undone' | 'undone.late' | 'undone.not' | 'less.paused' | 'less.monthly' | 'less.not'

function showMessage(
  reply: FastifyReply,
  message: Message,
  { values = {}, next }: { values?: Values; next: Next },
): FastifyReply {
  const { t } = reply.translator
  return reply.view('message', {
    title: t(`page.${message}.title`),
    text: t(`page.${message}.text`, values),
    next,
  })
}

function afterUndo(outcome: Resubscribed['kind'] | 'too-late'): Message {
  switch (outcome) {
    case 'resubscribed':
    case 'already':
      return 'undone'
    case 'too-late':
      return 'undone.late'
    case 'pending':
    case 'suppressed':
    case 'not-found':
      return 'undone.not'
  }
}

function afterLess(outcome: Paused | Monthly): Message {
  switch (outcome.kind) {
    case 'paused':
      return 'less.paused'
    case 'monthly':
      return 'less.monthly'
    case 'invalid':
    case 'not-subscribed':
      return 'less.not'
  }
}
