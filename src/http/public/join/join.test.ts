import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import type { FastifyInstance } from 'fastify'
import { parse } from 'node-html-parser'
import {
  aSession,
  aSubscriber,
  eventually,
  LINK_SECRET,
  MONDAY,
  planNow,
  submitOwed,
  type TestApp,
  testApp,
} from '../../../../test/app.ts'
import { imageOf } from '../../../../test/db.ts'
import { unsubscribeEmail } from '../../../actions/subscribers/consent.ts'
import { submitNotice } from '../../../actions/subscribers/notices.ts'
import { erase } from '../../../actions/subscribers/records.ts'
import { signDatedToken } from '../../../core/tokens.ts'
import { owedNotices } from '../../../db/people/notices.ts'
import { findProgram, redisServer } from '../../../machine/find-program.ts'
import { sweep } from '../../../recurring.ts'
import { startPrivateRedis } from '../../../redis/private-redis.ts'
import { buildServer } from '../../server.ts'
import { stampFor } from './form.ts'
import { networkOf } from './limits.ts'

const ADA = 'ada@sample.test'
const HOUR_MS = 3_600_000

async function aPage(options: Parameters<typeof testApp>[0] = {}) {
  const app = await testApp(options)
  return { app, server: await buildServer(app) }
}

const later = (ms: number) => new Date(Date.parse(MONDAY) + ms).toISOString()

let networks = 0
const anotherNetwork = () => `10.${(networks += 1) >> 8}.${networks & 255}.7`

type Fields = Record<string, string | string[]>

/** Sends the form as a browser does, twenty seconds after the page was made. */
function send(
  app: TestApp,
  server: FastifyInstance,
  fields: Fields = {},
  from = anotherNetwork(),
  headers: Record<string, string> = {},
) {
  const stamp = stampFor(app.config.LINK_SECRET, new Date(app.now().getTime() - 20_000))
  const all = { email: ADA, name: '', tz: 'America/Chicago', zq3: '', stamp, ...fields }
  const pairs = Object.entries(all).flatMap(([key, value]) =>
    [value].flat().map((one) => [key, one] as [string, string]),
  )
  return server.inject({
    method: 'POST',
    url: '/subscribe',
    remoteAddress: from,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: new URLSearchParams(pairs).toString(),
  })
}

async function submitNotices(app: TestApp): Promise<void> {
  for (const { id } of await owedNotices(app.store, app.now(), 10_000)) await submitNotice(app, id)
}

/** The path of the link in the last mail that was accepted. */
function linkIn(app: TestApp, purpose = 'confirm'): string {
  const link = new RegExp(`https://groups.harbor.test(/${purpose}/\\S+)`).exec(
    app.resend.accepted.at(-1)?.text ?? '',
  )
  if (!link?.[1]) throw new Error(`no ${purpose} link in the last mail`)
  return link[1]
}

const ask = (app: TestApp, sql: string) => app.db.$client.prepare(sql).all()
const one = (app: TestApp, sql: string) => app.db.$client.prepare(sql).get()
const post = (server: FastifyInstance, url: string) =>
  server.inject({ method: 'POST', url, payload: 'confirm=1' })

test('the first page says what there is and asks for no more than an address', async () => {
  const { app, server } = await aPage()
  aSession(app, { group: 'Steady Ground', startsAtLocal: '2026-12-01T19:00' })
  aSession(app, { group: 'Later Ground', startsAtLocal: '2026-12-02T19:00' })
  aSession(app, { topic: 'ocd', group: 'Loose Ends', startsAtLocal: '2026-12-01T12:00' })
  const answer = await server.inject('/')
  const page = parse(answer.body)
  expect(page.querySelectorAll('.taste li').map((item) => item.textContent)).toEqual([
    'Tue, Dec 1 · 12:00 PM Loose Ends · OCD',
    'Tue, Dec 1 · 7:00 PM Steady Ground · Anxiety',
  ])
  expect(page.querySelectorAll('[required]').map((field) => field.getAttribute('name'))).toEqual(['email'])
  expect(page.querySelectorAll('[checked]')).toEqual([])
  expect(page.querySelector('option[selected]')?.getAttribute('value')).toBe('America/New_York')
  expect(page.querySelectorAll('option').length).toBeGreaterThan(400)
  expect(page.textContent).toContain('If you choose some, we store your choices with your address')
  expect(page.textContent).toContain('Call 988 or text 988, free, any time (US).')
  for (const field of page.querySelectorAll('input:not([type=hidden], [type=checkbox]), select'))
    expect(page.querySelector(`label[for=${field.id}]`)).not.toBeNull()
})

