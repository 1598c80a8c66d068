import helmet from '@fastify/helmet'
import { type FastifyInstance, fastify } from 'fastify'
import type { App } from '../app.ts'
import { Unavailable } from '../core/errors.ts'
import { addCalendarRoutes } from './calendar.ts'
import { addErrorPages } from './errors.ts'
import { addFeed } from './feed.ts'
import { addHealthRoutes } from './health.ts'
import { addJoinRoutes } from './join.ts'
import { addPages } from './pages.ts'
import { addPreferencesRoutes } from './preferences.ts'
import { addSubscriptionRoutes } from './subscription.ts'
import { addTimesRoutes } from './times.ts'
import { addWebhookRoute } from './webhooks.ts'

/** The parts of the program that the web needs. */
export type Web = Pick<App, 'config' | 'db' | 'hashKey' | 'log' | 'now'> & {
  queue: Pick<App['queue'], 'backlog' | 'limits' | 'wakeNotices'>
}

const BODY_LIMIT_BYTES = 64 * 1024
const REQUEST_LIMIT_MS = 10_000
const SILENCE_LIMIT_MS = 15_000
// Node refuses a longer request line itself, so no token is too long for a calm answer.
const LONGEST_PARAM = 16 * 1024

/**
 * Serves the pages on HOST and PORT until `close`, which finishes the requests in flight.
 * Throws `Unavailable` when it cannot listen there.
 */
export async function startServer(app: Web): Promise<{ address: string; close(): Promise<void> }> {
  const server = await buildServer(app)
  const { HOST: host, PORT: port } = app.config
  try {
    const address = await server.listen({ host, port })
    app.log.info({ address }, 'serving pages')
    return { address, close: async () => server.close() }
  } catch (error) {
    await server.close()
    const why = `cannot listen on ${host}:${port} (${(error as NodeJS.ErrnoException).code})`
    throw new Unavailable(`${why}; set HOST and PORT to an address that is free`, { cause: error })
  }
}

/** The server without a socket; tests ask it through `inject`. Throws when the layout or the stylesheet is missing. */
export async function buildServer(app: Web): Promise<FastifyInstance> {
  const server = fastify({
    // Fastify's own lines hold addresses of pages, and so tokens; `logRequests` writes ours.
    logger: false,
    trustProxy: trustedProxies(app.config.TRUST_PROXY),
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_LIMIT_MS,
    // Of silence on a connection: ends a client that would keep `close` waiting.
    connectionTimeout: SILENCE_LIMIT_MS,
    http: { connectionsCheckingInterval: 2_000 },
    routerOptions: { maxParamLength: LONGEST_PARAM },
    rewriteUrl: ({ url = '/' }) => (canDecode(url) ? url : '/not-found'),
  })
  logRequests(server, app)
  dropBodies(server)
  await server.register(helmet, safeHeaders(app.config.PUBLIC_URL))
  keepPrivate(server)
  await addPages(server, app.config)
  await addErrorPages(server, app)
  addHealthRoutes(server, app)
  await addJoinRoutes(server, app)
  await addTimesRoutes(server, app)
  addCalendarRoutes(server, app)
  addFeed(server, app)
  addSubscriptionRoutes(server, app)
  await addPreferencesRoutes(server, app)
  await addWebhookRoute(server, app)
  return server
}

/** Whom to believe in `X-Forwarded-For`: nobody, the last so many hops, or proxies at these addresses. */
function trustedProxies(setting: string) {
  if (setting === 'off') return false
  // Fastify takes a plain number for "nobody", since it cannot see whether the last hop is a proxy at all.
  return /^\d$/.test(setting) ? (_address: string, hop: number) => hop < Number(setting) : setting
}

/** Fastify answers a broken escape (`%zz`) before any hook, with the address in the answer; ours gets the usual page. */
function canDecode(url: string): boolean {
  try {
    decodeURIComponent(url.split('?', 1)[0] ?? '')
    return true
  } catch {
    return false
  }
}

/** One line per answer: the pattern of the route, never the address that was asked for, nor who asked. */
function logRequests(server: FastifyInstance, { log }: Pick<Web, 'log'>): void {
  server.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    const route = routeOptions.url ?? 'none'
    const level = route === '/healthz' || route === '/readyz' ? 'debug' : 'info'
    log[level]({ method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'answered')
  })
}

/**
 * Reads and forgets every body, whatever its type and however broken: what a link does is in its token, so one-click
 * works as urlencoded, as multipart and empty (RFC 8058 §3.2). A route that wants its body registers a parser of its own.
 */
function dropBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, async () => undefined)
}

/** Nothing from elsewhere, no script at all, nothing told to the next site. */
function safeHeaders(publicUrl: string) {
  const own = ["'self'"]
  const none = ["'none'"]
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: none,
        styleSrc: own,
        formAction: own,
        baseUri: none,
        frameAncestors: none,
      },
    },
    referrerPolicy: { policy: 'no-referrer' as const },
    // Only for this name: what else lives under the practice's domain is not ours to decide.
    strictTransportSecurity: publicUrl.startsWith('https:') && {
      maxAge: 31_536_000,
      includeSubDomains: false,
    },
    xFrameOptions: { action: 'deny' as const },
  }
}

/** Pages are not kept by caches nor found by search; public ones say otherwise. */
function keepPrivate(server: FastifyInstance): void {
  server.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-robots-tag': 'noindex' })
  })
}
