import cookie from '@fastify/cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { NotAllowed } from '../../actions/operators/acting.ts'
import type { App } from '../../app.ts'
import { type Actor, READER } from '../../core/operators/actor.ts'
import { mayDo, type Permission } from '../../core/operators/permissions.ts'
import { hashOf } from '../../core/operators/token.ts'
import { findSignIn, type SignIn } from '../../db/operators/sign-ins.ts'

/** A route as it was added, and who may ask for it. */
export type KnownRoute = { method: string; url: string; may: string }

declare module 'fastify' {
  interface FastifyInstance {
    known: readonly KnownRoute[]
  }
  interface FastifyContextConfig {
    /** Who may ask for an operators' route. One that does not say keeps the server from starting. */
    may?: Permission | 'anyone' | 'signed-in' | 'enrolling'
  }
  interface FastifyRequest {
    /** The browser's sign-in, or null. */
    signIn: SignIn | null
    /** On whose behalf the request is; a reader, who may nothing, while nobody is signed in. */
    actor: Actor
  }
}

type Needs = Pick<App, 'config' | 'store' | 'now'>

/** Routes may only be added with `may` in their config, so that none is open by an oversight. `known` lists them. */
export function refuseOpenRoutes(server: FastifyInstance): void {
  const known: KnownRoute[] = []
  server.decorate('known', known)
  server.addHook('onRoute', ({ method, url, config }) => {
    if (config?.may === undefined) throw new Error(`the route ${url} does not say who may ask for it`)
    for (const one of [method].flat()) known.push({ method: one, url, may: config.may })
  })
}

/**
 * Looks at every request before its route: the host it was sent to, the site it came from, who is signed in, and whether
 * they may ask for this.
 */
export async function guardRequests(server: FastifyInstance, app: Needs): Promise<void> {
  await server.register(cookie)
  server.decorateRequest('signIn', null)
  server.decorateRequest('actor')
  const { host } = new URL(app.config.operatorOrigin)
  server.addHook('onRequest', async (request, reply) => {
    request.actor = READER
    // A page that names another host for this address could read the answers (DNS rebinding).
    if (request.headers.host !== host) return refuse(reply, 421, 'This address does not answer to that name.')
    if (!isSafe(request.method) && !isSameOrigin(request, app.config.operatorOrigin))
      return refuse(reply, 403, 'This form was sent from another site.')
    request.signIn = await signInOf(request, app)
    if (request.signIn?.enrolling === null) request.actor = actorOf(request.signIn)
  })
  server.addHook('preHandler', async (request, reply) => {
    const may = request.is404 ? 'anyone' : request.routeOptions.config.may
    if (may === 'anyone') return
    if (!request.signIn) return toSignIn(request, reply)
    const isEnrolling = request.signIn.enrolling !== null
    if (isEnrolling !== (may === 'enrolling')) return reply.redirect(isEnrolling ? '/enrol' : '/', 303)
    if (may === 'enrolling') return
    if (may !== 'signed-in' && (may === undefined || !mayDo(request.actor, may))) throw new NotAllowed(may)
  })
}

/** The name of the cookie: with the prefix, browsers keep it to this host and to https. */
export const cookieName = (origin: string): string =>
  isPlainLoopback(origin) ? 'openseat' : '__Host-openseat'

/** Only for the demo on this machine: there browsers refuse the prefix and `Secure`. */
const isPlainLoopback = (origin: string): boolean => /^http:\/\/127\.0\.0\.1(:\d+)?$/.test(origin)

async function signInOf(request: FastifyRequest, { config, store, now }: Needs): Promise<SignIn | null> {
  const token = request.cookies[cookieName(config.operatorOrigin)]
  if (!token) return null
  const idleMs = config.OPERATOR_IDLE_MINUTES * 60_000
  return findSignIn(store, hashOf(token), { now: now(), idleMs })
}

const actorOf = ({ id, operatorId, role, provenAt, network }: SignIn) => ({
  kind: 'operator' as const,
  id: operatorId,
  role,
  signInId: id,
  provenAt,
  network,
})

const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD'

/** Browsers say where a form comes from, and no page can change that. https://www.w3.org/TR/fetch-metadata/ */
function isSameOrigin({ headers }: FastifyRequest, origin: string): boolean {
  const site = headers['sec-fetch-site']
  return site === undefined ? headers.origin === origin : site === 'same-origin'
}

function toSignIn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const next = isSafe(request.method) && request.url !== '/' ? `?next=${encodeURIComponent(request.url)}` : ''
  return reply.redirect(`/sign-in${next}`, 303)
}

function refuse(reply: FastifyReply, status: number, why: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${why}\n`)
}

/** The page that asks for a fresh proof and then goes on to `next`. */
export const proofPage = (next: string): string => `/prove?next=${encodeURIComponent(next)}`