test('the first page and all it fetches are under 50 KB, from here, and without a cookie', async () => {
  const { server } = await aPage()
  const { body, headers } = await server.inject('/')
  const fetched = [...body.matchAll(/(?:src|rel="stylesheet" href)="([^"]+)"/g)].map(([, url = '']) => url)
  expect(fetched.map((url) => url.split('?')[0])).toEqual(['/style.css', '/join.js'])
  const parts = await Promise.all(fetched.map((url) => server.inject(url)))
  const sizes = [body, ...parts.map((part) => part.body)].map((text) => Buffer.byteLength(text))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(50_000)
  expect(headers).not.toHaveProperty('set-cookie')
  expect(headers['content-security-policy']).toBe(
    "default-src 'none';style-src 'self';img-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none';script-src 'self'",
  )
  expect(headers['cache-control']).toBe('no-store')
})

test('the response is the same for every state of an address, and the email fits the state', async () => {
  const { app, server } = await aPage()
  aSubscriber(app, 'pending@sample.test', { status: 'pending' })
  aSubscriber(app, 'active@sample.test')
  aSubscriber(app, 'left@sample.test', { status: 'unsubscribed' })
  aSubscriber(app, 'erased@sample.test')
  await erase(app, 'erased@sample.test')
  const bounced = aSubscriber(app, 'bounced@sample.test')
  app.db.$client
    .prepare("insert into suppressions select email_hash, 'bounce', 0 from subscribers where id = ?")
    .run(bounced)

  const states = ['new', 'pending', 'active', 'left', 'erased', 'bounced']
  const answers = []
  for (const state of states)
    answers.push(await send(app, server, { email: `${state}@sample.test`, name: 'Eve' }))
  const seen = answers.map(({ statusCode, body, headers: { date: _date, ...headers } }) =>
    JSON.stringify({ statusCode, body, headers }),
  )
  expect(new Set(seen).size).toBe(1)
  expect(answers[0]?.statusCode).toBe(200)
  expect(parse(answers[0]?.body ?? '').querySelector('h1')?.textContent).toBe('Check your email')

  await submitNotices(app)
  expect(app.resend.accepted.map(({ to, subject }) => [to, subject].flat())).toEqual([
    ['new@sample.test', 'Please confirm your subscription'],
    ['pending@sample.test', 'Please confirm your subscription'],
    ['active@sample.test', 'You’re already subscribed'],
    ['left@sample.test', 'Please confirm your subscription'],
    ['erased@sample.test', 'Please confirm your subscription'],
  ])
  expect(ask(app, 'select email, status, name from subscribers order by email')).toEqual([
    { email: 'active@sample.test', status: 'active', name: null },
    { email: 'bounced@sample.test', status: 'active', name: null },
    { email: 'erased@sample.test', status: 'pending', name: 'Eve' },
    { email: 'left@sample.test', status: 'unsubscribed', name: null },
    { email: 'new@sample.test', status: 'pending', name: 'Eve' },
    { email: 'pending@sample.test', status: 'pending', name: null },
  ])
  expect(app.logged()).not.toContain('@sample.test')
})

test('no email is made inside the request, and a lost provider response does not cause a second one', async () => {
  const { app, server } = await aPage()
  await send(app, server)
  expect(app.resend.requests.length).toBe(0)
  app.resend.inject({ kind: 'reset-after-accept' })
  await submitNotices(app)
  expect(one(app, 'select state from notices')).toEqual({ state: 'planned' })
  app.setNow(later(HOUR_MS))
  await submitNotices(app)
  await submitNotices(app)
  expect(app.resend.countByAddress()).toEqual(new Map([[ADA, 1]]))
  expect(one(app, 'select state, body from notices')).toEqual({ state: 'submitted', body: null })
})

test('confirming keeps what was agreed to, and the next edition brings all that can be booked', async () => {
  const { app, server } = await aPage()
  for (const group of ['Steady Ground', 'First Light']) aSession(app, { group })
  aSession(app, { topic: 'ocd', group: 'Loose Ends' })
  await send(app, server, { name: ' Ada ', topics: ['anxiety', 'grief-and-loss'], discreet: '1' })
  await submitNotices(app)
  const link = linkIn(app)
  const page = parse((await server.inject(link)).body)
  expect(page.querySelectorAll('button').map((button) => button.textContent)).toEqual([
    'Confirm my subscription',
  ])
  const wording = page.querySelector('blockquote')?.textContent
  app.setNow(later(HOUR_MS))
  const confirmed = await post(server, link)
  expect(parse(confirmed.body).querySelector('h1')?.textContent).toBe('You’re subscribed')
  expect((await post(server, link)).body).toBe(confirmed.body)

  expect(one(app, 'select * from subscribers')).toMatchObject({
    status: 'active',
    name: 'Ada',
    time_zone: 'America/Chicago',
    discreet: 1,
    seen_through: 0,
    consent_text: `${wording} (en)`,
    consent_source: '/confirm',
    consented_at: Date.parse(later(HOUR_MS)),
  })
  await planNow(app)
  await submitOwed(app)
  const { subject, text } = app.resend.accepted.at(-1) ?? { subject: '', text: '' }
  expect(subject).toBe('Your weekly update')
  expect(text).toMatch(/Steady Ground[^]*First Light|First Light[^]*Steady Ground/)
  expect(text).not.toContain('Loose Ends')
})

