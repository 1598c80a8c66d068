import { expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import { aSession, aSubscriber, LINK_SECRET, type TestApp, testApp } from '../../../../test/app.ts'
import { imageOf } from '../../../../test/db.ts'
import { planEdition } from '../../../actions/editions/plan.ts'
import { openSubmitter } from '../../../actions/editions/submit.ts'
import { resubscribeEmail, unsubscribeEmail } from '../../../actions/subscribers/consent.ts'
import { erase } from '../../../actions/subscribers/records.ts'
import { slotAtOrBefore } from '../../../core/time/calendar.ts'
import { signToken } from '../../../core/tokens.ts'
import { owedBatches } from '../../../db/ledger/batches.ts'
import { tallyOf } from '../../../db/ledger/editions.ts'
import { buildServer } from '../../server.ts'

const ADA = 'ada@sample.test'
const ADAS_ID = 'AdasPublicId0000000000'
const FORM = 'application/x-www-form-urlencoded'

const linkFor = (purpose: 'unsubscribe' | 'preferences', secret = LINK_SECRET) =>
  `/${purpose}/${signToken(secret, purpose, ADAS_ID)}`

async function withAda(options: Parameters<typeof testApp>[0] & { topics?: string[] } = {}) {
  const { topics = [], ...rest } = options
  const app = await testApp(rest)
  aSubscriber(app, ADA, { publicId: ADAS_ID, name: 'Ada Moreno', topics })
  return { app, server: await buildServer(app), link: linkFor('unsubscribe') }
}

const status = (app: TestApp) =>
  app.db.$client.prepare('select status from subscribers where public_id = ?').pluck().get(ADAS_ID)

const plainText = (html: string) => parse(html).textContent.replace(/\s+/g, ' ')

const SCANNERS = [
  { name: 'asks for the head first', methods: ['HEAD', 'GET'], headers: { 'user-agent': 'LinkGuard/2.1' } },
  { name: 'prefetches', methods: ['GET', 'GET'], headers: { 'sec-purpose': 'prefetch;prerender' } },
  { name: 'poses as a browser', methods: ['GET', 'HEAD'], headers: { accept: 'text/html', cookie: 'a=b' } },
] as const

test.each(SCANNERS)('a scanner that $name changes nothing', async ({ methods, headers }) => {
  const { app, server, link } = await withAda()
  const before = await imageOf(app.store)
  for (const method of methods)
    for (const url of [
      link,
      `${link}?confirm=1`,
      `${link}?List-Unsubscribe=One-Click`,
      linkFor('preferences'),
    ])
      expect((await server.inject({ method, url, headers })).statusCode).toBe(200)
  for (const method of methods)
    expect((await server.inject({ method, url: `${link}/undo`, headers })).statusCode).toBe(303)
  expect((await imageOf(app.store)).equals(before)).toBe(true)
})

test('no answer to an unsubscribe link leads to the preferences, which show what was chosen', async () => {
  const { server, link } = await withAda({ topics: ['anxiety'] })
  const pages = [await server.inject(link)]
  for (const act of ['/pause', '/monthly', '', '/undo', '/undo'])
    pages.push(await server.inject({ method: 'POST', url: `${link}${act}` }))
  expect(pages.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 200, 200, 200])
  for (const { body } of pages) {
    expect(body).not.toContain('/preferences/')
    expect(body).not.toContain('Anxiety')
  }
})

test('the first button posts to the page itself and unsubscribes, without a script', async () => {
  const { app, server, link } = await withAda()
  const page = parse((await server.inject(link)).body)
  expect(page.querySelector('button')?.textContent).toBe('Unsubscribe')
  expect(page.querySelector('form')?.attributes).toEqual({ class: 'act', method: 'post' })
  expect(page.querySelectorAll('script, img, iframe, [style], [onclick]')).toEqual([])

  const pressed = await server.inject({
    method: 'POST',
    url: link,
    headers: { 'content-type': FORM },
    payload: 'confirm=1',
  })
  expect(plainText(pressed.body)).toContain(
    'You’re unsubscribed You won’t get any more emails from Harbor Groups.',
  )
  expect(status(app)).toBe('unsubscribed')
})

const MULTIPART =
  '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'
const CLICKS: { name: string; payload?: string; headers?: Record<string, string> }[] = [
  { name: 'urlencoded', payload: 'List-Unsubscribe=One-Click', headers: { 'content-type': FORM } },
  { name: 'multipart', payload: MULTIPART, headers: { 'content-type': 'multipart/form-data; boundary=b' } },
  { name: 'broken multipart', payload: '--b\r\nCont', headers: { 'content-type': 'multipart/form-data' } },
  { name: 'JSON', payload: '{"oops', headers: { 'content-type': 'application/json' } },
  { name: 'an unknown type', payload: 'x', headers: { 'content-type': 'application/octet-stream' } },
  { name: 'no type', payload: 'List-Unsubscribe=One-Click' },
  { name: 'no body' },
]

test.each(CLICKS)(
  'one click with $name unsubscribes: 200, no redirect, no cookie',
  async ({ payload, headers }) => {
    const { app, server, link } = await withAda()
    const answer = await server.inject({
      method: 'POST',
      url: link,
      ...(payload !== undefined && { payload }),
      ...(headers && { headers }),
    })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).not.toHaveProperty('location')
    expect(answer.headers).not.toHaveProperty('set-cookie')
    expect(status(app)).toBe('unsubscribed')
  },
)

