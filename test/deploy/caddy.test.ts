import { expect, test } from '@jest/globals'
import { signToken } from '../../src/core/tokens.ts'
import { providerEvents } from '../../src/db/schema/ledger.ts'
import { subscribers } from '../../src/db/schema/people.ts'
import { buildOperatorServer } from '../../src/http/operator/server.ts'
import { stampFor } from '../../src/http/public/join/form.ts'
import { buildServer } from '../../src/http/server.ts'
import { afterTest, aSession, aSubscriber, eventually, LINK_SECRET, type TestApp, testApp } from '../app.ts'
import { signedIn } from '../operator.ts'
import { signedWebhook } from '../resend/webhooks.ts'
import { HOST, OPERATORS_HOST, startCaddy } from './proxy.ts'

const ADAS_ID = 'AdasPublicId0000000000'
const PREFERENCES = `/preferences/${signToken(LINK_SECRET, 'preferences', ADAS_ID)}`
const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
/** What a visitor might send to pass for another, or for a program on the server. */
const POSING = {
  'x-forwarded-for': '203.0.113.9, 127.0.0.1',
  'x-forwarded-host': 'evil.test',
  'x-forwarded-proto': 'http',
  'x-real-ip': '203.0.113.9',
  forwarded: 'for=203.0.113.9;host=evil.test',
}

test('a visitor counts by their own address, whatever they say it is', async () => {
  const { ask, app } = await behindCaddy()
  const seen = async (from: string, headers = {}) =>
    JSON.parse((await ask('/whoami', { from, headers })).body)
  expect(await seen('127.1.0.2')).toEqual({ ip: '127.1.0.2', host: HOST, protocol: 'https' })
  expect(await seen('127.1.0.2', POSING)).toMatchObject({ ip: '127.1.0.2', protocol: 'https' })

  const signUp = async (from: string, n: number) => {
    const stamp = stampFor(app.config.LINK_SECRET, new Date(app.now().getTime() - 20_000))
    const body = String(new URLSearchParams({ email: `p${n}@sample.test`, tz: 'UTC', zq3: '', stamp }))
    const headers = { ...FORM, ...POSING, 'x-forwarded-for': `203.0.${n}.9` }
    return (await ask('/subscribe', { method: 'POST', headers, body, from })).status
  }
  const first = await Promise.all(Array.from({ length: 10 }, (_, n) => signUp('127.1.0.2', n)))
  expect(new Set(first)).toEqual(new Set([200]))
  expect(await signUp('127.1.0.9', 10)).toBe(429) // of the same network
  expect(await signUp('127.2.0.2', 11)).toBe(200)
})

test('the pages come through as they are, with each header once, and http leads to https', async () => {
  const { ask } = await behindCaddy()
  for (const path of ['/', '/sessions', '/feed.xml', '/healthz', '/nowhere', PREFERENCES]) {
    const { status, headers, names } = await ask(path, { headers: { 'accept-encoding': 'gzip, zstd, br' } })
    expect([path, status]).toEqual([path, path === '/nowhere' ? 404 : 200])
    expect(headers['strict-transport-security']).toBe('max-age=31536000')
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    for (const name of [
      'strict-transport-security',
      'content-security-policy',
      'cache-control',
      'referrer-policy',
    ])
      expect(names.filter((one) => one === name)).toEqual([name])
    expect(names).not.toContain('set-cookie')
    // A page of one person is not compressed: its size would depend on what it holds.
    expect(headers['content-encoding']).toBe(
      ['/', '/sessions', '/feed.xml'].includes(path) ? 'gzip' : undefined,
    )
  }
  expect((await ask('/nowhere')).body).toContain('<!doctype html>')
  const plain = await ask('/sessions?tz=UTC', { plain: true })
  expect(plain).toMatchObject({
    status: 308,
    headers: { location: expect.stringMatching(/^https:\/\/.*\/sessions\?tz=UTC$/) },
  })
})

test('nobody outside reads /metrics, however they write it, and a program on this machine does', async () => {
  const token = 'kT9vQ2mXw7LrPd4sHn8bYc3ZfGj6aEuR'
  for (const settings of [{}, { METRICS_TOKEN: token }]) {
    const { ask, port } = await behindCaddy(settings)
    const headers = { authorization: `Bearer ${token}` }
    for (const path of [
      '/metrics',
      '/metrics/',
      '/METRICS',
      '/%6detrics',
      '//metrics',
      '/x/../metrics',
      '/metrics?x=1',
    ])
      for (const posing of [
        {},
        { host: HOST, ...POSING },
        { connection: 'x-forwarded-for, x-forwarded-host' },
      ]) {
        const { status, body } = await ask(path, { headers: { ...headers, ...posing } })
        expect([path, status, body.includes('openseat_')]).toEqual([path, 404, false])
      }
    const direct = await fetch(`http://127.0.0.1:${port}/metrics`, { headers })
    expect([direct.status, (await direct.text()).includes('openseat_')]).toEqual([200, true])
  }
})

