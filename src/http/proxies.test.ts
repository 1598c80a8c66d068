import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import { afterTest, aSession, testApp } from '../../test/app.ts'
import { buildServer } from './server.ts'

const SECRET = 'kT9vQ2mXw7LrPd4sHn8bYc3ZfGj6aEuR'

test.each([
  [{ NODE_ENV: 'production' }, 1],
  [{ NODE_ENV: 'production', TRUST_PROXY: '127.0.0.1' }, 0],
  [{ NODE_ENV: 'production', PUBLIC_URL: 'http://localhost:3000' }, 0],
  [{ NODE_ENV: 'development' }, 0],
])('a start with %j warns of TRUST_PROXY %d times', async (settings, times) => {
  const app = await testApp({ settings: { LINK_SECRET: SECRET, ...settings } })
  await buildServer(app)
  expect(app.logged().match(/TRUST_PROXY is off: behind a proxy/g) ?? []).toHaveLength(times)
})

test('the first request that a proxy passed on is logged, once and without an address', async () => {
  const app = await testApp()
  const server = await buildServer(app)
  await server.inject('/healthz')
  expect(app.logged()).not.toContain('TRUST_PROXY')
  for (const last of [7, 8, 9])
    await server.inject({ url: '/healthz', headers: { 'x-forwarded-for': `203.0.113.${last}` } })
  expect(app.logged().match(/a proxy names visitors, and TRUST_PROXY is off/g)).toHaveLength(1)
  expect(app.logged()).not.toContain('203.0.113')
})

test.each([
  ['127.0.0.1', '203.0.113.7:5000', '203.0.113.7'],
  ['127.0.0.1', '203.0.113.7', '203.0.113.7'],
  ['127.0.0.1', '[2001:db8::1]:443', '2001:db8::1'],
  ['127.0.0.1', '[2001:db8::1]', '2001:db8::1'],
  ['127.0.0.1', '2001:db8::1', '2001:db8::1'],
  ['127.0.0.1,10.0.0.0/8', '203.0.113.7:5000, 10.0.0.1:443', '203.0.113.7'],
  ['2', '198.51.100.1, 203.0.113.7:1, 10.0.0.1:2', '203.0.113.7'],
])('with TRUST_PROXY=%s a visitor of "%s" comes from %s', async (TRUST_PROXY, hops, ip) => {
  const server = await buildServer(await testApp({ settings: { TRUST_PROXY } }))
  server.get('/whoami', (request) => request.ip)
  expect((await server.inject({ url: '/whoami', headers: { 'x-forwarded-for': hops } })).body).toBe(ip)
})

test('a request in absolute form gets no link to the host that it names', async () => {
  const app = await testApp()
  aSession(app)
  const server = await buildServer(app)
  afterTest(() => server.close())
  const { port } = new URL(await server.listen({ host: '127.0.0.1', port: 0 }))
  for (const path of ['http://evil.test/sessions?tz=UTC', 'https://evil.test?lang=es', 'HTTP://evil.test/']) {
    const [answer] = (await once(get({ port, path }), 'response')) as [IncomingMessage]
    const body = await text(answer)
    expect(answer.statusCode).toBe(200)
    expect(body).not.toContain('evil.test')
    const [link] = parse(body).querySelectorAll('a[hreflang]')
    expect(link?.getAttribute('href')).toMatch(/^\/(sessions)?\?/)
  }
})
