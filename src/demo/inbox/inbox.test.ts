import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from '@jest/globals'
import { Resend } from 'resend'
import { afterTest, eventually } from '../../../test/app.ts'
import { webhookVerifier } from '../../resend/webhook-signature.ts'
import { startInbox } from './server.ts'

const FROM = 'Harbor Groups <groups@mail.harbor.test>'
const HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>{{id}}'
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const NOWHERE = { endpoint: 'http://127.0.0.1:1/webhooks/resend', secret: SECRET }

test('what the SDK sends is kept and shown, newest first', async () => {
  const { url, resend } = await anInbox()
  const { data } = await resend.emails.send(anEmail('ada@sample.test', { subject: 'One' }))
  await resend.batch.send([anEmail('ben@sample.test'), anEmail('cleo@sample.test')])

  const list = await textAt(url)
  expect(list).toContain('3 emails')
  expect([...list.matchAll(/class="to">([^<]+)</g)].map(([, to]) => to)).toEqual([
    'cleo@sample.test',
    'ben@sample.test',
    'ada@sample.test',
  ])
  const found = await textAt(`${url}/?q=ADA`)
  expect(found.match(/class="to"/g)).toHaveLength(1)
  expect(found).toContain('<h1>One</h1>')
  expect(await textAt(`${url}/?q=zebra`)).toContain('No email has “zebra” in it.')

  const email = `${url}/inbox/${data?.id}`
  expect(await textAt(email)).toContain(`src="/inbox/${data?.id}/email?color&#x3D;light"`)
  expect(await textAt(email)).toContain('<dd>When, never what</dd>')
  expect(await textAt(`${email}?show=text`)).toContain('Hello, in text')
  expect(await textAt(`${email}?show=headers`)).toContain('<td>List-Unsubscribe&#x3D;One-Click</td>')
  expect(await resend.emails.get(data?.id ?? '')).toMatchObject({ data: { to: ['ada@sample.test'] } })
})

test('an idempotency key is replayed, refused for other bytes, and forgotten after a day', async () => {
  let now = new Date('2026-11-23T14:00:00Z')
  const { mailbox, resend } = await anInbox({ now: () => now })
  const send = (subject: string) =>
    resend.batch.send([anEmail('ada@sample.test', { subject })], { idempotencyKey: 'openseat/1' })
  const first = await send('One')
  now = new Date('2026-11-24T13:59:59Z')
  expect((await send('One')).data).toEqual(first.data)
  expect((await send('Two')).error).toMatchObject({ name: 'invalid_idempotent_request', statusCode: 409 })
  expect(mailbox.size()).toBe(1)

  now = new Date('2026-11-24T14:00:00Z')
  expect((await send('Two')).data?.data).toHaveLength(1)
  expect(mailbox.size()).toBe(2)
  // One email is another endpoint, where the key was not used.
  await resend.emails.send(anEmail('ada@sample.test'), { idempotencyKey: 'openseat/1' })
  expect(mailbox.size()).toBe(3)
})

test('what Resend refuses is refused: all of a strict batch, one of a permissive one', async () => {
  const { mailbox, url, resend } = await anInbox()
  const batch = [anEmail('ada@sample.test'), anEmail('nobody at all'), anEmail('ben@sample.test')]
  expect((await resend.batch.send(batch)).error).toMatchObject({ name: 'validation_error', statusCode: 422 })
  expect(mailbox.size()).toBe(0)
  expect((await resend.batch.send(batch, { batchValidation: 'permissive' })).data).toMatchObject({
    data: [expect.anything(), expect.anything()],
    errors: [{ index: 1, message: expect.stringContaining('Invalid `to` field.') }],
  })
  const many = Array.from({ length: 101 }, () => anEmail('ada@sample.test'))
  expect((await resend.batch.send(many)).error).toMatchObject({ statusCode: 422 })
  const foreign = anEmail('ada@sample.test', { from: 'a@elsewhere.test' })
  expect((await resend.emails.send(foreign)).error).toMatchObject({ statusCode: 403 })
  const { subject: _, ...nameless } = anEmail('ada@sample.test')
  expect((await resend.emails.send(nameless as never)).error).toMatchObject({
    name: 'missing_required_field',
  })
  const stranger = new Resend('re_other', { baseUrl: url })
  expect((await stranger.emails.send(anEmail('ada@sample.test'))).error).toMatchObject({ statusCode: 401 })
  expect(mailbox.size()).toBe(2)
})

