import type { FastifyInstance } from 'fastify'

const DISPLAY_NAME = Symbol.for('fastify.display-name')

/**
 * Registers routes with their own parsers. Without a name for the plugin, Fastify would search all loaded modules for one,
 * which in a test takes longer than the routes.
 */
export async function registerScope(
  server: FastifyInstance,
  name: string,
  addRoutes: (scope: FastifyInstance) => Promise<void>,
): Promise<void> {
  await server.register(Object.assign(addRoutes, { [DISPLAY_NAME]: name }))
}