test("page and email name the day of the email in the reader's zone", async () => {
  const { app, server } = await aPage()
  const confirmedIn = async (tz: string) => {
    await send(app, server, { email: `${tz.replace('/', '-')}@sample.test`, tz }, anotherNetwork())
    await submitNotices(app)
    const page = await post(server, linkIn(app))
    await submitNotices(app)
    const said = [page.body, app.resend.accepted.at(-1)?.text ?? '']
    return said.map(
      (text) =>
        /(?:goes out|email|comes) on (Mondays|Tuesdays|\w+day, \w+ \d+)/.exec(text.replace(/\s+/g, ' '))?.[1],
    )
  }
  // The slot is Monday at nine in New York: Tuesday at three in Auckland.
  expect(await confirmedIn('America/New_York')).toEqual(['Mondays', 'Monday, November 30'])
  expect(await confirmedIn('Pacific/Auckland')).toEqual(['Tuesdays', 'Tuesday, December 1'])
  expect(await confirmedIn('Asia/Calcutta')).toEqual(['Mondays', 'Monday, November 30'])
})

test('a form in Spanish is confirmed, agreed to and welcomed in Spanish', async () => {
  const { app, server } = await aPage()
  const accepts = { 'accept-language': 'es-MX' }
  await send(app, server, {}, anotherNetwork(), accepts)
  expect(one(app, 'select locale from subscribers')).toEqual({ locale: 'es-MX' })
  await submitNotices(app)
  expect(app.resend.accepted.at(-1)?.subject).toBe('Confirma tu suscripción')
  const confirmed = await post(server, linkIn(app))
  expect(parse(confirmed.body).querySelector('h1')?.textContent).toBe('Ya estás en la lista')
  expect(one(app, 'select consent_text as text from subscribers')).toEqual({
    text: 'Quiero recibir por correo, una vez por semana, los nuevos horarios de grupo de Harbor Groups hasta que cancele la suscripción. (es)',
  })
  await submitNotices(app)
  expect(app.resend.accepted.at(-1)?.subject).toBe('Ya estás en la lista')
})

test('confirming welcomes once, and the welcome counts in no limit of sign-ups', async () => {
  const { app, server } = await aPage()
  for (let n = 1; n <= 2; n += 1) {
    await send(app, server)
    await submitNotices(app)
    const link = linkIn(app)
    await post(server, link)
    await post(server, link)
    await submitNotices(app)
    expect(app.resend.accepted.at(-1)?.subject).toBe('You’re subscribed')
    app.setNow(later(n * HOUR_MS))
    await unsubscribeEmail(app, ADA)
    app.setNow(later(n * HOUR_MS + 60_000))
  }
  expect(ask(app, 'select kind from notices order by id')).toEqual(
    ['confirm', 'welcome', 'confirm', 'welcome'].map((kind) => ({ kind })),
  )
  await send(app, server)
  await send(app, server)
  expect(ask(app, "select id from notices where kind = 'confirm'")).toHaveLength(3)
})

test('someone who left comes back only by confirming, and is shown everything again', async () => {
  const { app, server } = await aPage()
  aSession(app)
  aSubscriber(app, ADA, {
    seenThrough: 999,
    cadence: 'monthly',
    lastEditionId: '2026-11-16',
    topics: ['ocd'],
  })
  await unsubscribeEmail(app, ADA)
  app.setNow(later(HOUR_MS))
  await send(app, server)
  expect(one(app, 'select status from subscribers')).toEqual({ status: 'unsubscribed' })
  await submitNotices(app)
  await post(server, linkIn(app))
  expect(one(app, 'select status, cadence, unsubscribed_at, seen_through from subscribers')).toEqual({
    ...{ status: 'active', cadence: 'weekly', unsubscribed_at: null, seen_through: 0 },
  })
  expect(ask(app, 'select * from subscriber_topics')).toEqual([])
  await planNow(app)
  await submitOwed(app)
  expect(app.resend.accepted.at(-1)?.subject).toBe('1 new group time this week')
})

test.each(['GET', 'HEAD'] as const)('a scanner that sends %s to the link confirms nobody', async (method) => {
  const { app, server } = await aPage()
  await send(app, server)
  await submitNotices(app)
  const before = await imageOf(app.store)
  for (const url of [linkIn(app), `${linkIn(app)}?confirm=1`])
    expect((await server.inject({ method, url, headers: { 'sec-purpose': 'prefetch' } })).statusCode).toBe(
      200,
    )
  expect((await imageOf(app.store)).equals(before)).toBe(true)
})

