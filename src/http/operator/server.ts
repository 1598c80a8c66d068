import formbody from '@fastify/formbody'
import helmet from '@fastify/helmet'
import { type FastifyInstance, fastify } from 'fastify'
import type { App } from '../../app.ts'
import { openPasswords } from '../../core/operators/password.ts'
import { loadOperatorTemplates } from '../../templates/operator.ts'
import { boundConnections, CONNECTION_LIMITS, connectionOptions } from '../connections.ts'
import { listen, type Serving } from '../listen.ts'
import { trustedProxies } from '../proxies.ts'
import { logRequests } from '../request-log.ts'
import { addAuditRoutes } from './audit.ts'
import { addCheckRoutes } from './check.ts'
import { addEditionRoutes } from './editions/editions.ts'
import { addOperatorErrors } from './errors.ts'
import { guardRequests, refuseOpenRoutes } from './guard.ts'
import { addImportRoutes } from './import/import.ts'
import { addOperatorPages } from './pages.ts'
import { addPeopleRoutes } from './people.ts'
import { addReaderRoutes } from './readers/readers.ts'
import { addReleaseRoutes } from './release.ts'
import { addSessionRoutes } from './sessions/sessions.ts'
import { addAccountRoutes } from './sign-in/account.ts'
import { addEnrolRoutes, type DemoLink } from './sign-in/enrol.ts'
import { addSignInRoutes } from './sign-in/sign-in.ts'
import { addSuppressionRoutes } from './suppressions.ts'
import { addPreviewRoutes } from './today/preview.ts'
import { addTodayRoutes } from './today/today.ts'

const BODY_LIMIT_BYTES = 256 * 1024

/**
 * Serves the operators' pages on OPERATOR_HOST and OPERATOR_PORT until `close`; null where OPERATOR_PORT is `off`. Throws
 * `Unavailable` if it cannot listen there.
 */
export async function startOperatorServer(app: App, demo: DemoLink | null = null): Promise<Serving | null> {
  const { OPERATOR_HOST: host, OPERATOR_PORT: port, operatorOrigin } = app.config
  if (port === 'off') return null
  const settings = 'OPERATOR_HOST and OPERATOR_PORT'
  const serving = await listen(await buildOperatorServer(app, demo), { host, port, settings })
  app.log.info({ address: serving.address, at: operatorOrigin }, 'serving the operators’ pages')
  return serving
}

/**
 * The operators' server without a socket; tests use its `inject`. It shares no route with the public one. `demo` signs in
 * as an owner with one press; only the demo passes it.
 */
export async function buildOperatorServer(app: App, demo: DemoLink | null = null): Promise<FastifyInstance> {
  const { config } = app
  const templates = await loadOperatorTemplates({ folder: config.TEMPLATES_PATH, palette: config.palette })
  const server = fastify({
    logger: false, // Fastify's own log lines contain URLs
    trustProxy: trustedProxies(config.TRUST_PROXY),
    bodyLimit: BODY_LIMIT_BYTES,
    ...connectionOptions(CONNECTION_LIMITS),
    routerOptions: { ignoreTrailingSlash: true },
  })
  boundConnections(server, app.log, CONNECTION_LIMITS)
  logRequests(server, app)
  await server.register(helmet, safeHeaders(config.operatorOrigin))
  server.addHook('onRequest', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-robots-tag': 'noindex' })
  })
  refuseOpenRoutes(server)
  await guardRequests(server, app)
  addOperatorPages(server, app, templates)
  addOperatorErrors(server, app)
  server.removeAllContentTypeParsers()
  await server.register(formbody, { bodyLimit: BODY_LIMIT_BYTES })
  const passwords = openPasswords()
  addEnrolRoutes(server, app, passwords, demo)
  addSignInRoutes(server, app, passwords)
  addAccountRoutes(server, app, passwords)
  addTodayRoutes(server, app)
  addPreviewRoutes(server, app)
  addSessionRoutes(server, app)
  await addImportRoutes(server, app)
  addEditionRoutes(server, app)
  addReaderRoutes(server, app)
  addSuppressionRoutes(server, app)
  addCheckRoutes(server, app)
  addReleaseRoutes(server, app)
  addPeopleRoutes(server, app)
  addAuditRoutes(server, app)
  return server
}

/** Runs only our own scripts, which may not make HTML of text, and shares nothing with other windows. */
function safeHeaders(origin: string) {
  const own = ["'self'"]
  const none = ["'none'"]
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: none,
        scriptSrc: own,
        styleSrc: own,
        imgSrc: [...own, 'data:'],
        connectSrc: own,
        frameSrc: own,
        formAction: own,
        baseUri: none,
        frameAncestors: none,
        requireTrustedTypesFor: ["'script'"],
        trustedTypes: none,
      },
    },
    originAgentCluster: false, // the preview's sandboxed frame cannot have it, and the browser would warn of each page
    crossOriginOpenerPolicy: { policy: 'same-origin' as const },
    crossOriginResourcePolicy: { policy: 'same-origin' as const },
    referrerPolicy: { policy: 'no-referrer' as const },
    strictTransportSecurity: origin.startsWith('https:') && { maxAge: 31_536_000, includeSubDomains: false },
    xFrameOptions: { action: 'deny' as const },
  }
}
