import type { RegistrationResponseJSON } from '@simplewebauthn/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  addPasskey,
  changePassword,
  endAllSignIns,
  endOneSignIn,
  ownAccount,
  removeOwnPasskey,
  renewOwnCodes,
} from '../../../actions/operators/account.ts'
import { actingAs } from '../../../actions/operators/acting.ts'
import { canUsePasskeys, passkeyMade, passkeyToMake } from '../../../actions/operators/passkeys.ts'
import type { App } from '../../../app.ts'
import { deviceIn } from '../../../core/operators/device.ts'
import type { Passwords } from '../../../core/operators/password.ts'
import type { SignIn } from '../../../db/operators/sign-ins.ts'
import type { OperatorKey } from '../../../templates/operator.ts'
import { fieldOf, passkeyIn } from './browser.ts'
import { showCodes } from './enrol.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'hashKey' | 'actor'>

/** Adds `/account`: how someone signs in, and where they are signed in. */
export function addAccountRoutes(server: FastifyInstance, app: Needs, passwords: Passwords): void {
  const own = { config: { may: 'sign-ins.own' as const } }
  const as = ({ actor }: FastifyRequest) => actingAs(app, actor)

  server.get('/account', own, (request, reply) => showAccount(as(request), request, reply))
  server.post<{ Params: { id: string } }>('/account/sign-ins/:id/end', own, async (request, reply) => {
    await endOneSignIn(as(request), mine(request), Number(request.params.id))
    return reply.done('/account', 'account.ended')
  })
  server.post('/account/sign-ins/end', own, async (request, reply) => {
    await endAllSignIns(as(request), mine(request))
    return reply.done('/account', 'account.ended-all')
  })
  server.post('/account/passkeys/options', own, async (request, reply) =>
    reply.send(await passkeyToMake(as(request), mine(request))),
  )
  server.post('/account/passkeys', own, async (request, reply) => {
    const name = deviceIn(request.headers['user-agent'])
    const response = passkeyIn<RegistrationResponseJSON>(request.body)
    const { operatorId } = mine(request)
    const made = response && (await passkeyMade(as(request), { operatorId, name }, response))
    if (!made) return reply.done('/account', 'account.passkey-failed')
    await addPasskey(as(request), mine(request), made)
    return reply.done('/account', 'account.passkey-added')
  })
  server.post('/account/passkeys/remove', own, async (request, reply) => {
    const done = await removeOwnPasskey(as(request), mine(request), fieldOf(request.body, 'id'))
    return reply.done('/account', done ? 'account.passkey-removed' : 'account.passkey-only')
  })
  server.post('/account/codes', own, async (request, reply) =>
    showCodes(app, reply, await renewOwnCodes(as(request), mine(request))),
  )
  server.post('/account/password', own, async (request, reply) => {
    const problem = await changePassword(
      as(request),
      passwords,
      mine(request),
      fieldOf(request.body, 'password'),
    )
    if (problem === null) return reply.done('/account', 'account.password-changed')
    return showAccount(as(request), request, reply.code(422), `enter.password.${problem}`)
  })
}

function mine({ signIn }: FastifyRequest): SignIn {
  if (signIn === null) throw new Error('a route for who is signed in was reached without a sign-in')
  return signIn
}

async function showAccount(
  app: Needs,
  request: FastifyRequest,
  reply: FastifyReply,
  wrongPassword: OperatorKey | null = null,
): Promise<FastifyReply> {
  const { words } = reply
  const { id, role } = mine(request)
  const { signIns, keys, codesLeft, hasPassword } = await ownAccount(app, mine(request))
  const { timeZone } = app.config.slotRule
  const when = (at: number | null) =>
    at === null
      ? words.t('account.never')
      : new Intl.DateTimeFormat(words.locale, { dateStyle: 'medium', timeStyle: 'short', timeZone }).format(
          at,
        )
  return reply.show('account', {
    title: words.t('account.title'),
    script: 'passkey.js',
    role,
    passkeys: canUsePasskeys(app.config),
    signIns: signIns.map(({ seenAt, ...one }) => ({ ...one, seen: when(seenAt), here: one.id === id })),
    keys: keys.map(({ createdAt, usedAt, ...key }) => ({
      ...key,
      made: when(createdAt),
      used: when(usedAt),
    })),
    codesLeft,
    hasPassword,
    wrongPassword: wrongPassword && words.t(wrongPassword),
  })
}
