import type { FastifyInstance } from 'fastify'
import { namesOfLeftOut } from '../actions/sessions/left-out.ts'
import { readiness } from '../doctor/readings.ts'

type Needs = Parameters<typeof readiness>[0]

/**
 * `/healthz`: this process is alive. `/readyz`: the database, Redis, and the disk work too, and there is no hold; a 503 says
 * which part fails. Sessions that cannot be read are listed in `left_out`, and do not make it fail.
 */
export function addHealthRoutes(server: FastifyInstance, app: Needs): void {
  server.get('/healthz', async () => ({ status: 'ok' }))
  server.get('/readyz', async (_request, reply) => {
    const parts = await readiness(app)
    const ready = Object.values(parts).every((state) => state === 'ok')
    const names = parts.database === 'ok' ? await namesOfLeftOut(app.store) : []
    const leftOut = names.length > 0 && { left_out: names }
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'unavailable', ...parts, ...leftOut })
  })
}
