import { expect, test } from '@jest/globals'
import { testApp } from '../../../test/app.ts'
import { getAs, operatorServer, postAs, signedIn } from '../../../test/operator.ts'
import { demand } from '../../actions/operators/acting.ts'

const HOST = '127.0.0.1:3001'

async function aServer(settings: Record<string, string> = {}) {
  const app = await testApp({ settings })
  const server = await operatorServer(app)
  server.get('/here', { config: { may: 'readers.see' } }, (request, reply) =>
    reply.show('message', { title: 'Here', text: request.actor.kind }),
  )
  server.post('/here/do', { config: { may: 'readers.see' } }, (_request, reply) =>
    reply.done('/here', 'nav.skip'),
  )
  server.post('/here/erase', { config: { may: 'readers.erase' } }, (request) => {
    demand({ actor: request.actor, now: app.now }, 'readers.erase')
    return 'erased'
  })
  return { app, server }
}

test('only the host of OPERATOR_URL is answered, whatever else names this address', async () => {
  const { server } = await aServer()
  for (const host of ['evil.test', 'localhost:3001', '127.0.0.1', '127.0.0.1:3001.evil.test']) {
    const { statusCode, body } = await server.inject({ url: '/here', headers: { host } })
    expect([statusCode, body]).toEqual([421, 'This address does not answer to that name.\n'])
  }
  expect((await server.inject({ url: '/here', headers: { host: HOST } })).statusCode).toBe(303)
})

test('a form from another site, or from nowhere, changes nothing', async () => {
  const { app, server } = await aServer()
  const owner = await signedIn(app, 'owner')
  const post = (headers: Record<string, string>) =>
    server.inject({
      method: 'POST',
      url: '/here/do',
      headers: { host: HOST, cookie: owner.cookie, ...headers },
    })
  const forged = [
    {},
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'cross-site', origin: 'http://127.0.0.1:3001' },
    { origin: 'http://127.0.0.1:3000' },
    { origin: 'null' },
    { origin: 'https://127.0.0.1:3001' },
  ]
  for (const headers of forged) expect((await post(headers)).statusCode).toBe(403)
  expect((await post({ 'sec-fetch-site': 'same-origin' })).statusCode).toBe(303)
  expect((await post({ origin: 'http://127.0.0.1:3001' })).statusCode).toBe(303)
})

test('who is not signed in comes back after signing in, and a role is refused what is not its own', async () => {
  const { app, server } = await aServer()
  const [editor, operator] = [await signedIn(app, 'editor'), await signedIn(app, 'operator')]
  expect((await getAs(server, null, '/here?a=b')).headers.location).toBe('/sign-in?next=%2Fhere%3Fa%3Db')
  expect((await postAs(server, null, '/here/do')).headers.location).toBe('/sign-in')
  expect((await getAs(server, { ...operator, cookie: `${operator.cookie}x` }, '/here')).statusCode).toBe(303)
  expect((await getAs(server, editor, '/here')).statusCode).toBe(403)
  expect((await getAs(server, editor, '/nowhere')).statusCode).toBe(404)
  const page = await getAs(server, operator, '/here')
  expect([page.statusCode, page.body.includes('<p>operator</p>')]).toEqual([200, true])
  expect(page.headers).toMatchObject({
    'cache-control': 'no-store',
    'cross-origin-opener-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'content-security-policy': expect.stringContaining(
      "require-trusted-types-for 'script';trusted-types 'none'",
    ),
  })
})

test('what was done is said on the next page, once', async () => {
  const { app, server } = await aServer()
  const operator = await signedIn(app, 'operator')
  expect((await postAs(server, operator, '/here/do')).headers.location).toBe('/here')
  expect((await getAs(server, operator, '/here')).body).toContain(
    '<p class="said" role="status">Skip to the page</p>',
  )
  expect((await getAs(server, operator, '/here')).body).not.toContain('class="said"')
})

test('a sign-in ends when it is idle, and after twelve hours however busy', async () => {
  const { app, server } = await aServer()
  const owner = await signedIn(app, 'owner')
  const at = async (iso: string) => {
    app.setNow(iso)
    return (await getAs(server, owner, '/here')).statusCode
  }
  expect(await at('2026-11-23T15:29:59.000Z')).toBe(200)
  expect(await at('2026-11-23T15:59:58.000Z')).toBe(200)
  expect(await at('2026-11-23T16:29:58.000Z')).toBe(303)

  const busy = await signedIn(app, 'owner')
  const start = Date.parse('2026-11-23T16:29:58.000Z')
  for (let minutes = 20; minutes < 720; minutes += 20) {
    app.setNow(new Date(start + minutes * 60_000).toISOString())
    expect((await getAs(server, busy, '/here')).statusCode).toBe(200)
  }
  app.setNow(new Date(start + 720 * 60_000).toISOString())
  expect((await getAs(server, busy, '/here')).statusCode).toBe(303)
})

test('what needs a fresh proof asks for it after ten minutes, and comes back to the page of the form', async () => {
  const { app, server } = await aServer()
  const [owner, operator] = [await signedIn(app, 'owner'), await signedIn(app, 'operator')]
  expect((await postAs(server, owner, '/here/erase')).body).toBe('erased')
  expect((await postAs(server, operator, '/here/erase')).statusCode).toBe(403)
  app.setNow('2026-11-23T15:10:01.000Z')
  expect((await postAs(server, owner, '/here/erase')).headers.location).toBe('/prove?next=%2Fhere')
})

test('behind https the cookie has the prefix that binds it to this host, and plain http is for this machine alone', async () => {
  const app = await testApp({ settings: { OPERATOR_URL: 'https://operators.harbor.test' } })
  expect((await signedIn(app, 'owner')).cookie).toMatch(/^__Host-openseat=[\w-]{43}$/)
})

test('a route that does not say who may ask for it keeps the server from starting', async () => {
  const { server } = await aServer()
  expect(() => server.get('/open', () => 'open')).toThrow('the route /open does not say who may ask for it')
})
