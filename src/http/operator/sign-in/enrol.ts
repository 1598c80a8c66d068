import type { RegistrationResponseJSON } from '@simplewebauthn/server'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { generate } from 'lean-qr'
import { toSvgDataURL } from 'lean-qr/extras/svg'
import { chooseWay, passwordWay } from '../../../actions/operators/enrol.ts'
import { enterByLink, readEntryLink } from '../../../actions/operators/entry-links.ts'
import { canUsePasskeys, passkeyMade, passkeyToMake } from '../../../actions/operators/passkeys.ts'
import { signIn as startSignIn } from '../../../actions/operators/sign-in.ts'
import type { App } from '../../../app.ts'
import { appAddress } from '../../../core/operators/app-code.ts'
import { deviceIn } from '../../../core/operators/device.ts'
import type { Passwords } from '../../../core/operators/password.ts'
import { unseal } from '../../../core/operators/sealed.ts'
import { operatorById } from '../../../db/operators/operators.ts'
import type { SignIn } from '../../../db/operators/sign-ins.ts'
import type { OperatorKey } from '../../../templates/operator.ts'
import { fieldOf, fromOf, giveCookie, passkeyIn } from './browser.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'hashKey' | 'actor'>

/** A link that signs an operator in at once. Only the demo has one, and no setting makes one. */
export type DemoLink = { token: string; operatorId: number }

/** Adds `/enter/:token`, and `/enrol`, where someone chooses how to sign in. */
export function addEnrolRoutes(
  server: FastifyInstance,
  app: Needs,
  passwords: Passwords,
  demo: DemoLink | null,
): void {
  const openly = { config: { may: 'anyone' as const } }
  const enrolling = { config: { may: 'enrolling' as const } }
  const { operatorOrigin: origin } = app.config

  server.get<{ Params: { token: string } }>('/enter/:token', openly, async ({ params }, reply) => {
    const whose =
      params.token === demo?.token ? await demoOperator(app, demo) : await readEntryLink(app, params.token)
    if (whose === null) return showExpired(reply.code(410))
    const { t } = reply.words
    const key: OperatorKey = demo ? 'enter.demo' : 'enter.lead'
    const text = t(key, { email: whose.email, practice: app.config.practice })
    return reply.show('enter', { title: t('enter.title'), wide: false, text, token: params.token })
  })
  server.post<{ Params: { token: string } }>('/enter/:token', openly, async (request, reply) => {
    const { token } = request.params
    const from = fromOf(request)
    if (demo && token === demo.token) {
      const operator = await demoOperator(app, demo)
      if (operator) {
        const { cookie } = await startSignIn(app, { id: demo.operatorId, role: operator.role }, from, 'demo')
        return giveCookie(reply, origin, cookie).redirect('/', 303)
      }
    }
    const { network, device } = from
    const entered = await enterByLink(app, token, { network, device })
    if (entered === null) return showExpired(reply.code(410))
    return giveCookie(reply, origin, entered.cookie).redirect('/enrol', 303)
  })

  server.get('/enrol', enrolling, (request, reply) => showEnrol(app, request, reply, {}))
  server.post('/enrol/password', enrolling, async (request, reply) => {
    const { signIn, body } = request
    if (!signIn) return reply.redirect('/sign-in', 303)
    const [password, code] = [fieldOf(body, 'password'), fieldOf(body, 'code')]
    const way = await passwordWay(app, passwords, signIn, { password, code })
    if (way.kind !== 'password') return showEnrol(app, request, reply.code(422), { wrong: way.kind })
    return showCodes(app, reply, await chooseWay(app, signIn, way))
  })
  server.post('/enrol/passkey/options', enrolling, async ({ signIn }, reply) =>
    reply.send(signIn && (await passkeyToMake(app, signIn))),
  )
  server.post('/enrol/passkey', enrolling, async (request, reply) => {
    const { signIn, headers } = request
    const response = passkeyIn<RegistrationResponseJSON>(request.body)
    if (!signIn) return reply.redirect('/sign-in', 303)
    const made = { operatorId: signIn.operatorId, name: deviceIn(headers['user-agent']) }
    const way = response && (await passkeyMade(app, made, response))
    if (!way) return showEnrol(app, request, reply.code(422), { wrong: 'passkey' })
    return showCodes(app, reply, await chooseWay(app, signIn, way))
  })
}

const demoOperator = ({ store }: Pick<Needs, 'store'>, { operatorId }: DemoLink) =>
  operatorById(store, operatorId)

function showExpired(reply: FastifyReply): FastifyReply {
  const { t } = reply.words
  return reply.show('message', {
    title: t('enter.expired.title'),
    text: t('enter.expired.text'),
    wide: false,
  })
}

type Wrong = 'short' | 'long' | 'common' | 'code' | 'passkey'

function showEnrol(
  { config }: Needs,
  { signIn }: FastifyRequest,
  reply: FastifyReply,
  { wrong }: { wrong?: Wrong },
): FastifyReply {
  const { t } = reply.words
  const secret = secretOf(config, signIn)
  const email = signIn?.email ?? ''
  const ofPassword = wrong === 'short' || wrong === 'long' || wrong === 'common'
  return reply.show('enrol', {
    title: t('enter.choose.title'),
    wide: false,
    email,
    script: 'passkey.js',
    passkeys: canUsePasskeys(config),
    qr: toSvgDataURL(generate(appAddress(secret, { practice: config.practice, email }))),
    secret: secret.match(/.{1,4}/g)?.join(' ') ?? '',
    wrongPassword: ofPassword ? t(`enter.password.${wrong}`) : null,
    wrongCode: wrong === 'code' ? t('enter.code.wrong') : null,
    wrongPasskey: wrong === 'passkey' ? t('sign-in.passkey.wrong') : null,
  })
}

const secretOf = ({ LINK_SECRET }: App['config'], signIn: SignIn | null): string =>
  unseal(LINK_SECRET, signIn?.enrolling ?? '') ?? ''

/** The codes, on the answer itself: they are shown once. */
export function showCodes(
  { config }: Pick<App, 'config'>,
  reply: FastifyReply,
  codes: readonly string[] | null,
): FastifyReply {
  if (codes === null) return reply.redirect('/sign-in', 303)
  const title = reply.words.t('enter.codes.title')
  return reply.show('recovery-codes', { title, wide: false, codes, practice: config.practice })
}