test.each([
  ['urlencoded', FORM, 'List-Unsubscribe=One-Click'],
  [
    'multipart',
    { 'content-type': 'multipart/form-data; boundary=b' },
    '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
  ],
  ['empty', {}, ''],
])('one click with a body that is %s unsubscribes at once', async (_, headers, body) => {
  const { app, ask } = await behindCaddy()
  const link = `/unsubscribe/${signToken(LINK_SECRET, 'unsubscribe', ADAS_ID)}`
  expect((await ask(link)).status).toBe(200)
  expect(statusOfAda(app)).toBe('active')
  const answer = await ask(link, { method: 'POST', headers, body })
  expect(answer.status).toBe(200)
  expect(answer.names).not.toContain('set-cookie')
  expect(answer.names).not.toContain('location')
  expect(statusOfAda(app)).toBe('unsubscribed')
})

test('a webhook arrives as it was signed, and what is too large does not', async () => {
  const { app, ask, arrived } = await behindCaddy({ RESEND_WEBHOOK_SECRET: WEBHOOK_SECRET })
  const post = (padding: number) => {
    const data = { email_id: 'of another program', padding: 'ü"\\ '.repeat(padding / 4) }
    const { headers, body } = signedWebhook(WEBHOOK_SECRET, {
      type: 'email.delivered',
      created_at: new Date().toISOString(),
      data,
    })
    return ask('/webhooks/resend', { method: 'POST', headers, body })
  }
  expect((await post(100_000)).status).toBe(200)
  expect(arrived()).toBe(1)
  // Either answer: Openseat refuses before it has read everything, and Caddy may still be writing then.
  for (const size of [270_000, 1_000_000]) expect([413, 502]).toContain((await post(size)).status)
  expect(app.db.select().from(providerEvents).all()).toHaveLength(1)
})

test('while Openseat is away, visitors read what to do', async () => {
  const { ask, stop, logged } = await behindCaddy()
  await stop()
  const answer = await ask(PREFERENCES)
  expect(answer).toMatchObject({
    status: 502,
    body: expect.stringContaining('try again in a minute'),
    headers: { 'retry-after': '60' },
  })
  expect(logged()).not.toContain(PREFERENCES)
})

// Caddy 2.6 does not log an error for which there is a page, so here there is none.
test('the log of an error does not say who the visitor is or what their link is', async () => {
  const { ask, stop, logged } = await behindCaddy(
    {},
    { without: /\n\thandle_errors \{[^}]*\{[^}]*\}[^}]*\}/g },
  )
  await stop()
  await ask(PREFERENCES, { from: '127.3.0.2', headers: { 'x-private': 'health' } })
  await eventually(() => logged().includes('connection refused'))
  for (const secret of [PREFERENCES.slice(-20), '127.3.0.2', 'health']) expect(logged()).not.toContain(secret)
})

test('the operators’ host leads to their pages, is closed to other networks, and shares nothing with the readers’', async () => {
  const origin = `https://${OPERATORS_HOST}`
  const app = await testApp({ settings: { TRUST_PROXY: '127.0.0.1', OPERATOR_URL: origin } })
  const operators = await buildOperatorServer(app)
  afterTest(() => operators.close())
  const { port } = new URL(await operators.listen({ host: '127.0.0.1', port: 0 }))
  const { ask } = await behindCaddy({}, { operators: Number(port) })
  const page = await ask('/sign-in', { host: OPERATORS_HOST })
  expect([page.status, page.body.includes('Nobody can sign in yet')]).toEqual([200, true])
  expect(page.headers['strict-transport-security']).toBe('max-age=31536000')
  await expect(ask('/sign-in', { host: OPERATORS_HOST, from: '127.2.0.2' })).rejects.toThrow()

  const who = await signedIn(app, 'owner')
  expect(who.cookie).toMatch(/^__Host-openseat=/)
  const today = await ask('/', { host: OPERATORS_HOST, headers: { cookie: who.cookie } })
  expect(today.body).toContain('What needs you')
  const forged = { cookie: who.cookie, origin: `https://${HOST}`, ...FORM }
  expect(
    (await ask('/hold', { host: OPERATORS_HOST, method: 'POST', headers: forged, body: '' })).status,
  ).toBe(403)
  expect((await ask('/sign-in')).status).toBe(404)
  // Under the name of one host in TLS, and of another in the request.
  const posing = await ask('/', { headers: { host: 'evil.test' } })
  expect([posing.body.includes('Harbor Groups'), posing.body.includes('needs you')]).toEqual([false, false])
  await expect(ask('/', { host: 'evil.test' })).rejects.toThrow()
})

/** The real server of an app, behind Caddy. `/whoami` says whom it takes the visitor for. */
async function behindCaddy(
  settings: Record<string, string> = {},
  changes: { more?: string; operators?: number; without?: RegExp } = {},
) {
  const app = await testApp({
    settings: { PUBLIC_URL: `https://${HOST}`, TRUST_PROXY: '127.0.0.1', ...settings },
  })
  aSession(app)
  aSubscriber(app, 'ada@sample.test', { publicId: ADAS_ID })
  const server = await buildServer(app)
  let arrived = 0
  server.addHook('onRequest', async ({ method }) => void (method === 'POST' && (arrived += 1)))
  server.get('/whoami', ({ ip, host, protocol }) => ({ ip, host, protocol }))
  const { port } = new URL(await server.listen({ host: '127.0.0.1', port: 0 }))
  afterTest(() => server.close())
  const caddy = await startCaddy({ upstream: Number(port), ...changes })
  return { app, port, ...caddy, arrived: () => arrived, stop: () => server.close() }
}

const statusOfAda = (app: TestApp) => app.db.select().from(subscribers).all()[0]?.status
