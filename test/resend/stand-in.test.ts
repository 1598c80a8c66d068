import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { request as rawRequest } from 'node:http'
import { createInterface } from 'node:readline'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { type CreateEmailOptions, Resend } from 'resend'
import type { Fault } from './faults.ts'
import { type ResendStandIn, startResendStandIn } from './stand-in.ts'
import { signedWebhook } from './webhooks.ts'

const HOUR = 3_600_000
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

let clock: number
let standIn: ResendStandIn
let resend: Resend

beforeEach(async () => {
  clock = Date.parse('2026-11-23T14:00:00Z')
  const refuseAddress = (address: string) =>
    address === 'refused@sample.test' ? 'No mail for this one.' : null
  standIn = await startResendStandIn({ now: () => clock, fromDomain: 'groups.test', refuseAddress })
  resend = new Resend('re_stand_in', { baseUrl: standIn.url })
})

afterEach(() => standIn.close())

const ADA = aMail('Ada <Ada@sample.test>')
const BEN = aMail('ben@sample.test')
const CLEO = aMail('cleo@sample.test')

test('a batch answers with an id for each email, in order', async () => {
  const { data, error } = await resend.batch.send([ADA, BEN, CLEO], {
    idempotencyKey: 'openseat/2026-11-23/g0/b1',
  })
  expect(error).toBeNull()
  expect(data?.data.map(({ id }) => id)).toEqual(standIn.accepted.map(({ id }) => id))
  expect(standIn.accepted.map(({ to }) => to[0])).toEqual([ADA.to, BEN.to, CLEO.to])
  for (const { id, key } of standIn.accepted) {
    expect(id).toMatch(UUID)
    expect(key).toBe('openseat/2026-11-23/g0/b1')
  }
  expect(standIn.countByAddress()).toEqual(
    new Map(['ada', 'ben', 'cleo'].map((name) => [`${name}@sample.test`, 1])),
  )
})

test('what was accepted is kept as it was sent, and can be asked for by id', async () => {
  const headers = { 'List-Unsubscribe': '<https://groups.test/unsubscribe/abc>' }
  const tags = [{ name: 'edition', value: '2026-11-23' }]
  const sent = await resend.emails.send({ ...ADA, replyTo: 'desk@groups.test', headers, tags })
  const kept = {
    ...ADA,
    to: [ADA.to],
    replyTo: ['desk@groups.test'],
    headers,
    tags,
    index: 0,
    key: null,
    at: clock,
  }
  expect(standIn.accepted).toEqual([{ ...kept, id: sent.data?.id }])
  const found = await resend.emails.get(sent.data?.id ?? '')
  expect(found.data).toMatchObject({
    subject: ADA.subject,
    last_event: 'queued',
    reply_to: ['desk@groups.test'],
  })
  const lost = await resend.emails.get('00000000-0000-4000-8000-000000000000')
  expect(lost.error).toMatchObject({ statusCode: 404, name: 'not_found' })
})

test('a permissive batch takes the good ones and names the others by their place', async () => {
  const batch = [
    { ...ADA, to: 'ada@' },
    BEN,
    aMail('refused@sample.test'),
    CLEO,
    { ...ADA, subject: 'a\r\nBcc: b' },
  ]
  const { data } = await resend.batch.send(batch, { batchValidation: 'permissive' })
  expect(data?.data.map(({ id }) => id)).toEqual(standIn.accepted.map(({ id }) => id))
  expect(standIn.accepted.map(({ to, index }) => [to[0], index])).toEqual([
    [BEN.to, 1],
    [CLEO.to, 3],
  ])
  expect(data?.errors).toEqual([
    { index: 0, message: expect.stringContaining('Invalid `to` field. The email address needs to follow') },
    { index: 2, message: 'No mail for this one.' },
    { index: 4, message: expect.stringContaining('`subject`') },
  ])
})

test('a strict batch with one bad email takes none', async () => {
  const { error } = await resend.batch.send([ADA, { ...BEN, to: 'ben' }])
  expect(error).toMatchObject({ statusCode: 422, name: 'validation_error' })
  expect(standIn.accepted).toEqual([])
})

test('an unverified sender domain refuses a permissive batch as a whole', async () => {
  const stranger = { ...BEN, from: 'hello@elsewhere.test' }
  const { error } = await resend.batch.send([ADA, stranger], { batchValidation: 'permissive' })
  const message = 'The `elsewhere.test` domain is not verified. Please, add and verify your domain.'
  expect(error).toEqual({ statusCode: 403, name: 'validation_error', message })
  expect(standIn.accepted).toEqual([])
})