test('a link that is old, forged, for something else or of before they left changes nothing', async () => {
  const { app, server } = await aPage()
  aSubscriber(app, ADA, { publicId: 'AdasPublicId0000000000', status: 'pending' })
  const link = (at: string, purpose: 'confirm' | 'form' = 'confirm', secret = LINK_SECRET) =>
    `/confirm/${signDatedToken(secret, purpose, 'AdasPublicId0000000000', new Date(at))}`
  const gone: [string, number, string][] = [
    [link(later(-8 * 24 * HOUR_MS)), 410, 'This link has expired'],
    [link(MONDAY, 'form'), 404, 'This link doesn’t work'],
    [link(MONDAY, 'confirm', 'x'.repeat(40)), 404, 'This link doesn’t work'],
    ['/confirm/x', 404, 'This link doesn’t work'],
  ]
  for (const [url, code, says] of gone)
    for (const answer of [await server.inject(url), await post(server, url)]) {
      expect(answer.statusCode).toBe(code)
      expect(answer.body).toContain(says)
    }
  expect(one(app, 'select status from subscribers')).toEqual({ status: 'pending' })

  await unsubscribeEmail(app, ADA)
  expect((await post(server, link(later(-HOUR_MS)))).statusCode).toBe(410)
  expect(one(app, 'select status from subscribers')).toEqual({ status: 'unsubscribed' })
  await erase(app, ADA)
  expect((await post(server, link(MONDAY))).statusCode).toBe(410)
})

test('a flood is cut to sixty emails, and everyone after that sees that we are busy', async () => {
  const { app, server } = await aPage()
  aSubscriber(app, 'active@sample.test')
  for (let n = 0; n < 60; n += 1)
    expect((await send(app, server, { email: `person-${n}@sample.test` })).statusCode).toBe(200)
  for (const email of ['late@sample.test', 'active@sample.test', 'person-1@sample.test']) {
    const answer = await send(app, server, { email })
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '3600'])
    const page = parse(answer.body)
    expect(page.querySelector('[role=alert]')?.textContent).toContain(
      'Nothing was sent. Please try again in an hour.',
    )
    expect(page.querySelector('#email')?.getAttribute('value')).toBe(email)
  }
  await submitNotices(app)
  expect(app.resend.accepted.length).toBe(60)
  expect(one(app, 'select count(*) as n from subscribers')).toEqual({ n: 61 })
  expect(app.logged().match(/over the limit of emails an hour/g)).toHaveLength(1)
  app.setNow(later(HOUR_MS + 1))
  expect((await send(app, server, { email: 'late@sample.test' })).statusCode).toBe(200)
  await submitNotices(app)
  expect(app.resend.countByAddress().get('late@sample.test')).toBe(1)
})

test("six networks cannot use up an hour's emails: a first request still gets one", async () => {
  const { app, server } = await aPage()
  for (let n = 0; n < 60; n += 1)
    await send(app, server, { email: `person-${n}@sample.test` }, `203.0.${n % 6}.1`)
  expect(one(app, 'select count(*) as n from notices')).toEqual({ n: 30 })
  expect((await send(app, server, { email: 'else@sample.test' }, '203.0.113.1')).statusCode).toBe(200)
  expect((await send(app, server, { email: 'more@sample.test' }, '203.0.0.2')).statusCode).toBe(429)
})

test('a long list allows more emails an hour: one per hundred readers of the last edition', async () => {
  const { app, server } = await aPage()
  aSession(app)
  app.db.$client.exec(`with recursive reader(n) as (select 1 union all select n + 1 from reader where n < 6300)
    insert into subscribers (public_id, email, email_hash, status, time_zone, created_at)
    select 'reader-' || n, 'reader-' || n || '@sample.test', 'hash-' || n, 'active', 'UTC', 0 from reader`)
  await planNow(app)
  for (let n = 0; n < 66; n += 1) await send(app, server, { email: `person-${n}@sample.test` })
  expect(one(app, 'select count(*) as n from notices')).toEqual({ n: 63 })
})

test('one network may sign up ten addresses an hour, then sees the limit with the form kept', async () => {
  const { app, server } = await aPage()
  const from = (n: number) =>
    send(app, server, { email: `person-${n}@sample.test`, name: 'Ada' }, `203.0.113.${n}`)
  for (let n = 1; n <= 10; n += 1) expect((await from(n)).statusCode).toBe(200)
  const answer = await from(11)
  expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '3600'])
  expect(parse(answer.body).querySelector('#email')?.getAttribute('value')).toBe('person-11@sample.test')
  expect(parse(answer.body).querySelector('[role=alert]')?.textContent?.trim()).toBe(
    'Too many people have signed up from your network in the last hour. Please try again in an hour. Or email us at hello@harbor.test.',
  )
  expect(parse(answer.body).querySelector('title')?.textContent).not.toContain('Error')
  expect(one(app, 'select count(*) as n from notices')).toEqual({ n: 10 })
  expect((await send(app, server, { email: 'else@sample.test' }, '203.0.114.1')).statusCode).toBe(200)
})

