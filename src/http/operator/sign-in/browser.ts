import type { FastifyReply, FastifyRequest } from 'fastify'
import { deviceIn } from '../../../core/operators/device.ts'
import { networkOf } from '../../public/join/limits.ts'
import { cookieName } from '../guard.ts'

/** Where a request comes from, as a sign-in keeps it. */
export const fromOf = ({ ip, headers, signIn }: FastifyRequest) => ({
  network: networkOf(ip),
  device: deviceIn(headers['user-agent']),
  instead: signIn?.id ?? null,
})

/** Gives the browser the cookie of a sign-in. It ends with the browser, or with the sign-in. */
export function giveCookie(reply: FastifyReply, origin: string, cookie: string): FastifyReply {
  const name = cookieName(origin)
  const secure = name.startsWith('__Host-')
  return reply.setCookie(name, cookie, { path: '/', httpOnly: true, secure, sameSite: 'lax' })
}

/** Takes the cookie, and everything else that the browser kept of our pages. */
export function takeCookie(reply: FastifyReply, origin: string): FastifyReply {
  const name = cookieName(origin)
  return reply
    .header('clear-site-data', '"cache", "cookies", "storage"')
    .clearCookie(name, { path: '/', httpOnly: true, secure: name.startsWith('__Host-'), sameSite: 'lax' })
}

/** A path of ours to go on to, or `/`. Nothing else, so that no link can lead from a sign-in to another site. */
export function nextIn(given: unknown, origin: string): string {
  if (typeof given !== 'string' || !/^\/(?![/\\])/.test(given)) return '/'
  const url = URL.parse(given, origin)
  return url?.origin === origin ? `${url.pathname}${url.search}` : '/'
}

/** A field of a form as text; '' if it is missing or was sent twice. */
export function fieldOf(body: unknown, name: string): string {
  const value = (body as Record<string, unknown> | null | undefined)?.[name]
  return typeof value === 'string' ? value : ''
}

/** The answer of a passkey in a form, which the script put there; null if it is no JSON object. */
export function passkeyIn<Response>(body: unknown): Response | null {
  try {
    const read: unknown = JSON.parse(fieldOf(body, 'passkey'))
    return typeof read === 'object' && read !== null ? (read as Response) : null
  } catch {
    return null
  }
}
