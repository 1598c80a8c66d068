import type { FastifyInstance } from 'fastify'
import { namesOfLeftOut } from '../actions/sessions/left-out.ts'
import { readiness } from '../doctor/readings.ts'

type Needs = Parameters<typeof readiness>[0]

/**
 * `/healthz`: this process is alive. `/readyz`: so are the database, Redis and the disk, and nothing is held; 503 says
 * which part is not in order. Sessions that cannot be read are named under `left_out`, and stop nothing.
 */
export function addHealthRoutes(server: FastifyInstance, app: Needs): void {
  server.get('/healthz', async () => ({ status: 'ok' }))
  server.get('/readyz', async (_request, reply) => {
    const parts = await readiness(app)
    const ready = Object.values(parts).every((state) => state === 'ok')
    const names = parts.database === 'ok' ? await namesOfLeftOut(app.db) : []
    const leftOut = names.length > 0 && { left_out: names }
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'unavailable', ...parts, ...leftOut })
  })
}
