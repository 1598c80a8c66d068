import { createHmac } from 'node:crypto'
import { expect, test } from '@jest/globals'
import {
  afterTest,
  aSession,
  aSubscriber,
  LINK_SECRET,
  planNow,
  submitOwed,
  type TestApp,
  testApp,
  testOnSqlite,
} from '../../test/app.ts'
import { dbOf } from '../../test/db.ts'
import {
  receivedEvent,
  type SignedWebhook,
  signedWebhook,
  type WebhookEvent,
  webhookEvent,
} from '../../test/resend/webhooks.ts'
import { signToken } from '../core/tokens.ts'
import { deliveries, providerEvents } from '../db/schema/ledger.ts'
import { subscribers } from '../db/schema/people.ts'
import { openSqlite } from '../db/sqlite/open.ts'
import { buildServer } from './server.ts'

const SECRET = `whsec_${Buffer.from('the signing secret of the webhook').toString('base64')}`
const NEXT_SECRET = `whsec_${Buffer.from('the secret it is rotated to').toString('base64')}`
const ADA = 'ada@sample.test'

const stored = (app: TestApp) => app.db.select().from(providerEvents).all()
const report = (app: TestApp) => app.db.select().from(deliveries).get()?.report
const secondsAgo = (seconds: number) => ({ timestamp: Math.floor(Date.now() / 1000) - seconds })

test('a signed event is stored and then answered with 200; sent again it is a repeat', async () => {
  const { app, post, event } = await mailed()
  const hook = signedWebhook(SECRET, event('email.delivered'), { id: 'msg_1' })
  expect(await post(hook)).toEqual({ code: 200, status: 'stored' })
  expect(stored(app)).toMatchObject([{ svixId: 'msg_1', type: 'email.delivered' }])
  expect(report(app)).toBe('delivered')
  expect(await post(hook)).toEqual({ code: 200, status: 'repeat' })
  expect(stored(app)).toHaveLength(1)
})

test('an event that we do not know is stored and answered with 200', async () => {
  const { app, post } = await mailed()
  const hook = signedWebhook(SECRET, { type: 'contact.created', created_at: '', data: { email: ADA } })
  expect(await post(hook)).toEqual({ code: 200, status: 'stored' })
  expect(stored(app)).toMatchObject([{ type: 'contact.created', deliveryId: null, detail: null }])
})

test('what is signed and yet no JSON is stored as unreadable', async () => {
  const { app, post } = await mailed()
  const { headers } = signedWebhook(SECRET, { type: '', created_at: '', data: {} }, { id: 'msg_1' })
  const signature = createHmac('sha256', Buffer.from(SECRET.slice('whsec_'.length), 'base64'))
    .update(`msg_1.${headers['svix-timestamp']}.{nonsense`)
    .digest('base64')
  const hook = { body: '{nonsense', headers: { ...headers, 'svix-signature': `v1,${signature}` } }
  expect(await post(hook)).toEqual({ code: 200, status: 'stored' })
  expect(stored(app)).toMatchObject([{ type: 'unreadable' }])
})

const FORGERIES: Record<string, (hook: SignedWebhook) => SignedWebhook> = {
  'another body': ({ body, headers }) => ({ headers, body: body.replace('delivered', 'complained') }),
  'the body written otherwise': ({ body, headers }) => ({ headers, body: `${body} ` }),
  'another id': ({ body, headers }) => ({ body, headers: { ...headers, 'svix-id': 'msg_2' } }),
  'another time': ({ body, headers }) => ({
    body,
    headers: { ...headers, 'svix-timestamp': String(Number(headers['svix-timestamp']) + 1) },
  }),
  'no signature': ({ body, headers }) => ({ body, headers: { ...headers, 'svix-signature': '' } }),
  'no headers': ({ body }) => ({ body, headers: {} }),
  'an empty signature': ({ body, headers }) => ({ body, headers: { ...headers, 'svix-signature': 'v1,' } }),
  'an unknown version': ({ body, headers }) => ({
    body,
    headers: { ...headers, 'svix-signature': `${headers['svix-signature']}`.replace('v1,', 'v2,') },
  }),
  'an empty body': ({ headers }) => ({ headers, body: '' }),
}

