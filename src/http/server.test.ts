import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import { aSubscriber, LINK_SECRET, testApp } from '../../test/app.ts'
import { signToken } from '../core/tokens.ts'
import { installation } from '../db/schema/installation.ts'
import { openSqlite } from '../db/sqlite/open.ts'
import { findProgram, redisServer } from '../machine/find-program.ts'
import { startPrivateRedis } from '../redis/private-redis.ts'
import { buildServer, startServer } from './server.ts'

const TOKEN = signToken(LINK_SECRET, 'unsubscribe', 'AdasPublicId0000000000')

test('every answer is kept from caches, scripts, frames and the next site, and sets no cookie', async () => {
  const server = await buildServer(await testApp())
  const asked = ['/healthz', '/nowhere', `/unsubscribe/${TOKEN}`, `/preferences/${TOKEN}`]
  for (const url of asked) {
    const { headers } = await server.inject(url)
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy':
        "default-src 'none';style-src 'self';img-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
    })
    expect(headers).not.toHaveProperty('set-cookie')
  }
})

test('an address with a slash at its end is the same page', async () => {
  const server = await buildServer(await testApp())
  for (const url of ['/sessions', '/healthz', '/feed.xml', `/unsubscribe/${TOKEN}`])
    expect([url, (await server.inject(`${url}/`)).statusCode]).toEqual([url, 200])
  const form = { method: 'POST', url: '/subscribe/', payload: '' } as const
  expect((await server.inject(form)).statusCode).not.toBe(404)
})

test('search engines may list the public pages and no other', async () => {
  const server = await buildServer(await testApp())
  const robots = async (url: string) => (await server.inject(url)).headers['x-robots-tag']
  expect([await robots('/'), await robots('/sessions')]).toEqual([undefined, undefined])
  for (const url of [`/unsubscribe/${TOKEN}`, `/preferences/${TOKEN}`, `/unsubscribe/${TOKEN}/more`])
    expect(await robots(url)).toBe('noindex')
})

test('the stylesheet is our own, and each page asks for it by its hash', async () => {
  const server = await buildServer(await testApp({ settings: { PUBLIC_URL: 'https://harbor.test/groups' } }))
  const href = /<link rel="stylesheet" href="\/groups(\/style\.css\?[^"]+)"/.exec(
    (await server.inject('/')).body,
  )?.[1]
  const { statusCode, headers } = await server.inject(href ?? '')
  expect(statusCode).toBe(200)
  expect(headers).toMatchObject({
    'content-type': 'text/css; charset=utf-8',
    'cache-control': 'public, max-age=31536000, immutable',
  })
})

test.each([`/Unsubscribes/${TOKEN}`, `/sessions/${TOKEN}/`, '/sessions/%zz', '/%00'])(
  '%s leads to the calm page',
  async (url) => {
    const server = await buildServer(await testApp())
    for (const method of ['GET', 'POST'] as const) {
      const { statusCode, body, headers } = await server.inject({ method, url, payload: 'confirm=1' })
      expect([statusCode, headers['content-type']]).toEqual([404, 'text/html; charset=utf-8'])
      expect(body).toContain('Page not found')
      expect(parse(body).querySelector('main a.button')?.getAttribute('href')).toBe('/sessions')
      expect(body).not.toContain(TOKEN)
    }
  },
)

test('a body beyond the limit is refused', async () => {
  const server = await buildServer(await testApp())
  const { statusCode, body } = await server.inject({
    method: 'POST',
    url: `/unsubscribe/${TOKEN}`,
    payload: 'x'.repeat(70_000),
  })
  expect(statusCode).toBe(413)
  expect(body).toContain('Something didn’t come through')
})

test('a failure page reveals nothing, and the log has neither token nor address', async () => {
  const app = await testApp()
  const server = await buildServer(app)
  server.get('/broken/:token', () => {
    throw new Error(`no luck with ${TOKEN} AdasPublicId0000000000 for ada@sample.test`)
  })
  const { statusCode, body } = await server.inject(`/broken/${TOKEN}`)
  expect(statusCode).toBe(500)
  expect(body).toContain('Something went wrong on our side')
  expect(body).not.toMatch(/no luck|ada@|AdasPublicId/)
  expect(app.logged()).toContain('no luck with [token] [token] for [address]')
})

test('the log has the route, status and time of every request, and no token and no address', async () => {
  const app = await testApp()
  aSubscriber(app, 'ada@sample.test', { publicId: 'AdasPublicId0000000000' })
  const server = await buildServer(app)
  const asked = ['', '/', '/undo', '?to=ada@sample.test', '%zz'].map((rest) => `/unsubscribe/${TOKEN}${rest}`)
  for (const url of [...asked, `/preferences/${TOKEN}`, '/ada@sample.test'])
    for (const method of ['GET', 'HEAD', 'POST'] as const) await server.inject({ method, url })
  const lines = app
    .logged()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines).toContainEqual(
    expect.objectContaining({
      method: 'POST',
      route: '/unsubscribe/:token',
      status: 200,
      ms: expect.any(Number),
    }),
  )
  expect(lines).toContainEqual(expect.objectContaining({ method: 'GET', route: 'none', status: 404 }))
  expect(app.logged()).not.toMatch(/@|AdasPublicId/)
  expect(app.logged()).not.toContain(TOKEN.split('.')[1])
})

