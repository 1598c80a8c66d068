import { type MessagePort, workerData } from 'node:worker_threads'
import pg from 'pg'

// Runs one statement at a time for a thread that waits for it; see sync.ts.

export type Request = { url: string; text: string; values: unknown[]; arrays: boolean } | { close: string }
export type Answer = { rows: unknown[]; changes: number } | { error: { message: string; code?: string } }

const { port, done } = workerData as { port: MessagePort; done: Int32Array }
const clients = new Map<string, pg.Client>()
for (const type of [pg.types.builtins.INT8, pg.types.builtins.NUMERIC]) pg.types.setTypeParser(type, Number)

port.on('message', (request: Request) => void answer(request))

async function answer(request: Request): Promise<void> {
  port.postMessage(await run(request))
  Atomics.store(done, 0, 1)
  Atomics.notify(done, 0)
}

async function run(request: Request): Promise<Answer> {
  try {
    if ('close' in request) {
      await clients.get(request.close)?.end()
      clients.delete(request.close)
      return { rows: [], changes: 0 }
    }
    const { url, text, values, arrays } = request
    const client = clients.get(url) ?? (await connected(url))
    const query = { text, ...(values.length > 0 && { values }), ...(arrays && { rowMode: 'array' as const }) }
    const result = await client.query(query)
    const last = Array.isArray(result) ? result.at(-1) : result
    return { rows: last.rows as unknown[], changes: last.rowCount ?? 0 }
  } catch (error) {
    const { message, code } = error as { message: string; code?: string }
    return { error: { message, ...(code && { code }) } }
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => clients.delete(url))
  await client.connect()
  clients.set(url, client)
  return client
}