test('what a doctor asks has an answer', async () => {
  const { resend } = await anInbox()
  const [domain] = (await resend.domains.list()).data?.data ?? []
  expect(domain).toMatchObject({ name: 'mail.harbor.test', status: 'verified' })
  expect((await resend.domains.get(domain?.id ?? '')).data).toMatchObject({
    open_tracking: false,
    click_tracking: false,
  })
  expect((await resend.usage.get()).data?.emails.daily.limit).toBeNull()
  expect((await resend.webhooks.list()).data?.data).toEqual([])
})

test('a hostile email stays in its frame, where no script runs', async () => {
  const { url, resend } = await anInbox()
  const hostile = {
    subject: HOSTILE,
    html: `<html><head></head><body>${HOSTILE}</body></html>`,
    text: HOSTILE,
  }
  const { data } = await resend.emails.send(anEmail('ada@sample.test', hostile))
  const page = `${url}/inbox/${data?.id}`
  for (const address of [
    url,
    page,
    `${page}?show=text`,
    `${page}?show=headers`,
    `${url}/?q=${encodeURIComponent(HOSTILE)}`,
  ]) {
    const answer = await fetch(address)
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    const html = await answer.text()
    expect(html).not.toContain('<script>alert')
    expect(html).not.toContain('<img')
    expect(html).not.toMatch(/sandbox="[^"]*allow-scripts/)
  }
  const frame = await fetch(`${page}/email?color=dark`)
  const policy = frame.headers.get('content-security-policy') ?? ''
  expect(policy).toMatch(/^default-src 'none';/)
  expect(policy).not.toMatch(/script-src|allow-scripts/)
  expect(await frame.text()).toContain('<head><base target="_blank"></head>')
})

test('an email is dark or light as chosen, whatever the machine is', async () => {
  const { url, resend } = await anInbox()
  const html =
    '<head><style>:root { color-scheme: light dark; } @media (prefers-color-scheme: dark) { p {} }</style></head><p>Hello'
  const { data } = await resend.emails.send(anEmail('ada@sample.test', { html }))
  const frame = `${url}/inbox/${data?.id}/email`
  expect(await textAt(`${frame}?color=dark`)).toContain('color-scheme: dark; } @media all { p {} }')
  expect(await textAt(`${frame}?color=light`)).toContain('color-scheme: light; } @media not all { p {} }')
})

test('each email is reported as delivered, signed as Resend signs', async () => {
  const verify = webhookVerifier('re_demo', SECRET)
  const events: unknown[] = []
  const hook = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += chunk))
    request.on('end', () => {
      const header = (name: string) => String(request.headers[name])
      events.push(
        verify({
          body,
          id: header('svix-id'),
          timestamp: header('svix-timestamp'),
          signature: header('svix-signature'),
        }),
      )
      response.writeHead(events.length === 1 ? 503 : 200).end() // it tries again
    })
  }).listen(0, '127.0.0.1')
  afterTest(async () => void hook.close())
  await eventually(() => hook.listening)
  const endpoint = `http://127.0.0.1:${(hook.address() as AddressInfo).port}`
  const { resend } = await anInbox({ reports: { endpoint, secret: SECRET } })
  const { data } = await resend.emails.send(anEmail('ada@sample.test'))
  await eventually(() => events.length === 2)
  expect(events[1]).toMatchObject({
    kind: 'genuine',
    event: { type: 'email.delivered', data: { email_id: data?.id } },
  })
})

test('"Reserve" leads to a page that says what would be there', async () => {
  const { url } = await anInbox()
  const page = await textAt(`${url}/book/steady-ground`)
  expect(page).toContain('Your own booking page would open here')
  expect(page).toContain('Steady Ground')
  expect(await textAt(`${url}/book/%3Cscript%3E`)).not.toContain('<script>')
  expect(await fetch(`${url}/inbox/nothing`)).toMatchObject({ status: 404 })
})

async function anInbox(options: Partial<Parameters<typeof startInbox>[0]> = {}) {
  const inbox = await startInbox({
    port: 0,
    account: { apiKey: 're_demo', domain: 'mail.harbor.test' },
    now: () => new Date(),
    examples: [],
    groups: new Map([['steady-ground', 'Steady Ground']]),
    reports: NOWHERE,
    ...options,
  })
  afterTest(() => inbox.close())
  return { ...inbox, resend: new Resend('re_demo', { baseUrl: inbox.url }) }
}

function anEmail(to: string, differs: Partial<Record<'from' | 'subject' | 'html' | 'text', string>> = {}) {
  return {
    from: FROM,
    to,
    subject: 'This week',
    html: '<html><head></head><body><div style="display:none">When, never what&zwnj;&nbsp;</div>Hello</body></html>',
    text: 'Hello, in text',
    headers: { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' },
    ...differs,
  }
}

const textAt = async (url: string): Promise<string> => (await fetch(url)).text()
