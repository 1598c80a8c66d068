import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, test } from '@jest/globals'
import { afterTest, LINK_SECRET, type TestApp, testApp } from '../../test/app.ts'
import { signToken } from '../core/tokens.ts'
import { CONNECTION_LIMITS, type ConnectionLimits } from './connections.ts'
import { buildServer } from './server.ts'

const TOKEN = signToken(LINK_SECRET, 'unsubscribe', 'AdasPublicId0000000000')
const QUICK: ConnectionLimits = { ...CONNECTION_LIMITS, request: 200, checkEvery: 20 }

test('a request ends within ten seconds, its headers too', async () => {
  const { server } = await buildServer(await testApp())
  const { request, silence, checkEvery } = CONNECTION_LIMITS
  expect(Math.max(request, silence) + checkEvery).toBeLessThan(10_000)
  expect(server).toMatchObject({
    requestTimeout: request,
    headersTimeout: request,
    keepAliveTimeout: silence,
  })
  expect(server).toMatchObject({ timeout: silence, maxConnections: 1_000 })
})

test.each([
  ['headers', `POST /unsubscribe/${TOKEN} HTTP/1.1\r\nHost: x\r\nX-Slow: `],
  ['body', `POST /unsubscribe/${TOKEN} HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n`],
])('%s of a byte now and then are cut off', async (_what, beginning) => {
  const socket = await client(await testApp(), QUICK)
  socket.write(beginning)
  const drip = setInterval(() => socket.write('a'), 10)
  socket.on('error', () => {})
  const answer = await text(socket).catch(() => 'reset')
  clearInterval(drip)
  expect(answer).toMatch(/^HTTP\/1.1 408 |^reset$/)
})

test('a connection too many is closed at once, and the log says so', async () => {
  const app = await testApp()
  const limits = { ...QUICK, request: 5_000, connections: 1 }
  const first = await client(app, limits)
  first.write(`GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`)
  await once(first, 'readable')
  const second = connect(first.remotePort ?? 0, '127.0.0.1')
  second.on('error', () => {})
  second.write(`GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`)
  await once(second, 'close')
  expect(second.bytesRead).toBe(0)
  expect(app.logged()).toContain('too many connections at once')
  first.destroy()
})

async function client(app: TestApp, limits: ConnectionLimits): Promise<Socket> {
  const server = await buildServer(app, limits)
  afterTest(() => server.close())
  const { port } = new URL(await server.listen({ host: '127.0.0.1', port: 0 }))
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  return socket
}
