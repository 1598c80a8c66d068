import { setTimeout } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { App } from '../app.ts'
import { sessionsVersion } from '../db/sessions.ts'

type Needs = Pick<App, 'db'> & { queue: Pick<App['queue'], 'backlog'> }

const PATIENCE_MS = 2_000

/** `/healthz`: this process is alive. `/readyz`: so are the database and Redis; 503 names the one that is not. */
export function addHealthRoutes(server: FastifyInstance, app: Needs): void {
  server.get('/healthz', async () => ({ status: 'ok' }))
  server.get('/readyz', async (_request, reply) => {
    const [database, redis] = await Promise.all([
      answers(async () => sessionsVersion(app.db)),
      answers(async () => app.queue.backlog()),
    ])
    const ready = database && redis
    return reply.code(ready ? 200 : 503).send({
      status: ready ? 'ok' : 'unavailable',
      database: database ? 'ok' : 'unavailable',
      redis: redis ? 'ok' : 'unavailable',
    })
  })
}

/** Whether `ask` gives anything but null in time. */
async function answers(ask: () => Promise<number | null>): Promise<boolean> {
  const tooLate = setTimeout(PATIENCE_MS, null, { ref: false })
  return Promise.race([ask(), tooLate]).then(
    (answer) => answer !== null,
    () => false,
  )
}
