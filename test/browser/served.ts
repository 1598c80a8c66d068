import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { startOperatorServer } from '../../src/http/operator/server.ts'
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

/** The same with the operators' pages, at the name of this machine, where browsers make passkeys. */
export async function aServedOperators(): Promise<{ app: TestApp; url: string }> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const settings = {
    OPERATOR_URL: url,
    OPERATOR_PORT: String(port),
    RESEND_WEBHOOK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  }
  const app = await testApp({ settings })
  const server = await startOperatorServer(app)
  afterTest(async () => server?.close())
  return { app, url }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await once(probe.close(), 'close')
  return port
}