test.each(Object.keys(FORGERIES))('%s is refused with 401, and nothing is stored', async (name) => {
  const { app, post, event } = await mailed()
  const hook = signedWebhook(SECRET, event('email.delivered'), { id: 'msg_1' })
  expect(await post(FORGERIES[name]?.(hook) ?? hook)).toMatchObject({ code: 401 })
  expect(stored(app)).toEqual([])
  expect(app.logged()).toContain('a webhook was refused')
  expect(app.logged()).not.toContain('@')
})

test.each([
  [301, 401],
  [290, 200],
  [-330, 401], // not 301: the clock runs on until it is read
  [-290, 200],
])('signed %d seconds ago: %d', async (age, code) => {
  const { post, event } = await mailed()
  expect(await post(signedWebhook(SECRET, event('email.delivered'), secondsAgo(age)))).toMatchObject({ code })
})

test('while the secret is rotated both are good, and a third is not', async () => {
  const { post, event } = await mailed({ RESEND_WEBHOOK_SECRET: `${NEXT_SECRET}, ${SECRET}` })
  const signedWith = async (secret: string) => (await post(signedWebhook(secret, event('email.sent')))).code
  expect(await signedWith(SECRET)).toBe(200)
  expect(await signedWith(NEXT_SECRET)).toBe(200)
  expect(await signedWith(`whsec_${Buffer.from('someone else').toString('base64')}`)).toBe(401)
})

test('during a rotation Resend signs with both, and one that we know is enough', async () => {
  const { post, event } = await mailed()
  const [known, other] = [SECRET, NEXT_SECRET].map((secret) =>
    signedWebhook(secret, event('email.sent'), { id: 'msg_1', ...secondsAgo(0) }),
  )
  const signatures = `${other?.headers['svix-signature']} ${known?.headers['svix-signature']}`
  const hook = { body: known?.body ?? '', headers: { ...known?.headers, 'svix-signature': signatures } }
  expect(await post(hook)).toMatchObject({ code: 200 })
})

test('without a secret nothing is believed: 503, so that Resend comes again, and the log says what to set', async () => {
  const { app, post, event } = await mailed({ RESEND_WEBHOOK_SECRET: '' })
  expect(await post(signedWebhook(SECRET, event('email.delivered')))).toMatchObject({ code: 503 })
  expect(app.logged()).toContain('RESEND_WEBHOOK_SECRET is not set')
  expect(stored(app)).toEqual([])
})

testOnSqlite(
  'while another program holds the database the answer is 503 within seconds, and the next try is stored',
  async () => {
    const { app, post, event } = await mailed({}, { file: true })
    const other = openSqlite(app.config.DATABASE_PATH)
    afterTest(async () => other.close())
    const hook = signedWebhook(SECRET, event('email.delivered'), { id: 'msg_1' })
    dbOf(other).$client.exec('begin immediate')
    const from = performance.now()
    expect(await post(hook)).toEqual({ code: 503, status: 'busy' })
    expect(performance.now() - from).toBeLessThan(8_000)
    dbOf(other).$client.exec('rollback')
    expect(stored(app)).toEqual([])
    expect(await post(hook)).toEqual({ code: 200, status: 'stored' })
  },
)

testOnSqlite('when an event cannot be stored the answer is a 5xx, and nothing of it is kept', async () => {
  const { app, post, event } = await mailed()
  app.db.$client.exec(
    "create trigger full before update on deliveries begin select raise(abort, 'disk full'); end",
  )
  const hook = signedWebhook(SECRET, event('email.delivered'), { id: 'msg_1' })
  expect(await post(hook)).toMatchObject({ code: 500 })
  expect(stored(app)).toEqual([])
  app.db.$client.exec('drop trigger full')
  expect(await post(hook)).toEqual({ code: 200, status: 'stored' })
})

