import { hash } from 'node:crypto'
import type { FastifyInstance } from 'fastify'

/** Its path, with a hash of the content, so that browsers can cache it and still get the next version. */
export function serveFile(server: FastifyInstance, name: string, content: string, type: string): string {
  server.get(`/${name}`, { config: { may: 'anyone' } }, (_request, reply) =>
    reply.header('cache-control', 'public, max-age=31536000, immutable').type(type).send(content),
  )
  return `/${name}?${hash('sha256', content).slice(0, 12)}`
}
