import type { FastifyInstance } from 'fastify'

const DISPLAY_NAME = Symbol.for('fastify.display-name')

/**
 * Registers routes with parsers of their own. Fastify finds the name of a plugin without one by going through every
 * loaded module, which takes a test longer than the routes do.
 */
export async function registerScope(
  server: FastifyInstance,
  name: string,
  addRoutes: (scope: FastifyInstance) => Promise<void>,
): Promise<void> {
  await server.register(Object.assign(addRoutes, { [DISPLAY_NAME]: name }))
}
