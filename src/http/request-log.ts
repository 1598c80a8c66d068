import type { FastifyInstance } from 'fastify'
import type { App } from '../app.ts'

const ASKED_BY_PROGRAMS = new Set(['/healthz', '/readyz', '/metrics'])

/** Logs one line per answer: the pattern of the route, but never the URL or the visitor. */
export function logRequests(server: FastifyInstance, { log }: Pick<App, 'log'>): void {
  server.addHook('onResponse', async ({ method, routeOptions }, reply) => {
    const route = routeOptions.url ?? 'none'
    const level = ASKED_BY_PROGRAMS.has(route) ? 'debug' : 'info'
    log[level]({ method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'answered')
  })
}
