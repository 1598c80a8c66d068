import { isIP } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { App } from '../app.ts'

type Needs = Pick<App, 'config' | 'log'>

const ADVICE = 'set TRUST_PROXY to the address of the proxy, for example 127.0.0.1'

/** Whom to trust in `X-Forwarded-For`: no one, this many last hops, or proxies at these addresses. */
export function trustedProxies(setting: string) {
  if (setting === 'off') return false
  // Fastify treats a plain number as "no one", because it cannot see whether the last hop is a proxy.
  return /^\d$/.test(setting) ? (_address: string, hop: number) => hop < Number(setting) : setting
}

/** Warns that TRUST_PROXY is off: at the start in production, and when the first request came through a proxy. */
export function watchProxies(server: FastifyInstance, { config, log }: Needs): void {
  if (config.TRUST_PROXY !== 'off') return readPlainAddresses(server)
  if (config.NODE_ENV === 'production' && config.PUBLIC_URL.startsWith('https:'))
    log.warn(`TRUST_PROXY is off: behind a proxy ten sign-ups an hour close the list to everyone; ${ADVICE}`)
  let seen = false
  server.addHook('onRequest', async ({ headers }) => {
    if (seen || headers['x-forwarded-for'] === undefined) return
    seen = true
    log.warn(`a proxy names visitors, and TRUST_PROXY is off, so all of them count as one; ${ADVICE}`)
  })
}

/** Some proxies add the visitor's port. Each port would count as another network, and such a proxy would not be trusted. */
function readPlainAddresses(server: FastifyInstance): void {
  server.addHook('onRequest', async ({ raw: { headers } }) => {
    const hops = headers['x-forwarded-for']
    if (hops !== undefined) headers['x-forwarded-for'] = String(hops).split(',').map(withoutPort).join(',')
  })
}

/** `192.0.2.7` of `192.0.2.7:5000`, `2001:db8::1` of `[2001:db8::1]:5000` and of `[2001:db8::1]`; others as they are. */
function withoutPort(hop: string): string {
  const [, four, six] = /^\s*(?:([\d.]+):\d+|\[([\da-f:.]+)\](?::\d+)?)\s*$/i.exec(hop) ?? []
  const address = four ?? six ?? ''
  return isIP(address) === 0 ? hop.trim() : address
}
