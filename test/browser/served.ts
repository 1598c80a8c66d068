import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { startServer } from '../../src/http/server.ts'
import { afterTest, aSession, type TestApp, testApp } from '../app.ts'

/** An app whose pages are served where its emails link to. Only the test submits anything. */
export async function aServedApp(): Promise<{ app: TestApp; url: string }> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const app = await testApp({ settings: { PUBLIC_URL: url, HOST: '127.0.0.1', PORT: String(port) } })
  aSession(app, { seatsTotal: 8, seatsLeft: 2 })
  aSession(app, { topic: 'ocd', group: 'Loose Ends', therapist: 'Dr. Bartholomew Featherstonehaugh' })
  const server = await startServer(app)
  afterTest(() => server.close())
  return { app, url }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await once(probe.close(), 'close')
  return port
}