test.each([
  ['203.0.113.7', '203.0.113'],
  ['::ffff:203.0.113.9', '203.0.113'],
  ['2001:db8:7:1::5', '2001:db8:7::'],
  ['2001:db8:7:ffff:1:2:3:4', '2001:db8:7::'],
])('%s counts as %s', (ip, network) => {
  expect(networkOf(ip)).toBe(network)
})

test('only a trusted proxy may name the client address, which is never stored', async () => {
  for (const [TRUST_PROXY, answered] of [
    ['off', 429],
    ['10.9.0.0/16', 200],
    ['1', 200],
  ] as const) {
    const { app, server } = await aPage({ settings: { TRUST_PROXY } })
    let last = 0
    for (let n = 1; n <= 11; n += 1) {
      const stamp = stampFor(app.config.LINK_SECRET, new Date(app.now().getTime() - 20_000))
      const answer = await server.inject({
        method: 'POST',
        url: '/subscribe',
        remoteAddress: '10.9.0.1',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-forwarded-for': `198.51.${n}.1` },
        payload: new URLSearchParams({ email: `p${n}@sample.test`, tz: 'UTC', stamp }).toString(),
      })
      last = answer.statusCode
    }
    expect([TRUST_PROXY, last]).toEqual([TRUST_PROXY, answered])
    expect(app.logged()).not.toMatch(/198\.51|10\.9\.0/)
    expect((await imageOf(app.store)).includes('198.51')).toBe(false)
  }
})

test('one address is written to three times in thirty days at most, wherever the asking comes from', async () => {
  const { app, server } = await aPage()
  for (let n = 0; n < 8; n += 1) expect((await send(app, server)).statusCode).toBe(200)
  for (const days of [1, 12, 29]) {
    app.setNow(later(days * 24 * HOUR_MS))
    await send(app, server)
  }
  await submitNotices(app)
  expect(one(app, 'select count(*) as n from notices')).toEqual({ n: 3 })
  app.setNow(later(30 * 24 * HOUR_MS + 1))
  await send(app, server)
  expect(one(app, 'select count(*) as n from notices')).toEqual({ n: 4 })
})

test('exceeding the limit for an address looks the same for every address', async () => {
  const { app, server } = await aPage()
  aSubscriber(app, ADA)
  const pages = new Set<string>()
  for (let n = 0; n < 14; n += 1)
    for (const email of [ADA, 'stranger@sample.test']) pages.add((await send(app, server, { email })).body)
  expect(pages.size).toBe(1)
})

const FUTURE = { stamp: stampFor([LINK_SECRET], new Date(later(60_000))) }
const BOTS: [string, Fields][] = [
  ['fills the field that no one sees', { zq3: 'https://win.test' }],
  ['is done within three seconds', { stamp: stampFor([LINK_SECRET], new Date(Date.parse(MONDAY) - 2_900)) }],
  ['never fetched the page', { stamp: '' }],
  ['makes up a time', { stamp: `join~abc.${'x'.repeat(24)}` }],
  ['comes from the future', FUTURE],
]

test.each(BOTS)(
  'whoever %s is asked to sign up again, with all that was typed, and nothing is stored',
  async (_, fields) => {
    const { app, server } = await aPage()
    const before = await imageOf(app.store)
    const answer = await send(app, server, { name: 'Ada', topics: 'ocd', ...fields })
    expect((await imageOf(app.store)).equals(before)).toBe(true)
    expect(answer.statusCode).toBe(400)
    const page = parse(answer.body)
    expect(page.querySelector('[role=alert]')?.textContent?.trim()).toBe(
      'Your sign-up wasn’t sent yet. Please select Sign up again.',
    )
    expect(page.querySelector('#name')?.getAttribute('value')).toBe('Ada')
    expect(page.querySelector('#zq3')?.getAttribute('value')).toBeUndefined()

    app.setNow(later(3_000))
    const stamp = page.querySelector('[name=stamp]')?.getAttribute('value') ?? ''
    const again = await send(app, server, { stamp })
    expect(again.statusCode).toBe(200)
  },
)

test('a fast person goes through a second later, and a program is asked each time', async () => {
  const { app, server } = await aPage()
  const stampIn = (body: string) => parse(body).querySelector('[name=stamp]')?.getAttribute('value') ?? ''
  const first = stampIn((await server.inject('/')).body)
  app.setNow(later(500))
  const asked = await send(app, server, { stamp: first })
  expect(parse(asked.body).querySelector('#email')?.getAttribute('value')).toBe(ADA)
  expect(parse(asked.body).querySelector('title')?.textContent).not.toContain('Error')
  app.setNow(later(1_400))
  expect((await send(app, server, { stamp: stampIn(asked.body) })).statusCode).toBe(400)
  app.setNow(later(1_500))
  const trap = { stamp: stampIn(asked.body), zq3: 'https://win.test' }
  expect((await send(app, server, trap)).statusCode).toBe(400)
  expect(one(app, 'select count(*) as n from notices')).toEqual({ n: 0 })
  expect((await send(app, server, { stamp: stampIn(asked.body) })).statusCode).toBe(200)
  expect(one(app, 'select count(*) as n from notices')).toEqual({ n: 1 })
})