test('alive is said at once; ready names the part that is not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'openseat-web-'))
  const log = { info: () => {}, warn: () => {} }
  const redis = await startPrivateRedis({ folder, binary: findProgram(redisServer), log })
  const app = await (await testApp({ file: true })).sibling({ redis: redis.connection })
  const server = await buildServer(app)
  expect((await server.inject('/healthz')).json()).toEqual({ status: 'ok' })
  const allWell = { database: 'ok', redis: 'ok', disk: 'ok', held: 'ok' }
  expect((await server.inject('/readyz')).json()).toEqual({ status: 'ok', ...allWell })

  await redis.close()
  rmSync(folder, { recursive: true })
  const withoutRedis = await server.inject('/readyz')
  expect(withoutRedis.statusCode).toBe(503)
  expect(withoutRedis.json()).toEqual({ status: 'unavailable', ...allWell, redis: 'unavailable' })

  const held = JSON.stringify({ reason: 'backup', since: 0, knownThrough: null })
  app.db.insert(installation).values({ name: 'held', value: held }).run()
  expect((await server.inject('/readyz')).json()).toMatchObject({ held: 'held', disk: 'ok' })

  const closed = openSqlite(':memory:')
  await closed.close()
  const withoutBoth = await buildServer({ ...app, store: closed })
  expect((await withoutBoth.inject('/readyz')).json()).toMatchObject({ database: 'unavailable' })
  expect((await withoutBoth.inject('/healthz')).statusCode).toBe(200)
})

test('closing finishes the request in flight and takes no new one', async () => {
  const app = await testApp({ settings: { PORT: '0' } })
  const server = await startServer(app)
  const { address } = server
  const { hostname: host, port } = new URL(address)
  const socket = connect(Number(port), host)
  // The server answers `100 Continue` once it has the request in hand.
  socket.write(
    `POST /unsubscribe/${TOKEN} HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\nConnection: close\r\n\r\n`,
  )
  await once(socket, 'readable')
  const closed = server.close()
  socket.write('confirm=1')
  expect(await text(socket)).toMatch(/HTTP\/1.1 200 OK[^]*You’re unsubscribed/)
  await closed
  await expect(fetch(`${address}/healthz`)).rejects.toThrow()
})

test('an address in use is reported with the setting to change', async () => {
  const app = await testApp({ settings: { PORT: '0' } })
  const first = await startServer(app)
  const PORT = Number(new URL(first.address).port)
  await expect(startServer({ ...app, config: { ...app.config, PORT } })).rejects.toThrow(
    `cannot listen on 127.0.0.1:${PORT} (EADDRINUSE); set HOST and PORT`,
  )
  await first.close()
})

test('a logo replaces the name and is the only image of another address that a page may show', async () => {
  const logo = 'https://groups.harbor.test/logo.png'
  const server = await buildServer(await testApp({ settings: { BRAND_LOGO_URL: logo } }))
  const { body, headers } = await server.inject('/')
  expect(parse(body).querySelector('header a')?.innerHTML).toBe(`<img src="${logo}" alt="Harbor Groups">`)
  expect(headers['content-security-policy']).toContain("img-src 'self' https://groups.harbor.test;")
})

test('the practice has an icon in its color, and its own letter', async () => {
  const app = await testApp({ settings: { BRAND_NAME: '“élan” Groups', BRAND_COLOR: '#7a2048' } })
  const server = await buildServer(app)
  const page = parse((await server.inject('/')).body)
  expect(page.querySelector('header .mark')?.getAttribute('data-letter')).toBe('É')
  const link = page.querySelector('link[rel=icon]')?.getAttribute('href') ?? ''
  for (const url of [link, '/favicon.ico']) {
    const icon = await server.inject(url)
    expect(icon.headers['content-type']).toBe('image/svg+xml')
    expect(icon.headers['cache-control']).toMatch(/^public, max-age=\d{5,}/)
    expect(icon.body).toContain('fill="#7a2048"')
    expect(parse(icon.body).querySelector('text')?.textContent).toBe('É')
  }
})

test('pages lead back to the practice’s website and its telephone', async () => {
  const settings = { PRACTICE_URL: 'https://www.harbor.test', PRACTICE_PHONE: '(207) 555-0143' }
  const page = parse((await (await buildServer(await testApp({ settings }))).inject('/')).body)
  const links = page.querySelectorAll('footer a').map((link) => [link.textContent, link.getAttribute('href')])
  expect(links).toContainEqual(['Back to Harbor Groups', 'https://www.harbor.test/'])
  expect(links).toContainEqual(['(207) 555-0143', 'tel:2075550143'])
  const plain = parse((await (await buildServer(await testApp())).inject('/')).body)
  expect(plain.querySelectorAll('footer p:not(.crisis) a').map((link) => link.textContent)).toEqual([
    'hello@harbor.test',
    'RSS',
  ])
})
