import helmet from '@fastify/helmet'
import { type FastifyInstance, fastify } from 'fastify'
import type { App } from '../app.ts'
import { READER } from '../core/operators/actor.ts'
import { storeFor } from '../db/store.ts'
import { boundConnections, CONNECTION_LIMITS, connectionOptions } from './connections.ts'
import { addErrorPages } from './errors.ts'
import { addHealthRoutes } from './health.ts'
import { guardLinks, tidyLink } from './links.ts'
import { listen, type Serving } from './listen.ts'
import { addMetricsRoute } from './metrics.ts'
import { trustedProxies, watchProxies } from './proxies.ts'
import { addJoinRoutes } from './public/join/join.ts'
import { requestLimiter } from './public/join/limits.ts'
import { addNotMeRoutes } from './public/join/not-me.ts'
import { addPages } from './public/pages.ts'
import { addAddressRoutes } from './public/preferences/address-change.ts'
import { addFreshLinkRoutes } from './public/preferences/fresh-links.ts'
import { addPreferencesRoutes } from './public/preferences/preferences.ts'
import { addSubscriptionRoutes } from './public/preferences/subscription.ts'
import { addRestoredTabs } from './public/restored-tabs.ts'
import { addCalendarRoutes } from './public/times/calendar.ts'
import { addFeed } from './public/times/feed.ts'
import { addTimesRoutes } from './public/times/times.ts'
import { logRequests } from './request-log.ts'
import { addWebhookRoute } from './webhooks.ts'

/** The parts of the program that the web needs. */
export type Web = Pick<
  App,
  'config' | 'store' | 'hashKey' | 'log' | 'metrics' | 'now' | 'pace' | 'templates'
> & {
  queue: Pick<App['queue'], 'backlog' | 'limits' | 'stats' | 'wakeNotices' | 'workers'>
}

const BODY_LIMIT_BYTES = 64 * 1024
// Node refuses a longer request line itself, so no token is too long for our own answer.
const LONGEST_PARAM = 16 * 1024

/**
 * Serves the pages on HOST and PORT until `close`, which lets current requests finish. Throws `Unavailable` if it cannot
 * listen there.
 */
export async function startServer(app: Web): Promise<Serving> {
  const serving = await listen(await buildServer(app), {
    host: app.config.HOST,
    port: app.config.PORT,
    settings: 'HOST and PORT',
  })
  app.log.info({ address: serving.address }, 'serving pages')
  return serving
}

/**
 * Serves `/metrics`, `/healthz` and `/readyz` alone, on HOST and `port`: for a worker, which has no pages.
 * Throws `Unavailable` if it cannot listen there.
 */
export async function startWatchServer(app: Web, port: number): Promise<Serving> {
  const server = fastify({
    logger: false,
    ...connectionOptions(CONNECTION_LIMITS),
  })
  boundConnections(server, app.log, CONNECTION_LIMITS)
  addHealthRoutes(server, app)
  addMetricsRoute(server, app)
  const serving = await listen(server, { host: app.config.HOST, port, settings: 'HOST and METRICS_PORT' })
  app.log.info({ address: serving.address }, 'serving metrics')
  return serving
}

/** The server without a socket; tests use its `inject`. Throws if the layout or the stylesheet is missing. */
export async function buildServer(program: Web, limits = CONNECTION_LIMITS): Promise<FastifyInstance> {
  const app = { ...program, store: storeFor(program.store, READER) }
  const server = fastify({
    // Fastify's own log lines contain URLs, and so tokens. `logRequests` writes ours.
    logger: false,
    trustProxy: trustedProxies(app.config.TRUST_PROXY),
    bodyLimit: BODY_LIMIT_BYTES,
    ...connectionOptions(limits),
    routerOptions: { maxParamLength: LONGEST_PARAM, ignoreTrailingSlash: true },
    rewriteUrl: ({ url = '/' }) => {
      const tidy = tidyLink(withoutHost(url))
      return canDecode(tidy) ? tidy : '/not-found'
    },
  })
  boundConnections(server, app.log, limits)
  watchProxies(server, app)
  logRequests(server, app)
  dropBodies(server)
  await server.register(helmet, safeHeaders(app.config))
  keepPrivate(server)
  addPages(server, app)
  await addErrorPages(server, app)
  guardLinks(server, app)
  addHealthRoutes(server, app)
  addMetricsRoute(server, app)
  const limit = await requestLimiter(server, app)
  await addJoinRoutes(server, app, limit)
  await addTimesRoutes(server, app)
  addCalendarRoutes(server, app)
  addFeed(server, app)
  addSubscriptionRoutes(server, app)
  await addPreferencesRoutes(server, app, limit)
  await addFreshLinkRoutes(server, app, limit)
  addAddressRoutes(server, app)
  addNotMeRoutes(server, app)
  addRestoredTabs(server, app)
  await addWebhookRoute(server, program)
  return server
}

/** Fastify answers a broken escape (`%zz`) before any hook, with the URL in the answer. This gives it the usual page. */
function canDecode(url: string): boolean {
  try {
    decodeURIComponent(url.split('?', 1)[0] ?? '')
    return true
  } catch {
    return false
  }
}

/** The path of a request in absolute form (RFC 9112 §3.2.2). A page that repeats the URL would link to the host in it. */
const withoutHost = (url: string): string =>
  url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '').replace(/^(?!\/)/, '/')

/**
 * Reads and drops every body of any type, even a broken one: the token in a link says what it does. So one-click works with
 * an urlencoded, multipart, or empty body (RFC 8058 §3.2). A route that needs its body registers its own parser.
 */
function dropBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, async () => undefined)
}

/** Allows nothing from other hosts and no scripts, and sends no referrer to the next site. */
function safeHeaders({ PUBLIC_URL, BRAND_LOGO_URL }: Web['config']) {
  const own = ["'self'"]
  const none = ["'none'"]
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: none,
        styleSrc: own,
        imgSrc: BRAND_LOGO_URL ? [...own, new URL(BRAND_LOGO_URL).origin] : own,
        formAction: own,
        baseUri: none,
        frameAncestors: none,
      },
    },
    referrerPolicy: { policy: 'no-referrer' as const },
    // Only for this host name: other sites under the practice's domain are not ours to decide about.
    strictTransportSecurity: PUBLIC_URL.startsWith('https:') && {
      maxAge: 31_536_000,
      includeSubDomains: false,
    },
    xFrameOptions: { action: 'deny' as const },
  }
}

/** Keeps pages out of caches and search engines, unless a public page says otherwise. */
function keepPrivate(server: FastifyInstance): void {
  server.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-robots-tag': 'noindex' })
  })
}
