import formbody from '@fastify/formbody'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { requestAddressChange } from '../../../actions/subscribers/address-change.ts'
import {
  type Fresh,
  type FreshAsked,
  openFresh,
  spendFresh,
} from '../../../actions/subscribers/fresh-links.ts'
import { forgetReader } from '../../../actions/subscribers/preferences.ts'
import { exportSubscriber } from '../../../actions/subscribers/records.ts'
import type { App } from '../../../app.ts'
import type { FormError } from '../../../core/intake/fields.ts'
import type { Translator } from '../../../core/words/words.ts'
import { allTopics } from '../../../db/sessions/sessions.ts'
import { registerScope } from '../../scope.ts'
import { steadily } from '../../steadily.ts'
import { formMessages } from '../form-errors.ts'
import type { RequestLimiter, SignUpLimit } from '../join/limits.ts'
import { speakAs } from '../language.ts'
import { type Next, toTimes } from '../next.ts'
import { basePath } from '../pages.ts'
import { fileFromForm, fileInForm } from './data-file.ts'
import { dataPage } from './data-page.ts'
import { type Form, textOf as fieldOf, masked } from './page.ts'

type Needs = Pick<App, 'config' | 'store' | 'hashKey' | 'log' | 'now' | 'pace' | 'templates'> & {
  queue: Pick<App['queue'], 'wakeNotices'>
}
type WithToken = { Params: { token: string }; Body: Form | undefined }

/** The outcome of a request for an email. */
type Said = 'sent' | 'renewed' | 'newest' | 'asked' | Exclude<FreshAsked['kind'] | SignUpLimit['kind'], 'ok'>

/**
 * The pages of a fresh link, which was emailed to the address on record: downloading the data, deleting it, or changing the
 * address. Scanners open links, so only the button does anything, and only once.
 */
export async function addFreshLinkRoutes(
  server: FastifyInstance,
  app: Needs,
  limit: RequestLimiter,
): Promise<void> {
  await registerScope(server, 'fresh links', async (forms) => {
    await forms.register(formbody)
    forms.get<WithToken>('/fresh/:token', async (request, reply) => {
      const fresh = await freshIn(app, request, reply)
      return fresh ? showFresh(app, reply, fresh, {}) : showExpired(app, reply)
    })
    forms.post<WithToken>('/fresh/:token', async (request, reply) => {
      const fresh = await freshIn(app, request, reply)
      if (fresh === null) return showExpired(app, reply)
      switch (fresh.kind) {
        case 'fresh-data':
          return giveData(app, reply, fresh, request.params.token)
        case 'fresh-forget':
          return forget(app, reply, fresh)
        case 'fresh-address':
          return changeAddress(app, request, reply, { fresh, limit })
        case 'fresh-links':
          return showExpired(app, reply)
      }
    })
    forms.post<WithToken>('/fresh/:token/file', async ({ body }, reply) => {
      const text = fileFromForm(app.config.LINK_SECRET, {
        file: fieldOf(body?.file),
        seal: fieldOf(body?.seal),
      })
      if (text === null) return showExpired(app, reply)
      return reply
        .header('content-disposition', 'attachment; filename="my-data.json"')
        .type('application/json; charset=utf-8')
        .send(text)
    })
  })
}

/** Says whether an email is on its way and where to, or why not. `address` is masked, '' if it must not be shown. */
export function showRequested(
  reply: FastifyReply,
  said: Said,
  { address, next }: { address: string; next: Next },
): FastifyReply {
  const { t } = reply.translator
  const { code, retryAfter } = ANSWERS[said]
  reply.code(code)
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  const title = t(code === 200 ? 'page.requested.sent.title' : 'page.requested.not.title')
  return reply.view('message', { title, text: textOf(said, address, reply.translator), next })
}

const ANSWERS: Record<Said, { code: number; retryAfter?: number }> = {
  sent: { code: 200 },
  renewed: { code: 200 },
  newest: { code: 200 },
  asked: { code: 200 },
  often: { code: 429 },
  address: { code: 429 },
  network: { code: 429, retryAfter: 3_600 },
  busy: { code: 503, retryAfter: 3_600 },
  unknown: { code: 503, retryAfter: 60 },
  'not-allowed': { code: 409 },
  'unknown-link': { code: 404 },
}