const exampleClass = 'Please use our testing email address instead of domains like `example.com`.'
test.each<[string, Record<string, unknown>, string, string]>([
  ['an example.com recipient', { to: 'ada@example.com' }, 'validation_error', exampleClass],
  ['an example.org recipient', { to: ['Ada <ada@Example.org>'] }, 'validation_error', exampleClass],
  ['a test.com copy', { cc: 'ada@test.com' }, 'validation_error', exampleClass],
  ['an address without a domain', { to: 'ada' }, 'validation_error', 'Invalid `to` field.'],
  [
    'two addresses in one string',
    { to: 'a@sample.test, b@sample.test' },
    'validation_error',
    'Invalid `to` field.',
  ],
  [
    'a line break in an address',
    { to: 'Ada\r\nBcc: x <a@sample.test>' },
    'validation_error',
    'Invalid `to` field.',
  ],
  ['51 recipients', { to: Array(51).fill('ada@sample.test') }, 'validation_error', 'At most 50'],
  ['no recipient', { to: [] }, 'missing_required_field', 'Missing `to` field.'],
  ['no sender', { from: undefined }, 'missing_required_field', 'Missing `from` field.'],
  ['no subject', { subject: undefined }, 'missing_required_field', 'Missing `subject` field.'],
  ['a line break in the subject', { subject: 'Hi\nBcc: x@y.test' }, 'validation_error', '`subject`'],
  [
    'neither html nor text',
    { html: '', text: '' },
    'missing_required_field',
    'Missing `html` or `text` field.',
  ],
  ['a line break in a header', { headers: { 'X-A': 'a\r\nBcc: x' } }, 'validation_error', '`X-A`'],
  ['a bad header name', { headers: { 'X A': 'a' } }, 'validation_error', 'header name'],
  [
    'a tag with a slash',
    { tags: [{ name: 'edition', value: '2026/11' }] },
    'validation_error',
    'Tags should only',
  ],
  [
    'a tag of 257 letters',
    { tags: [{ name: 'a', value: 'a'.repeat(257) }] },
    'validation_error',
    'Tags should only',
  ],
  [
    'an empty attachment',
    { attachments: [{ filename: 'a.ics' }] },
    'invalid_attachment',
    'Attachment must have',
  ],
  ['an unknown field', { unsubscribe: true }, 'validation_error', 'Unrecognized field `unsubscribe`.'],
])('refuses %s', async (_what, change, name, message) => {
  const answer = await post('/emails', { ...ADA, ...change })
  expect(answer).toMatchObject({ status: 422, body: { statusCode: 422, name } })
  expect(answer.body.message).toContain(message)
  expect(standIn.accepted).toEqual([])
})

test('refuses what only a batch must not have', async () => {
  const scheduled = await post('/emails/batch', [{ ...ADA, scheduled_at: '2026-11-24T14:00:00Z' }])
  const attached = await post('/emails/batch', [
    { ...ADA, attachments: [{ content: 'YQ==', filename: 'a' }] },
  ])
  const tooMany = await post('/emails/batch', Array(101).fill(ADA))
  const none = await post('/emails/batch', [])
  const notAList = await post('/emails/batch', ADA)
  const aList = await post('/emails', [ADA])
  const mode = await post('/emails/batch', [ADA], { 'x-batch-validation': 'lenient' })
  for (const { status, body } of [scheduled, attached, tooMany, none, notAList, aList, mode]) {
    expect([status, body.name]).toEqual([422, 'validation_error'])
  }
  expect(tooMany.body.message).toContain('101')
  expect((await post('/emails/batch', Array(100).fill(ADA))).status).toBe(200)
})

test('refuses callers without user agent or key, bodies that are not JSON, and unknown routes', async () => {
  const noAgent = rawRequest(`${standIn.url}/domains`, {
    headers: { authorization: 'Bearer re_stand_in' },
  }).end()
  const [answer] = await once(noAgent, 'response')
  expect([answer.statusCode, answer.headers['content-type']]).toEqual([403, 'text/plain'])
  expect((await answer.toArray()).join('')).toBe('error code: 1010')

  const noKey = await post('/emails', ADA, { authorization: '' })
  expect([noKey.status, noKey.body.name]).toEqual([401, 'missing_api_key'])
  const wrongKey = await new Resend('re_other', { baseUrl: standIn.url }).emails.send(ADA)
  expect(wrongKey.error).toEqual({ statusCode: 401, name: 'validation_error', message: 'API key is invalid' })
  expect((await post('/emails', '{"from":')).status).toBe(400)
  expect((await post('/emials', ADA)).body.name).toBe('not_found')
  expect((await post('/domains', ADA)).body.name).toBe('method_not_allowed')
  expect(standIn.accepted).toEqual([])
})

