import type { AuthenticationResponseJSON } from '@simplewebauthn/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { canUsePasskeys, passkeyShown, passkeyToAsk } from '../../../actions/operators/passkeys.ts'
import { proveWithPassword, signIn, signInWithPassword } from '../../../actions/operators/sign-in.ts'
import type { App } from '../../../app.ts'
import type { Passwords } from '../../../core/operators/password.ts'
import { allOperators, operatorById } from '../../../db/operators/operators.ts'
import { endSignIn, proveSignIn } from '../../../db/operators/sign-ins.ts'
import type { OperatorKey } from '../../../templates/operator.ts'
import { steadily } from '../../steadily.ts'
import { fieldOf, fromOf, giveCookie, nextIn, passkeyIn, takeCookie } from './browser.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'hashKey' | 'actor' | 'pace'>

/** Adds `/sign-in`, `/sign-out` and `/prove`. */
export function addSignInRoutes(server: FastifyInstance, app: Needs, passwords: Passwords): void {
  const { operatorOrigin: origin } = app.config
  const openly = { config: { may: 'anyone' as const } }
  const signedIn = { config: { may: 'signed-in' as const } }

  server.get<{ Querystring: { next?: string } }>('/sign-in', openly, async (request, reply) => {
    const next = nextIn(request.query.next, origin)
    if (request.signIn?.enrolling === null) return reply.redirect(next, 303)
    const isFresh = (await allOperators(app.store)).length === 0
    return isFresh ? showFirst(reply) : showSignIn(app, reply, { next })
  })
  server.post('/sign-in', openly, (request, reply) =>
    steadily(app.pace.answerMs, async () => {
      const { body } = request
      const typed = {
        email: fieldOf(body, 'email'),
        password: fieldOf(body, 'password'),
        code: fieldOf(body, 'code'),
      }
      const outcome = await signInWithPassword(app, passwords, typed, fromOf(request))
      const next = nextIn(fieldOf(body, 'next'), origin)
      if (outcome.kind === 'in') return giveCookie(reply, origin, outcome.cookie).redirect(next, 303)
      const { status, wrong } = WRONG[outcome.kind]
      return showSignIn(app, reply.code(status), { next, email: typed.email, wrong })
    }),
  )
  server.post('/sign-in/passkey/options', openly, async (_request, reply) =>
    reply.send(await passkeyToAsk(app, null)),
  )
  server.post('/sign-in/passkey', openly, async (request, reply) => {
    const next = nextIn(fieldOf(request.body, 'next'), origin)
    const response = passkeyIn<AuthenticationResponseJSON>(request.body)
    const id = response && (await passkeyShown(app, null, response))
    const operator = id === null ? null : await operatorById(app.store, id)
    if (!operator) return showSignIn(app, reply.code(422), { next, wrong: 'sign-in.passkey.wrong' })
    const { cookie } = await signIn(app, operator, fromOf(request), 'passkey')
    return giveCookie(reply, origin, cookie).redirect(next, 303)
  })
  server.post('/sign-out', { config: { may: 'anyone' } }, async (request, reply) => {
    if (request.signIn) await endSignIn(app.store, request.signIn)
    return takeCookie(reply, origin).redirect('/sign-in', 303)
  })

  server.get<{ Querystring: { next?: string } }>('/prove', signedIn, (request, reply) =>
    showProve(app, reply, { next: nextIn(request.query.next, origin) }),
  )
  server.post('/prove', signedIn, (request, reply) =>
    steadily(app.pace.answerMs, () => prove(app, passwords, request, reply)),
  )
  server.post('/prove/passkey/options', signedIn, async (request, reply) =>
    reply.send(await passkeyToAsk(app, request.signIn?.operatorId ?? 0)),
  )
  server.post('/prove/passkey', signedIn, async (request, reply) => {
    const { signIn } = request
    const next = nextIn(fieldOf(request.body, 'next'), origin)
    const response = passkeyIn<AuthenticationResponseJSON>(request.body)
    if (!signIn || !response || (await passkeyShown(app, signIn.operatorId, response)) === null)
      return showProve(app, reply.code(422), { next, wrong: 'sign-in.passkey.wrong' })
    await proveSignIn(app.store, signIn.id, app.now())
    return reply.redirect(next, 303)
  })
}

const WRONG: Record<'wrong' | 'too-often', { status: number; wrong: OperatorKey }> = {
  wrong: { status: 422, wrong: 'sign-in.wrong' },
  'too-often': { status: 429, wrong: 'sign-in.too-often' },
}

async function prove(app: Needs, passwords: Passwords, request: FastifyRequest, reply: FastifyReply) {
  const { body, signIn: current } = request
  const next = nextIn(fieldOf(body, 'next'), app.config.operatorOrigin)
  const typed = { password: fieldOf(body, 'password'), code: fieldOf(body, 'code') }
  const whose = { operatorId: current?.operatorId ?? 0, signInId: current?.id ?? 0 }
  const outcome = await proveWithPassword(app, passwords, whose, typed, fromOf(request).network)
  if (outcome === 'proven') return reply.redirect(next, 303)
  const { status, wrong } = WRONG[outcome]
  return showProve(app, reply.code(status), { next, wrong })
}

function showFirst(reply: FastifyReply): FastifyReply {
  return reply.show('sign-in-first', { title: reply.words.t('sign-in.first.title'), wide: false })
}

function showSignIn(
  { config }: Pick<Needs, 'config'>,
  reply: FastifyReply,
  { next, email = '', wrong = null }: { next: string; email?: string; wrong?: OperatorKey | null },
): FastifyReply {
  return reply.show('sign-in', {
    title: reply.words.t('sign-in.title'),
    wide: false,
    next,
    email,
    wrong: wrong && reply.words.t(wrong),
    script: 'passkey.js',
    passkeys: canUsePasskeys(config),
  })
}

function showProve(
  { config }: Pick<Needs, 'config'>,
  reply: FastifyReply,
  { next, wrong = null }: { next: string; wrong?: OperatorKey | null },
): FastifyReply {
  return reply.show('prove', {
    title: reply.words.t('sign-in.prove.title'),
    wide: false,
    next,
    wrong: wrong && reply.words.t(wrong),
    script: 'passkey.js',
    passkeys: canUsePasskeys(config),
  })
}