function textOf(said: Said, address: string, { t }: Translator): string {
  switch (said) {
    case 'sent':
    case 'renewed':
      return t(`page.requested.${said}.text`, { address })
    case 'newest':
    case 'asked':
      return t(`page.requested.${said}.text`)
    case 'often':
    case 'address':
      return t('page.requested.often.text')
    case 'network':
    case 'busy':
      return t('page.requested.busy.text')
    case 'unknown':
      return t('page.requested.unable.text')
    case 'not-allowed':
    case 'unknown-link':
      return t('page.requested.barred.text')
  }
}

async function freshIn(app: Needs, request: FastifyRequest<WithToken>, reply: FastifyReply) {
  const fresh = await openFresh(app, request.params.token)
  if (fresh) speakAs(reply, app.templates.words, fresh.subscriber.locale)
  return fresh
}

/** The link is used up by this page, so the page itself carries the file to download. */
async function giveData(app: Needs, reply: FastifyReply, fresh: Fresh, token: string) {
  const exported = await exportSubscriber(app, fresh.subscriber.email)
  if (exported.kind !== 'found' || !(await spendFresh(app, fresh))) return showExpired(app, reply)
  app.log.info({ outcome: 'given' }, 'data asked for')
  const page = dataPage(app, exported.record, {
    translator: reply.translator,
    topics: await allTopics(app.store),
  })
  const json = `${JSON.stringify(exported.record, null, 2)}\n`
  return reply.view('data', {
    ...page,
    download: fileInForm(app.config.LINK_SECRET, json),
    fileUrl: `${basePath(app.config)}/fresh/${encodeURIComponent(token)}/file`,
  })
}

async function forget(app: Needs, reply: FastifyReply, fresh: Fresh) {
  if (!(await spendFresh(app, fresh))) return showExpired(app, reply)
  const { kind } = await forgetReader(app, fresh.subscriber.publicId)
  app.log.info({ outcome: kind }, 'forget me')
  return reply.view('forgotten', { title: reply.translator.t('page.forgotten.title') })
}

type Changing = { fresh: Fresh; limit: RequestLimiter }

async function changeAddress(
  app: Needs,
  request: FastifyRequest<WithToken>,
  reply: FastifyReply,
  { fresh, limit }: Changing,
) {
  const typed = fieldOf(request.body?.email)
  const asked = await steadily(app.pace.answerMs, async () => {
    const allowed = await limit(request)
    return allowed.kind === 'ok' ? requestAddressChange(app, fresh, typed, allowed.nth) : allowed
  })
  app.log.info({ outcome: asked.kind }, 'another address asked for')
  if (asked.kind === 'invalid') return showFresh(app, reply.code(422), fresh, { typed, errors: asked.errors })
  if (asked.kind === 'spent' || asked.kind === 'not-subscribed') return showExpired(app, reply)
  return showRequested(reply, asked.kind, { address: '', next: toTimes(app, reply) })
}

type Tried = { typed?: string; errors?: readonly FormError[] }

function showFresh(app: Needs, reply: FastifyReply, { kind, subscriber }: Fresh, tried: Tried) {
  const { t } = reply.translator
  switch (kind) {
    case 'fresh-data':
      return reply.view('fresh-data', { title: t('page.freshData.title') })
    case 'fresh-forget':
      return reply.view('forget', { title: t('page.forget.title'), keep: `${basePath(app.config)}/` })
    case 'fresh-address': {
      const { typed = '', errors = [] } = tried
      const address = masked(subscriber.email)
      const problems = formMessages(['email'], errors, reply.translator)
      return reply.view('fresh-address', {
        title: t(errors.length > 0 ? 'page.freshAddress.title.wrong' : 'page.freshAddress.title'),
        address,
        typed,
        problems,
      })
    }
    case 'fresh-links':
      return showExpired(app, reply)
  }
}

function showExpired(app: Needs, reply: FastifyReply): FastifyReply {
  const { t } = reply.translator
  return reply.code(410).view('message', {
    title: t('page.freshExpired.title'),
    text: t('page.freshExpired.text'),
    next: toTimes(app, reply),
  })
}
