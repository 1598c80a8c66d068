import { expect, test } from '@jest/globals'
import type { FastifyInstance } from 'fastify'
import { aSession, aSubscriber, planNow, submitOwed, type TestApp, testApp } from '../../../test/app.ts'
import { signedIn, type Who } from '../../../test/operator.ts'
import type { Role } from '../../core/operators/actor.ts'
import { mayDo, PERMISSIONS, type Permission } from '../../core/operators/permissions.ts'
import { recordOf } from '../../db/audit.ts'
import { operators } from '../../db/schema/operators.ts'
import { subscribers, suppressions } from '../../db/schema/people.ts'
import { buildServer } from '../server.ts'
import type { KnownRoute } from './guard.ts'
import { buildOperatorServer } from './server.ts'

type Route = KnownRoute

/** The operators' server, and every route of it. */
async function aServer(app: TestApp): Promise<{ server: FastifyInstance; routes: readonly Route[] }> {
  const server = await buildOperatorServer(app)
  await server.ready()
  return { server, routes: server.known.filter(({ method }) => method !== 'HEAD') }
}

const READER = { email: 'recognizable@sample.test', name: 'Recognizable Name' }
const FILE =
  'external_id,group,topic,therapist,starts_at,time_zone,booking_url\nx,G,ocd,T,2026-12-01T19:00,UTC,https://a.test/'

/** A practice with one recognizable reader, an edition that is out, and everything that pages show. */
async function aPractice() {
  const app = await testApp()
  aSession(app, { topic: 'ocd', group: 'Loose Ends' })
  aSubscriber(app, READER.email, { topics: ['ocd'] })
  app.db.update(subscribers).set({ name: READER.name }).run()
  await planNow(app)
  await submitOwed(app)
  const [row] = app.db.select().from(subscribers).all()
  const publicId = row?.publicId ?? ''
  await recordOf(app.store, app.now(), { action: 'reader looked at', subject: publicId })
  app.db.insert(suppressions).values({ emailHash: 'another', reason: 'bounce', createdAt: 0 }).run()
  return { app, publicId }
}

/** A plausible address and form for a route. */
function requestFor({ method, url }: Route, publicId: string) {
  const id = url.startsWith('/readers') ? publicId : url.startsWith('/editions') ? '2026-11-23' : '1'
  const path = url
    .replace(':token', 'x'.repeat(43))
    .replace(':session', '1')
    .replace(/:\w+/, id)
    .replace('*', 'x')
  const form = {
    ...{
      email: READER.email,
      id: '2026-11-30',
      role: 'editor',
      who: 'failed',
      generation: '0',
      reader: 'typical',
    },
    ...{
      text: FILE,
      until: '2026-12-24',
      edition: '2026-11-23',
      consent: 'called',
      version: '1',
      saw: 'x',
      name: 'x',
    },
  }
  return { method: method as 'GET', path, form: new URLSearchParams(form).toString() }
}

async function ask(server: FastifyInstance, who: Who | null, route: Route, publicId: string) {
  const { method, path, form } = requestFor(route, publicId)
  return server.inject({
    method,
    url: path,
    headers: {
      host: '127.0.0.1:3001',
      ...(who && { cookie: who.cookie }),
      ...(method !== 'GET' && {
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/x-www-form-urlencoded',
      }),
    },
    ...(method !== 'GET' && { payload: form }),
  })
}

const OPEN = new Set(['anyone', 'signed-in', 'enrolling'])

test('every route says who may ask for it, and nobody gets further than the sign-in', async () => {
  const { app, publicId } = await aPractice()
  const { server, routes } = await aServer(app)
  expect(routes.length).toBeGreaterThan(60)
  for (const route of routes) {
    expect([...Object.keys(PERMISSIONS), ...OPEN]).toContain(route.may)
    if (route.may === 'anyone') continue
    const { statusCode, headers } = await ask(server, null, route, publicId)
    expect([route.url, statusCode, String(headers.location).split('?')[0]]).toEqual([
      route.url,
      303,
      '/sign-in',
    ])
  }
  const openly = routes.filter(({ may, url }) => may === 'anyone' && !/\.(css|js|svg)$/.test(url))
  expect([...new Set(openly.map(({ url }) => url))].toSorted()).toEqual([
    '/enter/:token',
    '/sign-in',
    '/sign-in/passkey',
    '/sign-in/passkey/options',
    '/sign-out',
  ])
})