test('what is optional is closed at first, and open where something was chosen', async () => {
  const { app, server } = await aPage()
  const isOpen = (body: string) => parse(body).querySelector('details.more')?.hasAttribute('open')
  const first = await server.inject('/')
  expect(isOpen(first.body)).toBe(false)
  expect(parse(first.body).querySelector('noscript')?.textContent).toContain('show times in Eastern Time')
  expect(isOpen((await send(app, server, { email: 'x' })).body)).toBe(false)
  for (const chosen of [{ name: 'Ada' }, { topics: 'ocd' }, { discreet: '1' }, { tz: 'Mars/Olympus' }])
    expect([chosen, isOpen((await send(app, server, { email: 'x', ...chosen })).body)]).toEqual([
      chosen,
      true,
    ])
})

test('no autofill and no password manager knows the field that no one sees', async () => {
  const { server } = await aPage()
  const trap = parse((await server.inject('/')).body).querySelector('.apart input')
  expect(trap?.attributes).toEqual({
    ...{ id: 'zq3', name: 'zq3', type: 'text', tabindex: '-1', autocomplete: 'off' },
    ...{ 'data-1p-ignore': '', 'data-lpignore': 'true', 'data-bwignore': '', 'data-form-type': 'other' },
  })
})

test('a form left open overnight can be resubmitted at once with everything that was typed', async () => {
  const { app, server } = await aPage()
  const old = stampFor([LINK_SECRET], new Date(Date.parse(MONDAY) - 25 * HOUR_MS))
  const answer = await send(app, server, { stamp: old, name: 'Ada', tz: 'Europe/London', topics: 'ocd' })
  expect(answer.statusCode).toBe(400)
  const page = parse(answer.body)
  expect(page.querySelector('[role=alert]')?.textContent).toContain('open for more than a day')
  expect(page.querySelector('option[selected]')?.getAttribute('value')).toBe('Europe/London')
  expect(page.querySelectorAll('[checked]').map((box) => box.getAttribute('value'))).toEqual(['ocd'])
  await send(app, server, { stamp: page.querySelector('[name=stamp]')?.getAttribute('value') ?? '' })
  expect(one(app, 'select count(*) as n from notices')).toEqual({ n: 1 })
})

test.each([
  ['email', '', 'Enter your email address.'],
  ['email', 'ada@@sample.test', 'Enter an email address with only one @, like name@example.com.'],
  [
    'name',
    'Win now: https://win.test',
    'Enter a first name, without links, email addresses, or phone numbers.',
  ],
  ['name', 'www.win.test', 'Enter a first name, without links, email addresses, or phone numbers.'],
  ['name', 'win.example/prize', 'Enter a first name, without links, email addresses, or phone numbers.'],
  ['name', 'evil。example', 'Enter a first name, without links, email addresses, or phone numbers.'],
  ['name', 'Call +1 900 555 0199', 'Enter a first name, without links, email addresses, or phone numbers.'],
  ['name', 'eve@sample.test', 'Enter a first name, without links, email addresses, or phone numbers.'],
  ['name', 'A'.repeat(61), 'Enter a name of 60 characters or fewer.'],
  ['tz', 'Nowhere/Land', 'Choose a time zone from the list.'],
  ['topics', 'astrology', 'One of these topics is no longer available. Please choose again.'],
])('%s %p is sent back with what to fix', async (field, value, message) => {
  const { app, server } = await aPage()
  const answer = await send(app, server, { name: 'Ada', [field]: value })
  expect(answer.statusCode).toBe(400)
  const page = parse(answer.body)
  const summary = page.querySelector('[role=alert]')
  expect(summary?.attributes).toMatchObject({ tabindex: '-1', autofocus: '' })
  expect(summary?.querySelector('a')?.attributes).toEqual({ href: `#${field}` })
  const described = page.querySelector(`#${field}`)?.getAttribute('aria-describedby') ?? ''
  expect(described.split(' ')).toContain(`${field}-error`)
  expect(page.querySelector(`#${field}-error`)?.textContent).toBe(message)
  // The sentence stands once, beside the field, which is in sight; the page still says what it is about.
  expect(answer.body.split(message)).toHaveLength(2)
  expect(page.querySelector('title')?.textContent).toBe('Error: please check the form · Harbor Groups')
  expect(page.querySelector('main h1 + p')?.textContent).toContain('Get new group times from Harbor Groups')
  if (field !== 'name') expect(page.querySelector('#name')?.getAttribute('value')).toBe('Ada')
  expect(one(app, 'select count(*) as n from subscribers')).toEqual({ n: 0 })
})

