import type { FastifyInstance } from 'fastify'
import { Unavailable } from '../core/errors.ts'

/** A server that answers at `address` until `close`, which lets current requests finish. */
export type Serving = { address: string; close(): Promise<void> }

/** Listens there. Throws `Unavailable`, which names the settings that say where, if it cannot. */
export async function listen(
  server: FastifyInstance,
  { host, port, settings }: { host: string; port: number; settings: string },
): Promise<Serving> {
  try {
    const address = await server.listen({ host, port })
    return { address, close: async () => server.close() }
  } catch (error) {
    await server.close()
    const why = `cannot listen on ${host}:${port} (${(error as NodeJS.ErrnoException).code})`
    throw new Unavailable(`${why}; set ${settings} to an address that is free`, { cause: error })
  }
}