test('repeated, unknown, suppressed and erased get the same calm answer', async () => {
  const { app, server, link } = await withAda()
  const answers: number[] = []
  const post = async (url: string) => {
    const { statusCode, body } = await server.inject({ method: 'POST', url })
    answers.push(statusCode)
    return body.replace(/action="[^"]*"/, '')
  }
  const first = await post(link)
  expect(await post(link)).toBe(first)
  expect(await post(`/unsubscribe/${signToken(LINK_SECRET, 'unsubscribe', 'NobodysPublicId0000000')}`)).toBe(
    first,
  )
  await erase(app, ADA)
  expect(await post(link)).toBe(first)
  expect(answers).toEqual(answers.map(() => 200))
})

test('a link works after LINK_SECRET was rotated', async () => {
  const { app, server } = await withAda({
    settings: { LINK_SECRET: `a newer secret that is also long enough,${LINK_SECRET}` },
  })
  expect((await server.inject(linkFor('preferences'))).statusCode).toBe(200)
  await server.inject({ method: 'POST', url: linkFor('unsubscribe', LINK_SECRET) })
  expect(status(app)).toBe('unsubscribed')
})

test('a mistake is undone with the form on the answer', async () => {
  const { app, server, link } = await withAda()
  const answer = parse((await server.inject({ method: 'POST', url: link })).body)
  const undo = answer.querySelector('form')?.getAttribute('action') ?? ''
  expect(undo).toBe(`${link}/undo`)
  for (const _ of ['once', 'twice']) {
    const { statusCode, body } = await server.inject({ method: 'POST', url: undo })
    expect([statusCode, parse(body).querySelector('h1')?.textContent]).toEqual([
      200,
      'You’re subscribed again',
    ])
  }
  expect(status(app)).toBe('active')
})

test('a link undoes what it did for a day, and never what an operator did', async () => {
  const { app, server, link } = await withAda()
  const post = async (url: string) => (await server.inject({ method: 'POST', url })).body
  await post(link)
  app.setNow('2026-11-24T15:00:00.000Z')
  expect(await post(`${link}/undo`)).toContain('You’re subscribed again')
  await post(link)
  app.setNow('2026-11-25T15:00:00.001Z')
  expect(await post(`${link}/undo`)).toContain('only for a day')
  expect(status(app)).toBe('unsubscribed')
  expect((await server.inject(linkFor('preferences'))).body).not.toContain('/undo')

  // An operator ends it, also after the reader did.
  aSubscriber(app, 'ben@sample.test', { publicId: 'BensPublicId0000000000' })
  const bens = `/unsubscribe/${signToken(LINK_SECRET, 'unsubscribe', 'BensPublicId0000000000')}`
  await post(bens)
  await unsubscribeEmail(app, 'ben@sample.test')
  expect(await post(`${bens}/undo`)).toContain('We couldn’t restart your emails')
  expect((await resubscribeEmail(app, 'ben@sample.test')).kind).toBe('resubscribed')
})

test('undoing brings back neither the erased nor the suppressed', async () => {
  const { app, server, link } = await withAda()
  await server.inject({ method: 'POST', url: link })
  app.db.$client.exec("insert into suppressions select email_hash, 'complaint', 0 from subscribers")
  const answer = await server.inject({ method: 'POST', url: `${link}/undo` })
  expect(answer.statusCode).toBe(200)
  expect(answer.body).toContain('We couldn’t restart your emails')
  expect(status(app)).toBe('unsubscribed')
  await erase(app, ADA)
  expect((await server.inject({ method: 'POST', url: `${link}/undo` })).body).toBe(answer.body)
})

test('unsubscribing takes effect for a batch that is planned but not yet claimed', async () => {
  const { app, server, link } = await withAda()
  aSubscriber(app, 'ben@sample.test')
  aSession(app)
  const { edition } = await planEdition(app, slotAtOrBefore(app.config.slotRule, app.now()))
  expect(await tallyOf(app.store, edition.id)).toMatchObject({ candidates: 2, waiting: 2 })

  await server.inject({
    method: 'POST',
    url: link,
    headers: { 'content-type': FORM },
    payload: 'List-Unsubscribe=One-Click',
  })
  for (const { id } of await owedBatches(app.store, app.now(), 10)) await openSubmitter(app).submit(id)

  expect(await tallyOf(app.store, edition.id)).toMatchObject({
    submitted: 1,
    excluded: { unsubscribed: 1 },
    waiting: 0,
  })
  expect(app.resend.accepted.map(({ to }) => to).flat()).toEqual(['ben@sample.test'])
})

test('the links in a submitted email open their pages', async () => {
  const { app, server } = await withAda()
  aSession(app)
  await planEdition(app, slotAtOrBefore(app.config.slotRule, app.now()))
  for (const { id } of await owedBatches(app.store, app.now(), 10)) await openSubmitter(app).submit(id)
  const header = app.resend.accepted[0]?.headers?.['List-Unsubscribe'] ?? ''
  const url = new URL(/<(https[^>]+)>/.exec(header)?.[1] ?? '')
  await server.inject({ method: 'POST', url: url.pathname, payload: 'List-Unsubscribe=One-Click' })
  expect(status(app)).toBe('unsubscribed')
})