test.each([
  'Ma.Theresa',
  'St.John',
  'Ada',
  'Mary Jane',
  'St. John',
  'J. R.',
  "O'Brien",
  'Zoë',
  '美咲',
  'Ada-Lou 💛',
])('%s is a name', async (name) => {
  const { app, server } = await aPage()
  expect((await send(app, server, { name })).statusCode).toBe(200)
  expect(one(app, 'select name from subscribers')).toEqual({ name })
})

test('a stranger’s form changes nothing of who left, and its name is in no email', async () => {
  const { app, server } = await aPage()
  const dana = aSubscriber(app, ADA, { name: 'Dana', discreet: true, topics: ['anxiety'] })
  await unsubscribeEmail(app, ADA)
  const before = ask(app, 'select * from subscribers, subscriber_topics')
  app.setNow(later(HOUR_MS))
  await send(app, server, { name: 'Hey You Fool', tz: 'Asia/Tokyo' })
  expect(ask(app, 'select * from subscribers, subscriber_topics')).toEqual(before)
  await submitNotices(app)
  const mail = app.resend.accepted.at(-1)
  expect(JSON.stringify(mail)).not.toMatch(/Hey You Fool|Dana/)
  expect(mail?.from).toBe('Weekly update <groups@mail.harbor.test>')

  // She confirms it herself: then the form counts, but nothing makes her mail less discreet than she had it.
  await post(server, linkIn(app))
  expect(one(app, `select name, time_zone, discreet from subscribers where id = ${dana}`)).toEqual({
    ...{ name: 'Hey You Fool', time_zone: 'Asia/Tokyo', discreet: 1 },
  })
  expect(ask(app, 'select form from notices where form is not null')).toEqual([])
})

test('each link confirms the form that it was mailed for', async () => {
  const { app, server } = await aPage()
  await send(app, server, { name: 'Ada', topics: 'ocd' })
  await submitNotices(app)
  const own = linkIn(app)
  app.setNow(later(60_000))
  await send(app, server, { name: 'Eve', topics: 'anxiety' })
  await submitNotices(app)
  await post(server, own)
  expect(
    ask(
      app,
      'select s.name, slug from subscribers s, subscriber_topics t join topics on topics.id = t.topic_id',
    ),
  ).toEqual([{ name: 'Ada', slug: 'ocd' }])
})

test('an erased address comes back by its own confirmation, and by nothing less', async () => {
  const { app, server } = await aPage()
  aSubscriber(app, ADA)
  await erase(app, ADA)
  await send(app, server)
  await submitNotices(app)
  expect(one(app, 'select reason from suppressions')).toEqual({ reason: 'erased' })
  await post(server, linkIn(app))
  expect(one(app, 'select status from subscribers')).toEqual({ status: 'active' })
  expect(ask(app, 'select * from suppressions')).toEqual([])
})

test('“not me, never again” ends every email that a stranger can cause, until its own link takes it back', async () => {
  const { app, server } = await aPage()
  await send(app, server)
  await submitNotices(app)
  const link = linkIn(app, 'not-me')
  const confirm = linkIn(app)
  const before = await imageOf(app.store)
  for (const method of ['GET', 'HEAD'] as const)
    expect((await server.inject({ method, url: link })).statusCode).toBe(200)
  expect((await imageOf(app.store)).equals(before)).toBe(true)

  expect((await post(server, link)).body).toContain('We won’t email you again')
  expect((await post(server, confirm)).statusCode).toBe(410)
  expect((await imageOf(app.store)).includes(ADA)).toBe(false)
  const answer = await send(app, server)
  expect(answer.body).toBe((await send(app, server, { email: 'new@sample.test' })).body)
  await submitNotices(app)
  expect(app.resend.countByAddress()).toEqual(
    new Map([
      [ADA, 1],
      ['new@sample.test', 1],
    ]),
  )

  expect((await post(server, `${link}/allow`)).body).toContain('allowed again')
  await send(app, server)
  await submitNotices(app)
  expect(app.resend.countByAddress().get(ADA)).toBe(2)
  for (const forged of [
    '/not-me/x',
    '/not-me/x/allow',
    link.replace('not-me', 'unsubscribe').replace('unsubscribe', 'not-me').slice(0, -1),
  ])
    expect((await post(server, forged)).statusCode).toBe(404)
})

test('“not me” from a subscriber keeps the weekly email and stops emails that strangers cause', async () => {
  const { app, server } = await aPage()
  aSession(app)
  aSubscriber(app, ADA)
  await send(app, server)
  await submitNotices(app)
  await post(server, linkIn(app, 'not-me'))
  await send(app, server)
  await submitNotices(app)
  await planNow(app)
  await submitOwed(app)
  expect(app.resend.accepted.map(({ subject }) => subject)).toEqual([
    'You’re already subscribed',
    '1 new group time this week',
  ])
})