test('the same key and the same email get the same ids, and no one is emailed again', async () => {
  const first = await post('/emails/batch', [ADA, BEN], { 'idempotency-key': 'k' })
  const reordered = [ADA, BEN].map((email) => Object.fromEntries(Object.entries(email).reverse()))
  const again = await post('/emails/batch', reordered, { 'idempotency-key': 'k' })
  expect(again).toEqual(first)
  expect(standIn.accepted).toHaveLength(2)
})

test('the same key with another email is refused, on that path only', async () => {
  await resend.emails.send(ADA, { idempotencyKey: 'k' })
  const changed = await resend.emails.send({ ...ADA, html: '<p>Changed</p>' }, { idempotencyKey: 'k' })
  expect(changed.error).toMatchObject({ statusCode: 409, name: 'invalid_idempotent_request' })
  const elsewhere = await resend.batch.send([ADA], { idempotencyKey: 'k' })
  expect(elsewhere.error).toBeNull()
})

test('a key is forgotten after 24 hours', async () => {
  await resend.emails.send(ADA, { idempotencyKey: 'k' })
  clock += 24 * HOUR - 1
  await resend.emails.send(ADA, { idempotencyKey: 'k' })
  expect(standIn.accepted).toHaveLength(1)
  clock += 1
  await resend.emails.send(ADA, { idempotencyKey: 'k' })
  expect(standIn.accepted).toHaveLength(2)
})

test('a refused request leaves its key free', async () => {
  await resend.emails.send({ ...ADA, to: 'ada' }, { idempotencyKey: 'k' })
  expect((await resend.emails.send(ADA, { idempotencyKey: 'k' })).error).toBeNull()
})

test('a key has between 1 and 256 characters', async () => {
  for (const key of ['', 'k'.repeat(257)]) {
    const { status, body } = await post('/emails', ADA, { 'idempotency-key': key })
    expect([status, body.name]).toEqual([400, 'invalid_idempotency_key'])
  }
  expect((await post('/emails', ADA, { 'idempotency-key': 'k'.repeat(256) })).status).toBe(200)
})

test('a late answer holds its key until it is given, and then replays', async () => {
  standIn.inject({ kind: 'late', ms: 300 })
  const slow = resend.emails.send(ADA, { idempotencyKey: 'k' })
  await until(() => standIn.accepted.length === 1)
  const meanwhile = await resend.emails.send(ADA, { idempotencyKey: 'k' })
  expect(meanwhile.error).toMatchObject({ statusCode: 409, name: 'concurrent_idempotent_requests' })
  const { data } = await slow
  const afterwards = await resend.emails.send(ADA, { idempotencyKey: 'k' })
  expect(afterwards.data).toEqual(data)
  expect(standIn.accepted).toHaveLength(1)
})

test.each([
  { kind: 'hang' as const, acceptedMeanwhile: 0 },
  { kind: 'hang-after-accept' as const, acceptedMeanwhile: 1 },
])(
  'a request that meets $kind holds its key until the client leaves',
  async ({ kind, acceptedMeanwhile }) => {
    standIn.inject({ kind })
    const patience = new AbortController()
    const hanging = resend.emails.send(ADA, { idempotencyKey: 'k', signal: patience.signal })
    await until(() => standIn.requests.length === 1)
    expect(standIn.accepted).toHaveLength(acceptedMeanwhile)
    const meanwhile = await resend.emails.send(ADA, { idempotencyKey: 'k' })
    expect(meanwhile.error?.name).toBe('concurrent_idempotent_requests')
    patience.abort()
    expect((await hanging).error).toMatchObject({ name: 'application_error', statusCode: null })
    await until(async () => (await resend.emails.send(ADA, { idempotencyKey: 'k' })).error === null)
    expect(standIn.accepted).toHaveLength(1)
    expect(standIn.requests[0]?.status).toBeNull()
  },
)

