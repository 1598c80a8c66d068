import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  canConfirmAddress,
  canUndoAddress,
  confirmAddressChange,
  undoAddress,
} from '../../../actions/subscribers/address-change.ts'
import type { App } from '../../../app.ts'
import { consentWording } from '../../../core/words/consent.ts'
import { localeOfMover } from '../../../db/people/address-changes.ts'
import { speakAs } from '../language.ts'
import { toJoin, toTimes } from '../next.ts'

type Needs = Pick<App, 'config' | 'store' | 'hashKey' | 'log' | 'now' | 'pace' | 'templates'> & {
  queue: Pick<App['queue'], 'wakeNotices'>
}
type WithToken = { Params: { token: string } }

/**
 * The link in the email to a new address, which confirms it, and the one to the old address, which undoes the change. The
 * answer to confirming is the same if the address was free, has a subscription, or cannot get our emails.
 */
export function addAddressRoutes(server: FastifyInstance, app: Needs): void {
  const page = async (request: FastifyRequest<WithToken>, reply: FastifyReply, changeId: string | null) => {
    const locale = changeId === null ? null : await localeOfMover(app.store, changeId)
    if (locale !== null) speakAs(reply, app.templates.words, locale)
    return locale !== null && request.params.token !== ''
  }

  server.get<WithToken>('/change-address/:token', async (request, reply) => {
    if (!(await page(request, reply, canConfirmAddress(app, request.params.token))))
      return showMessage(app, reply.code(404), 'expired')
    const consent = consentWording(app.config.practice, reply.translator)
    return reply.view('change-address', { title: reply.translator.t('page.address.title'), consent })
  })
  server.post<WithToken>('/change-address/:token', async (request, reply) => {
    await page(request, reply, canConfirmAddress(app, request.params.token))
    const pressed = { source: '/change-address', translator: reply.translator, fromNetwork: 1 }
    const { kind, outcome } = await confirmAddressChange(app, request.params.token, pressed)
    app.log.info({ outcome }, 'change of address')
    if (kind === 'expired') return showMessage(app, reply.code(404), kind)
    return showMessage(app, reply, kind === 'not-subscribed' ? 'ended' : kind)
  })

  server.get<WithToken>('/undo-address/:token', async (request, reply) => {
    if (!(await page(request, reply, canUndoAddress(app, request.params.token))))
      return showMessage(app, reply.code(404), 'undoExpired')
    return reply.view('undo-address', { title: reply.translator.t('page.address.undo.title') })
  })
  server.post<WithToken>('/undo-address/:token', async (request, reply) => {
    await page(request, reply, canUndoAddress(app, request.params.token))
    const undone = await undoAddress(app, request.params.token)
    app.log.info({ outcome: undone ?? 'expired' }, 'change of address undone')
    if (undone === null) return showMessage(app, reply.code(404), 'undoExpired')
    return showMessage(app, reply, undone === 'ended' ? 'undoneEnded' : 'undone')
  })
}

type Message = 'confirmed' | 'ended' | 'expired' | 'undone' | 'undoneEnded' | 'undoExpired'

function showMessage(app: Needs, reply: FastifyReply, what: Message): FastifyReply {
  const isOver = what === 'ended' || what === 'undoneEnded'
  return reply.view('message', {
    title: reply.translator.t(`page.address.${what}.title`),
    text: reply.translator.t(`page.address.${what}.text`),
    next: isOver ? toJoin(app, reply) : toTimes(app, reply),
  })
}