test('for every address, the response waits for a fixed time and a job is enqueued for later', async () => {
  const answerMs = 60
  const { app, server } = await aPage({ pace: { answerMs, emailDelayMs: () => 5_000 } })
  aSubscriber(app, 'active@sample.test')
  const bounced = aSubscriber(app, 'bounced@sample.test')
  app.db.$client
    .prepare("insert into suppressions select email_hash, 'bounce', 0 from subscribers where id = ?")
    .run(bounced)
  let enqueued = 0
  for (const state of ['new', 'active', 'bounced', 'new', 'new', 'new']) {
    const begun = performance.now()
    expect((await send(app, server, { email: `${state}@sample.test` })).statusCode).toBe(200)
    // Node's timers may be a millisecond early.
    expect(performance.now() - begun).toBeGreaterThanOrEqual(answerMs - 1)
    enqueued += 1
    await eventually(async () => (await app.queue.stats())?.batchJobs.delayed === enqueued)
  }
  // What the ledger has waits as long, so that no sweep takes it up sooner.
  expect(await owedNotices(app.store, app.now(), 10)).toEqual([])
  expect(await owedNotices(app.store, new Date(later(5_000)), 10)).toHaveLength(4)
  expect(await submitNotice(app, 0)).toEqual({ kind: 'not-ours' })
})

test('typed HTML is shown as text on the page and in the email', async () => {
  const { app, server } = await aPage()
  const name = '<img src=x onerror=alert(1)>"'
  const { body } = await send(app, server, { name, email: '"><script>alert(1)</script>' })
  expect(body).not.toMatch(/<img|<script>/)
  expect(parse(body).querySelector('#name')?.getAttribute('value')).toBe(name)
  await send(app, server, { name })
  await submitNotices(app)
  expect(app.resend.accepted.at(-1)?.html).not.toContain('<img')
})

test('a form of odd shape is answered, never run', async () => {
  const { app, server } = await aPage()
  const form = (payload: string, type = 'application/x-www-form-urlencoded') =>
    server.inject({ method: 'POST', url: '/subscribe', payload, headers: { 'content-type': type } })
  for (const answer of [
    await form('{"email":"ada@sample.test"}', 'application/json'),
    await form('email=a&email=b&stamp=x&stamp=y'),
    await form('__proto__=x&constructor=y&email[a]=b'),
    await form('%zz=%ff&&&='),
    await form(''),
  ])
    expect([answer.statusCode, answer.headers.location]).toEqual([400, undefined])
  expect((await form(`email=${'x'.repeat(20_000)}`)).statusCode).toBe(413)
  expect(one(app, 'select count(*) as n from subscribers')).toEqual({ n: 0 })
})

test('without Redis no email is planned, and the page says so with the form kept', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'openseat-join-'))
  const log = { info: () => {}, warn: () => {} }
  const redis = await startPrivateRedis({ folder, binary: findProgram(redisServer), log })
  const app = await testApp({ file: true })
  const server = await buildServer(await app.sibling({ redis: redis.connection }))
  expect((await send(app, server)).statusCode).toBe(200)
  await redis.close()
  rmSync(folder, { recursive: true })
  const answer = await send(app, server, { email: 'eve@sample.test' })
  expect(answer.statusCode).toBe(503)
  expect(parse(answer.body).querySelector('#email')?.getAttribute('value')).toBe('eve@sample.test')
  expect(one(app, 'select count(*) as n from notices')).toEqual({ n: 1 })
  expect((await server.inject('/')).statusCode).toBe(200)
})

test('who does not confirm is forgotten after thirty days, unless they asked again', async () => {
  const { app, server } = await aPage()
  await send(app, server, { email: 'once@sample.test' })
  await send(app, server, { email: 'twice@sample.test' })
  aSubscriber(app, ADA, { status: 'active' })
  app.setNow(later(20 * 24 * HOUR_MS))
  await send(app, server, { email: 'twice@sample.test' })
  await sweep(app)
  expect(one(app, 'select count(*) as n from subscribers')).toEqual({ n: 3 })
  app.setNow(later(31 * 24 * HOUR_MS))
  await sweep(app)
  expect(ask(app, 'select email from subscribers order by email')).toEqual([
    { email: ADA },
    { email: 'twice@sample.test' },
  ])
})

test('pages show the crisis line of the practice, emails that of the reader’s country, and it can be turned off', async () => {
  const uk = await aPage({ settings: { CRISIS_LINE: 'uk' } })
  aSession(uk.app)
  aSubscriber(uk.app, ADA)
  await planNow(uk.app)
  await submitOwed(uk.app)
  const { html, text } = uk.app.resend.accepted.at(-1) ?? { html: '', text: '' }
  for (const part of [html, text]) expect(part).toMatch(/Call 988/)
  expect(html).toContain('href="tel:988"')
  expect((await uk.server.inject('/sessions')).body).toContain(
    '<a href="tel:116123">Call Samaritans at 116 123</a>',
  )
  const off = await aPage({ settings: { CRISIS_LINE: 'off' } })
  expect((await off.server.inject('/')).body).not.toMatch(/crisis|tel:/)
})