const unknownOutcome = { name: 'application_error', statusCode: null }
test.each<{ fault: Fault; error: object; acceptedAtOnce: number }>([
  { fault: { kind: 'reset-before' }, error: unknownOutcome, acceptedAtOnce: 0 },
  { fault: { kind: 'reset-after-accept' }, error: unknownOutcome, acceptedAtOnce: 1 },
  { fault: { kind: 'broken-json' }, error: unknownOutcome, acceptedAtOnce: 1 },
  { fault: { kind: 'html-502' }, error: { name: 'application_error', statusCode: 502 }, acceptedAtOnce: 0 },
  { fault: { kind: 'status' }, error: { name: 'application_error', statusCode: 500 }, acceptedAtOnce: 0 },
  {
    fault: { kind: 'status', status: 429, name: 'daily_quota_exceeded', message: 'Enough.' },
    error: { name: 'daily_quota_exceeded', statusCode: 429, message: 'Enough.' },
    acceptedAtOnce: 0,
  },
  {
    fault: { kind: 'status-after-accept', status: 503, name: 'service_unavailable' },
    error: { name: 'service_unavailable', statusCode: 503 },
    acceptedAtOnce: 1,
  },
])('after $fault the same request again ends with each email accepted once', async (row) => {
  standIn.inject(row.fault)
  const first = await resend.batch.send([ADA, BEN], { idempotencyKey: 'k' })
  expect(first.error).toMatchObject(row.error)
  expect(standIn.accepted).toHaveLength(2 * row.acceptedAtOnce)
  const second = await resend.batch.send([ADA, BEN], { idempotencyKey: 'k' })
  expect(second.data?.data.map(({ id }) => id)).toEqual(standIn.accepted.map(({ id }) => id))
  expect(standIn.accepted).toHaveLength(2)
})

test('an injected rate limit says when to come back and accepts nothing', async () => {
  standIn.inject({ kind: 'rate-limit', ms: 3000 })
  const { error, headers } = await resend.emails.send(ADA)
  expect(error).toMatchObject({ statusCode: 429, name: 'rate_limit_exceeded' })
  expect(headers).toMatchObject({ 'retry-after': '3' })
  expect(standIn.accepted).toEqual([])
})

test('a fault affects the requests it matches, as often as it is set to', async () => {
  const isBen: Fault['when'] = ({ emails }) => emails.some(({ to }) => to === BEN.to)
  standIn.inject({ kind: 'status', status: 503, when: isBen, times: 2 })
  const mails = [ADA, BEN, CLEO, BEN, BEN]
  const statuses = []
  for (const mail of mails) statuses.push((await resend.emails.send(mail)).error?.statusCode ?? 200)
  expect(statuses).toEqual([200, 503, 200, 503, 200])

  standIn.inject({ kind: 'status', every: 2, times: Infinity })
  await resend.domains.list()
  const everySecond = []
  for (const mail of mails) everySecond.push((await resend.emails.send(mail)).error?.statusCode ?? 200)
  expect(everySecond).toEqual([200, 500, 200, 500, 200])
  standIn.clearFaults()
  expect((await resend.emails.send(ADA)).error).toBeNull()
})

test('the bucket empties, says so in headers, and refills with time', async () => {
  standIn.setRequestsPerSecond(2)
  const first = await resend.emails.send(ADA)
  expect(first.headers).toMatchObject({
    'ratelimit-limit': '2',
    'ratelimit-policy': '2;w=1',
    'ratelimit-remaining': '1',
    'ratelimit-reset': '1',
  })
  await resend.emails.send(BEN)
  const third = await resend.emails.send(CLEO)
  expect(third.error).toMatchObject({ statusCode: 429, name: 'rate_limit_exceeded' })
  expect(third.error?.message).toContain('2 requests per second')
  expect(third.headers).toMatchObject({ 'retry-after': '1', 'ratelimit-remaining': '0' })
  clock += 500
  expect((await resend.emails.send(CLEO)).error).toBeNull()
  expect((await resend.emails.send(CLEO)).error).not.toBeNull()
  expect(standIn.accepted).toHaveLength(3)
})

test('the account has one verified domain without tracking', async () => {
  const { data } = await resend.domains.list()
  expect(data?.data).toMatchObject([
    { name: 'groups.test', status: 'verified', open_tracking: false, click_tracking: false },
  ])
  const one = await resend.domains.get(data?.data[0]?.id ?? '')
  expect(one.data).toMatchObject({ object: 'domain', name: 'groups.test', open_tracking: false })
  expect((await resend.domains.get('d91cd9bd')).error).toMatchObject({ statusCode: 404, name: 'not_found' })
})