test.each(['editor', 'operator'] as const)(
  'an %s is refused everything that is not theirs, and it changes nothing',
  async (role) => {
    const { app, publicId } = await aPractice()
    const { server, routes } = await aServer(app)
    const who = await signedIn(app, role)
    const people = app.db.select().from(operators).all()
    const readers = app.db.select().from(subscribers).all()
    for (const route of routes.filter(
      ({ may }) => !OPEN.has(may) && !mayDo(actor(role), may as Permission),
    )) {
      const { statusCode, body } = await ask(server, who, route, publicId)
      expect([route.url, statusCode]).toEqual([route.url, 403])
      expect(body).toContain('That is not part of your role')
    }
    expect(app.db.select().from(operators).all()).toEqual(people)
    expect(app.db.select().from(subscribers).all()).toEqual(readers)
  },
)

test('no answer to an editor names a reader, or says who chose what', async () => {
  const { app, publicId } = await aPractice()
  const { server, routes } = await aServer(app)
  const who = await signedIn(app, 'editor')
  for (const route of routes) {
    // What they typed themselves stays in the form of the sign-in.
    if (route.may === 'anyone' || route.url.startsWith('/account/sign-ins')) continue
    const { body, headers } = await ask(server, who, route, publicId)
    const answer = `${body}${JSON.stringify(headers)}`
    for (const secret of [READER.email, READER.name, 'recognizable', publicId])
      expect([route.url, answer.toLowerCase().includes(secret.toLowerCase())]).toEqual([route.url, false])
  }
})

test('an owner is answered on every page, and asked for a fresh proof where one is due', async () => {
  const { app, publicId } = await aPractice()
  const { server, routes } = await aServer(app)
  const who = await signedIn(app, 'owner')
  for (const route of routes.filter(({ method }) => method === 'GET')) {
    const { statusCode } = await ask(server, who, route, publicId)
    expect([route.url, statusCode < 500]).toEqual([route.url, true])
  }
  app.setNow('2026-11-23T15:11:00.000Z')
  for (const url of ['/people/link', '/readers/:id/erase', '/readers/:id/export', '/account/codes']) {
    const { headers } = await ask(server, who, { method: 'POST', url, may: '' }, publicId)
    expect([url, headers.location]).toEqual([url, expect.stringMatching(/^\/prove\?next=/)])
  }
})

test('the public server knows no page of the operators, and theirs none of the readers’', async () => {
  const { app, publicId } = await aPractice()
  const { routes } = await aServer(app)
  const pages = await buildServer(app)
  const shared = new Set(['/', '/sessions', '/sessions/:id', '/groups/:id', '/editions/:id'])
  for (const route of routes.filter(
    ({ method, url }) => method === 'GET' && !shared.has(url) && !/\.(css|js|svg)$/.test(url),
  )) {
    const { path } = requestFor(route, publicId)
    expect([route.url, (await pages.inject(path)).statusCode]).toEqual([route.url, 404])
  }
  const own = routes.map(({ url }) => url)
  for (const url of [
    '/subscribe',
    '/webhooks/resend',
    '/unsubscribe/:token',
    '/preferences/:token',
    '/metrics',
    '/feed.xml',
  ])
    expect(own).not.toContain(url)
  expect(JSON.stringify((await pages.inject('/')).headers)).not.toContain('openseat')
})

const actor = (role: Role) =>
  ({ kind: 'operator', id: 1, role, signInId: 1, provenAt: 0, network: '' }) as const
