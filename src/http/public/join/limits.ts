import { createHmac } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import rateLimit, { normalizeIP } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { App } from '../../../app.ts'

type Needs = Pick<App, 'hashKey' | 'now'> & { queue: Pick<App['queue'], 'limits'> }

/**
 * Whether a request may cause an email. `nth`: its number among those of its network in the last hour. `unknown`: Redis does
 * not answer.
 */
export type SignUpLimit = { kind: 'ok'; nth: number } | { kind: 'network' | 'address' | 'unknown' }
export type RequestLimiter = (request: FastifyRequest, email?: string) => Promise<SignUpLimit>

const HOUR_MS = 3_600_000
/** Requests per hour from one network: an IPv4 /24 or an IPv6 /48, about one household, office, or host. */
const PER_NETWORK_AN_HOUR = 10
/** Sign-ups per hour for one address, from anywhere. Above this, not even the database is asked. */
const PER_ADDRESS_AN_HOUR = 10
const PATIENCE_MS = 1_500

/**
 * Counts in Redis what strangers cause, by network and by the address in the form, if there is one. It stores neither: the
 * keys are keyed hashes that cannot be linked to those of another day. `email` is normalized.
 */
export async function requestLimiter(server: FastifyInstance, app: Needs): Promise<RequestLimiter> {
  const emails = new WeakMap<FastifyRequest, string>()
  await server.register(rateLimit, { global: false, ...app.queue.limits })
  const perNetwork = server.createRateLimit({
    max: PER_NETWORK_AN_HOUR,
    timeWindow: HOUR_MS,
    keyGenerator: ({ ip }) => hashed(app, 'network', networkOf(ip)),
  })
  const perAddress = server.createRateLimit({
    max: PER_ADDRESS_AN_HOUR,
    timeWindow: HOUR_MS,
    keyGenerator: (request) => hashed(app, 'address', emails.get(request) ?? ''),
  })
  return async (request, email) => {
    if (email !== undefined) emails.set(request, email)
    const count = async (): Promise<SignUpLimit> => {
      const network = await perNetwork(request)
      if (network.isAllowed) return { kind: 'ok', nth: 1 }
      if (network.isExceeded) return { kind: 'network' }
      const address = email === undefined ? null : await perAddress(request)
      if (address && !address.isAllowed && address.isExceeded) return { kind: 'address' }
      return { kind: 'ok', nth: network.max - network.remaining }
    }
    const patience = setTimeout(PATIENCE_MS, { kind: 'unknown' } as const, { ref: false })
    return Promise.race([count(), patience]).catch(() => ({ kind: 'unknown' }))
  }
}

/** `203.0.113.7` is in `203.0.113`. For IPv6 it is the first 48 bits, which a customer usually gets. */
export function networkOf(ip: string): string {
  const network = normalizeIP(ip, 48)
  return network.includes(':') ? network : network.replace(/\.\d+$/, '')
}

function hashed({ hashKey, now }: Needs, kind: string, value: string): string {
  const day = now().toISOString().slice(0, 10)
  return `${kind}:${createHmac('sha256', hashKey).update(`limit:${day}:${value}`).digest('base64url')}`
}