test('a key that only sends may read nothing', async () => {
  const other = await startResendStandIn({ sendingOnly: true })
  const sender = new Resend('re_stand_in', { baseUrl: other.url })
  expect((await sender.emails.send(ADA)).error).toBeNull()
  expect((await sender.domains.list()).error).toMatchObject({ statusCode: 401, name: 'restricted_api_key' })
  await other.close()
})

test('its signed webhooks pass the verification of the resend package', async () => {
  const secret = `whsec_${Buffer.from('a secret of the test').toString('base64')}`
  await resend.emails.send({ ...ADA, tags: [{ name: 'edition', value: '2026-11-23' }] })
  const [email] = standIn.accepted
  if (!email) throw new Error('nothing accepted')
  const bounce = { type: 'Permanent', subType: 'General', message: 'Gone.' }
  const event = standIn.webhookEvent('email.bounced', email, { bounce })
  const verify = ({ headers, body }: ReturnType<typeof signedWebhook>) => {
    const { 'svix-id': id = '', 'svix-timestamp': timestamp = '', 'svix-signature': signature = '' } = headers
    return resend.webhooks.verify({
      payload: body,
      headers: { id, timestamp, signature },
      webhookSecret: secret,
    })
  }
  const signed = signedWebhook(secret, event, { id: 'msg_1' })
  expect(signed.headers['svix-id']).toBe('msg_1')
  expect(verify(signed)).toMatchObject({
    type: 'email.bounced',
    created_at: '2026-11-23T14:00:00.000Z',
    data: { email_id: email.id, to: [ADA.to], tags: { edition: '2026-11-23' }, bounce },
  })
  expect(() => verify({ ...signed, body: signed.body.replace('Permanent', 'Transient') })).toThrow()
  expect(() => verify(signedWebhook(secret, event, { timestamp: 1_700_000_000 }))).toThrow('too old')
})

test('without keepBodies only a summary of each email stays', async () => {
  await standIn.close()
  standIn = await startResendStandIn({ keepBodies: false })
  await new Resend('re_stand_in', { baseUrl: standIn.url }).emails.send({ ...ADA, headers: { 'X-A': 'a' } })
  expect(standIn.accepted).toMatchObject([
    { to: [ADA.to], subject: ADA.subject, html: '', text: '', headers: {} },
  ])
})

test('as a process of its own, it reports what it accepted and takes faults over HTTP', async () => {
  const child = spawn(process.execPath, [`${import.meta.dirname}/stand-in.ts`, '--rps', '50'])
  try {
    const [line] = await once(createInterface(child.stdout), 'line')
    const { url } = JSON.parse(line)
    const far = new Resend('re_stand_in', { baseUrl: url })
    const faults = (body: object) =>
      fetch(`${url}/_stand-in/faults`, { method: 'POST', body: JSON.stringify(body) })
    expect((await faults({ kind: 'reset-after-acept' })).status).toBe(422)
    expect((await faults({ kind: 'reset-after-accept' })).status).toBe(200)
    expect((await far.emails.send(ADA)).error).toMatchObject(unknownOutcome)
    const { headers } = await far.batch.send([ADA, BEN])
    expect(headers).toMatchObject({ 'ratelimit-limit': '50' })
    const summary = await (await fetch(`${url}/_stand-in/summary`)).json()
    expect(summary).toEqual({ accepted: 3, duplicates: 1, struck: 1, requests: { unanswered: 1, 200: 1 } })
    const counts = await (await fetch(`${url}/_stand-in/counts`)).json()
    expect(counts).toEqual({ 'ada@sample.test': 2, 'ben@sample.test': 1 })
  } finally {
    child.kill('SIGTERM')
  }
  expect(await once(child, 'exit')).toEqual([0, null])
})

function aMail(to: string) {
  const subject = 'New session times'
  return {
    from: 'Groups <desk@groups.test>',
    to,
    subject,
    html: '<p>Tuesdays</p>',
    text: 'Tuesdays',
  } satisfies CreateEmailOptions
}

/** What the package would not send: fields and headers as they are. A string is sent as the body itself. */
async function post(path: string, content: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${standIn.url}${path}`, {
    method: 'POST',
    headers: { authorization: 'Bearer re_stand_in', 'content-type': 'application/json', ...headers },
    body: typeof content === 'string' ? content : JSON.stringify(content),
  })
  const body = (await response.json()) as { statusCode?: number; name?: string; message?: string }
  return { status: response.status, body }
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await setImmediate()
}
