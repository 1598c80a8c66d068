import type { FastifyInstance } from 'fastify'
import type { App } from '../app.ts'

/** How long a client may take, in ms, and how many connections there may be. */
export type ConnectionLimits = {
  /** From the first byte of a request to the end of its body. */
  request: number
  /** Without a byte in either direction. */
  silence: number
  /** How often requests are checked; one may last this much longer. */
  checkEvery: number
  /** Above this, a new connection is closed at once, because each one holds memory. */
  connections: number
}

/** Any request ends within ten seconds. */
export const CONNECTION_LIMITS: ConnectionLimits = {
  request: 9_000,
  silence: 9_000,
  checkEvery: 500,
  connections: 1_000,
}

/**
 * The limits as options of Fastify. Node needs both times when it creates the server: it uses the lower one for the headers
 * and the higher one for the whole request, and its default for the headers is 60 s.
 */
export function connectionOptions({ request, silence, checkEvery }: ConnectionLimits) {
  return {
    requestTimeout: request,
    connectionTimeout: silence,
    keepAliveTimeout: silence,
    http: { headersTimeout: request, requestTimeout: request, connectionsCheckingInterval: checkEvery },
  }
}

/** Limits the number of connections, and logs those it closes. */
export function boundConnections(server: FastifyInstance, log: App['log'], limits: ConnectionLimits): void {
  server.server.maxConnections = limits.connections
  server.server.on('drop', () =>
    log.warn({ limit: limits.connections }, 'too many connections at once: new ones are closed'),
  )
}