test('a body of 256 KB is taken, a larger one refused', async () => {
  const { post, event } = await mailed()
  const sized = (bytes: number) => {
    const empty = event('email.sent', { padding: '' })
    return signedWebhook(
      SECRET,
      event('email.sent', { padding: 'x'.repeat(bytes - JSON.stringify(empty).length) }),
    )
  }
  expect(await post(sized(256 * 1024))).toMatchObject({ code: 200 })
  expect(await post(sized(256 * 1024 + 1))).toMatchObject({ code: 413 })
})

test('there is nothing to see with GET', async () => {
  const { server } = await mailed()
  expect((await server.inject('/webhooks/resend')).statusCode).toBe(404)
})

const LEAVE = { UNSUBSCRIBE_ADDRESS: 'Leave@in.harbor.test' }
const statusOf = (app: TestApp) => app.db.select().from(subscribers).get()?.status

/** Where the email that Ada got says that an email unsubscribes her. */
function addressIn(app: TestApp): string {
  const header = app.resend.accepted.at(-1)?.headers['List-Unsubscribe'] ?? ''
  return /^<https:[^>]+>, <mailto:([^>]+)>$/.exec(header)?.[1] ?? ''
}

test('an email to the address in the header unsubscribes its reader, and nothing of it is kept', async () => {
  const { app, post } = await mailed(LEAVE)
  const address = addressIn(app)
  expect(address).toMatch(/^leave\+[a-z0-9]{44}@in\.harbor\.test$/)
  expect(address.indexOf('@')).toBeLessThanOrEqual(64)
  const hook = signedWebhook(SECRET, receivedEvent([address], app.now().getTime()), { id: 'msg_1' })
  expect(await post(hook)).toEqual({ code: 200, status: 'stored' })
  expect(statusOf(app)).toBe('unsubscribed')
  expect(stored(app)).toEqual([
    expect.objectContaining({ svixId: 'msg_1', type: 'email.received', deliveryId: null, detail: null }),
  ])
  expect(JSON.stringify(stored(app)) + app.logged()).not.toMatch(/@|Moreno|leave\+/)

  // The same event told again does not undo what she wished since.
  app.db.update(subscribers).set({ status: 'active', unsubscribedAt: null }).run()
  expect(await post(hook)).toEqual({ code: 200, status: 'repeat' })
  expect(statusOf(app)).toBe('active')
})

const WRITTEN: [string, (address: string) => [to: string[], extra?: Record<string, unknown>]][] = [
  ['in capitals', (address) => [[address.toUpperCase()]]],
  ['with a name', (address) => [[`"Harbor, Leave" <${address}>`]]],
  ['as a copy', (address) => [['hello@harbor.test'], { cc: [address] }]],
  ['as a blind copy', (address) => [[], { bcc: [address] }]],
  ['by forwarding', (address) => [['hello@harbor.test'], { received_for: [address] }]],
  ['at the address of last year', (address) => [[address.replace(/^leave|in\./g, 'away')]]],
  ['and by a Resend that leaves fields out', (address) => [[address], { cc: null, bcc: undefined }]],
]

test.each(WRITTEN)('it does so %s', async (_name, write) => {
  const { app, post } = await mailed(LEAVE)
  const [to, extra] = write(addressIn(app))
  await post(signedWebhook(SECRET, receivedEvent(to, app.now().getTime(), extra)))
  expect(statusOf(app)).toBe('unsubscribed')
})

test.each<[string, (address: string) => string]>([
  ['a lost digit', (address) => address.replace('@', '').replace(/(.)in\.harbor/, '@in.harbor')],
  ['another digit', (address) => address.replace(/.@/, (end) => (end === 'x@' ? 'y@' : 'x@'))],
  ['another id', (address) => address.replace(/\+./, (start) => (start === '+0' ? '+1' : '+0'))],
  ['no token', () => 'leave@in.harbor.test'],
  ['all digits the highest', () => `leave+${'z'.repeat(44)}@in.harbor.test`],
])(
  'an email to an address with %s unsubscribes nobody, and the log says so without it',
  async (_name, damage) => {
    const { app, post } = await mailed(LEAVE)
    const damaged = damage(addressIn(app))
    expect(damaged).not.toBe(addressIn(app))
    const hook = signedWebhook(SECRET, receivedEvent([damaged], app.now().getTime()))
    expect(await post(hook)).toEqual({ code: 200, status: 'stored' })
    expect(statusOf(app)).toBe('active')
    expect(app.logged()).toContain('had no whole token')
    expect(app.logged()).not.toMatch(/@in\.harbor|leave\+/)
  },
)

