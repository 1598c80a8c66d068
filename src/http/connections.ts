import type { FastifyInstance } from 'fastify'
import type { App } from '../app.ts'

/** How long a client may take and how many there may be at once; times in ms. */
export type ConnectionLimits = {
  /** From the first byte of a request to the last of its body. */
  request: number
  /** Without a byte, in either direction. */
  silence: number
  /** How often requests are looked at; one may last that much longer. */
  checkEvery: number
  /** Beyond, a new connection is closed at once: each holds memory, however little it sends. */
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
 * The limits as Fastify takes them. Node needs both times when it makes the server: it takes the lower of them for the
 * headers and the higher for the whole request, and its own for the headers is 60 s.
 */
export function connectionOptions({ request, silence, checkEvery }: ConnectionLimits) {
  return {
    requestTimeout: request,
    connectionTimeout: silence,
    keepAliveTimeout: silence,
    http: { headersTimeout: request, requestTimeout: request, connectionsCheckingInterval: checkEvery },
  }
}

/** Bounds the number of connections; what is closed for it is logged. */
export function boundConnections(server: FastifyInstance, log: App['log'], limits: ConnectionLimits): void {
  server.server.maxConnections = limits.connections
  server.server.on('drop', () =>
    log.warn({ limit: limits.connections }, 'too many connections at once: new ones are closed'),
  )
}