test('an email to someone else in the same account is no matter of ours, and a forged one is refused', async () => {
  const { app, post } = await mailed(LEAVE)
  await post(signedWebhook(SECRET, receivedEvent(['intake@other.test'], app.now().getTime())))
  expect(app.logged()).not.toContain('no whole token')
  const forged = signedWebhook(NEXT_SECRET, receivedEvent([addressIn(app)], app.now().getTime()))
  expect(await post(forged)).toMatchObject({ code: 401 })
  expect(statusOf(app)).toBe('active')
})

test('without UNSUBSCRIBE_ADDRESS no header offers an email; one sent to an earlier address counts all the same', async () => {
  const { app } = await mailed(LEAVE)
  const address = addressIn(app)
  const later = await mailed()
  expect(later.app.resend.accepted[0]?.headers['List-Unsubscribe']).toMatch(/^<https:[^<>,]+>$/)
  const [row] = app.db.select().from(subscribers).all()
  later.app.db
    .update(subscribers)
    .set({ publicId: row?.publicId ?? '' })
    .run()
  await later.post(signedWebhook(SECRET, receivedEvent([address], app.now().getTime())))
  expect(statusOf(later.app)).toBe('unsubscribed')
})

test('an email to the address in an old email unsubscribes, too, when the links were made new since', async () => {
  const { app, server, post } = await mailed(LEAVE)
  const address = addressIn(app)
  const { publicId = '' } = app.db.select().from(subscribers).get() ?? {}
  const preferences = `/preferences/${signToken(LINK_SECRET, 'preferences', publicId)}`
  expect((await server.inject({ method: 'POST', url: `${preferences}/links` })).statusCode).toBe(200)
  expect(app.db.select().from(subscribers).get()?.publicId).not.toBe(publicId)
  await post(signedWebhook(SECRET, receivedEvent([address], app.now().getTime())))
  expect(app.db.select().from(subscribers).get()).toMatchObject({
    status: 'unsubscribed',
    unsubscribedBy: 'link',
  })
})

test('an email to leave that is reported late does not end a subscription that was confirmed after it', async () => {
  const { app, post } = await mailed(LEAVE)
  const askedAt = app.now().getTime()
  const leave = () => post(signedWebhook(SECRET, receivedEvent([addressIn(app)], askedAt)))
  const consent = (minutesLater: number) =>
    app.db
      .update(subscribers)
      .set({ status: 'active', unsubscribedAt: null, consentedAt: askedAt + minutesLater * 60_000 })
      .run()
  consent(60)
  app.setNow(new Date(askedAt + 2 * 3_600_000).toISOString())
  await leave()
  expect(statusOf(app)).toBe('active')
  // Clocks differ: when in doubt they leave.
  consent(4)
  await leave()
  expect(statusOf(app)).toBe('unsubscribed')
})

/** Ada was mailed, and Resend has things to tell of it. */
async function mailed(settings: Record<string, string> = {}, options: { file?: boolean } = {}) {
  const app = await testApp({ settings: { RESEND_WEBHOOK_SECRET: SECRET, ...settings }, ...options })
  aSession(app)
  aSubscriber(app, ADA)
  await planNow(app)
  await submitOwed(app)
  const server = await buildServer(app)
  const [mail] = app.resend.accepted
  if (!mail) throw new Error('nothing was accepted')
  const event = (type: string, extra: Record<string, unknown> = {}): WebhookEvent =>
    webhookEvent(type, mail, app.now().getTime(), extra)
  const post = async ({ headers, body }: SignedWebhook) => {
    const { statusCode, body: text } = await server.inject({
      method: 'POST',
      url: '/webhooks/resend',
      headers,
      payload: body,
    })
    return {
      code: statusCode,
      status: text.startsWith('{') ? (JSON.parse(text) as { status: string }).status : '',
    }
  }
  return { app, server, event, post }
}
