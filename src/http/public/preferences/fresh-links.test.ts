import { Readable } from 'node:stream'
import { expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import {
  aSession,
  aSubscriber,
  LINK_SECRET,
  planNow,
  submitOwed,
  type TestApp,
  testApp,
} from '../../../../test/app.ts'
import { imageOf } from '../../../../test/db.ts'
import { importSubscribers } from '../../../actions/imports/subscribers.ts'
import { submitNotice } from '../../../actions/subscribers/notices.ts'
import { erase, exportSubscriber } from '../../../actions/subscribers/records.ts'
import { hashEmail, signToken } from '../../../core/tokens.ts'
import { owedNotices } from '../../../db/people/notices.ts'
import { buildServer } from '../../server.ts'

const ADA = 'ada@sample.test'
const NEW = 'ada.moreno@elsewhere.test'
const ADAS_ID = 'AdasPublicId0000000000'
const linkOf = (purpose: 'preferences' | 'unsubscribe', id = ADAS_ID) =>
  `/${purpose}/${signToken(LINK_SECRET, purpose, id)}`
const PAGE = linkOf('preferences')
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

async function withAda(seed: Parameters<typeof aSubscriber>[2] = {}) {
  const app = await testApp()
  aSubscriber(app, ADA, { publicId: ADAS_ID, name: 'Ada', ...seed })
  const server = await buildServer(app)
  let networks = 0
  const post = (url: string, form: Record<string, string> = {}, from = `10.0.${(networks += 1)}.1`) =>
    server.inject({
      method: 'POST',
      url,
      remoteAddress: from,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams(form).toString(),
    })
  /** Asks for a fresh link and returns it as it was mailed to the address on record. */
  const fresh = async (what: 'data' | 'forget' | 'address') => {
    expect((await post(`${PAGE}/${what}`)).statusCode).toBe(200)
    return mailed(app, 'fresh')
  }
  return { app, server, post, fresh }
}

/** Presses the button on the page with the data. */
async function download(post: Awaited<ReturnType<typeof withAda>>['post'], body: string) {
  const page = parse(body)
  const [file = '', seal = ''] = page.querySelectorAll('main input').map((one) => one.getAttribute('value'))
  return post(page.querySelector('main form')?.getAttribute('action') ?? '', { file, seal })
}

/** Submits what is owed, and returns the link of this kind in the last mail. */
async function mailed(app: TestApp, purpose: string): Promise<string> {
  for (const { id } of await owedNotices(app.store, app.now(), 10)) await submitNotice(app, id)
  const { text = '' } = app.resend.accepted.at(-1) ?? {}
  return new RegExp(`https://groups\\.harbor\\.test(/${purpose}/\\S+)`).exec(text)?.[1] ?? ''
}

const later = (app: TestApp, ms: number) => app.setNow(new Date(app.now().getTime() + ms).toISOString())
const stored = (app: TestApp) =>
  app.db.$client.prepare('select * from subscribers where id = 1').get() as
    | Record<string, unknown>
    | undefined
const text = (body: string) => parse(body).textContent.replace(/\s+/g, ' ')
const subjects = (app: TestApp) => app.resend.accepted.map(({ to, subject }) => [...to, subject])
const suppress = (app: TestApp, email: string, reason: string) =>
  app.db.$client
    .prepare(
      'insert into suppressions values (?, ?, 0) on conflict (email_hash) do update set reason = excluded.reason',
    )
    .run(hashEmail(app.hashKey, email), reason)

/** Moves Ada's subscription to `email`, as far as the link that `email` gets. */
async function askToMove({ app, post, fresh }: Awaited<ReturnType<typeof withAda>>, email = NEW) {
  const answer = await post(await fresh('address'), { email })
  return { answer, link: await mailed(app, 'change-address') }
}

test('the link in an email shows no address in full, gives no data and deletes nothing by itself', async () => {
  const { app, server, post } = await withAda({ topics: ['ocd'] })
  const page = (await server.inject(PAGE)).body
  expect(page).not.toContain(ADA)
  for (const path of ['/data.json', '/forget']) {
    const answer = await server.inject(PAGE + path)
    expect([answer.statusCode, answer.headers.location]).toEqual([303, `${PAGE}#data`])
  }
  for (const path of ['/data', '/forget', '/address']) {
    const answer = await post(PAGE + path, { email: NEW })
    expect(text(answer.body)).toContain('We’re emailing a link to a…@sample.test.')
    expect(answer.body).not.toContain(ADA)
  }
  expect(stored(app)).toMatchObject({ email: ADA, status: 'active' })
  await mailed(app, 'fresh')
  expect(app.resend.accepted.map(({ to }) => to)).toEqual([[ADA], [ADA], [ADA]])
})

test('the data is given once, to the fresh link, for fifteen minutes, and a scanner uses nothing up', async () => {
  const { app, server, post, fresh } = await withAda({ topics: ['ocd'] })
  aSession(app, { topic: 'ocd' })
  await planNow(app)
  await submitOwed(app)
  const link = await fresh('data')
  const before = await imageOf(app.store)
  for (const method of ['GET', 'HEAD', 'GET'] as const)
    expect((await server.inject({ method, url: link })).statusCode).toBe(200)
  expect((await imageOf(app.store)).equals(before)).toBe(true)

  later(app, 15 * MINUTE_MS)
  const exported = await exportSubscriber(app, ADA)
  const answer = await post(link)
  expect(answer.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
  })
  const page = parse(answer.body)
  expect(page.querySelectorAll('h2').map((one) => one.textContent)).toEqual(['You', 'Your choices', 'Emails'])
  expect(text(answer.body)).toMatch(
    /Email address ada@sample\.test.*Topics OCD.*Weekly email of 2026-11-23 Sent/,
  )
  expect(text(answer.body)).not.toMatch(/\d{13}|seenThrough|emailHash/)
  for (const _ of ['once', 'twice']) {
    const file = await download(post, answer.body)
    expect(file.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-disposition': 'attachment; filename="my-data.json"',
      'cache-control': 'no-store',
    })
    expect({ kind: 'found', record: file.json() }).toEqual(exported)
  }
  for (const again of [await post(link), await server.inject(link)])
    expect([again.statusCode, text(again.body)]).toEqual([410, expect.stringContaining('no longer works')])

  const second = await fresh('data')
  later(app, 15 * MINUTE_MS + 1)
  expect((await post(second)).statusCode).toBe(410)
})

test('a file that is not ours is not offered as a download', async () => {
  const { post, fresh } = await withAda()
  const page = parse((await post(await fresh('data'))).body)
  const action = page.querySelector('main form')?.getAttribute('action') ?? ''
  const [file = '', seal = ''] = page.querySelectorAll('main input').map((one) => one.getAttribute('value'))
  expect((await post(action, { file, seal })).statusCode).toBe(200)
  const other = Buffer.from('other').toString('base64url')
  for (const form of [{}, { file: other, seal }, { file, seal: `${seal}x` }, { file: `${file}A`, seal }])
    expect((await post(action, form as Record<string, string>)).statusCode).toBe(410)
})

test('the data is readable in Spanish too, with everything that may have happened', async () => {
  const ada = await withAda({ topics: ['ocd'] })
  const { app, post } = ada
  app.db.$client.exec("update subscribers set locale = 'es'")
  await askToMove(ada)
  aSession(app, { topic: 'ocd' })
  await planNow(app)
  await submitOwed(app)
  const page = parse((await post(await ada.fresh('data'))).body)
  expect(page.querySelectorAll('h2').map((one) => one.textContent)).toEqual([
    'Tú',
    'Lo que elegiste',
    'Correos',
    'Lo que se hizo',
  ])
  expect(text(page.toString())).toContain(`Cambio de dirección pedido ${NEW}`)
})

test('a fresh link does what it was asked for and nothing else; forged ones do nothing', async () => {
  const { app, server, post, fresh } = await withAda()
  const link = await fresh('data')
  await post(link, { email: NEW, forget: '1' })
  expect(stored(app)).toMatchObject({ email: ADA })
  for (const url of [
    '/fresh/x',
    `/fresh/${PAGE.split('/')[2]}`,
    link.replace(/.$/, '_'),
    PAGE.replace('preferences', 'fresh'),
  ])
    for (const answer of [await server.inject(url), await post(url)]) expect(answer.statusCode).toBe(404)
})

test('a provider that errs while an export is made shows no link that only another inbox should get', async () => {
  const ada = await withAda()
  const { app, post, fresh } = ada
  const data = await fresh('data')
  const address = await fresh('address')
  app.resend.inject({ kind: 'status', status: 500 })
  await post(address, { email: 'victim@sample.test' })
  for (const { id } of await owedNotices(app.store, app.now(), 10)) await submitNotice(app, id)
  expect(app.db.$client.prepare('select count(*) from notices where body is not null').pluck().get()).toBe(1)
  const { body } = await download(post, (await post(data)).body)
  expect(body).not.toMatch(/change-address\/|confirm\/|fresh\/|reason"?:\s*"the|suppressed/)
  const { notices } = JSON.parse(body) as { notices: object[] }
  expect(notices.map((one) => Object.keys(one))).toEqual(
    notices.map(() => ['kind', 'createdAt', 'createdAtIso']),
  )
})

test('forgetting deletes everything, kills the links, and no import brings them back', async () => {
  const { app, server, post, fresh } = await withAda({ topics: ['ocd'] })
  const link = await fresh('forget')
  expect(text((await server.inject(link)).body)).toContain('It can’t be undone')
  expect(stored(app)).toBeDefined()
  expect(text((await post(link)).body)).toContain('Your data is deleted')
  for (const url of [PAGE, link]) expect((await server.inject(url)).statusCode).toBeGreaterThan(400)
  expect((await imageOf(app.store)).includes('ada@')).toBe(false)

  const file = Readable.from([`email,name\n${ADA},Ada\n`])
  const { report } = await importSubscribers(app, file, { consent: 'asked on paper', skipInvalid: false })
  expect(report?.rejected).toEqual([expect.objectContaining({ message: expect.stringContaining('erased') })])
})

test('someone who unsubscribed can still download and delete their data, but not change the address', async () => {
  const { app, server, post, fresh } = await withAda({ status: 'unsubscribed' })
  expect((await server.inject(PAGE)).body).not.toContain('Change address')
  expect((await post(await fresh('data'))).statusCode).toBe(200)
  expect((await post(`${PAGE}/address`)).statusCode).toBe(200)
  expect(await mailed(app, 'fresh')).not.toBe('')
  expect(app.resend.accepted).toHaveLength(1)
  await post(await fresh('forget'))
  expect(stored(app)).toBeUndefined()
})

test('three emails in thirty days, of whatever kind, and then it is said that none is sent', async () => {
  const { app, post } = await withAda()
  for (const what of ['data', 'forget', 'links']) await post(`${PAGE}/${what}`)
  const { publicId } = { publicId: String(stored(app)?.public_id) }
  const answer = await post(`${linkOf('preferences', publicId)}/data`)
  expect([answer.statusCode, text(answer.body)]).toEqual([429, expect.stringContaining('No email was sent')])
  later(app, 30 * DAY_MS + 1)
  expect((await post(`${linkOf('preferences', publicId)}/data`)).statusCode).toBe(200)
})

test('a network, and all strangers together, are limited there too', async () => {
  const { app, post } = await withAda()
  for (let n = 1; n <= 11; n += 1)
    aSubscriber(app, `reader-${n}@sample.test`, { publicId: `Reader${n}PublicId00000000` })
  const from = (n: number) =>
    post(`${linkOf('preferences', `Reader${n}PublicId00000000`)}/data`, {}, '203.0.113.1')
  for (let n = 1; n <= 10; n += 1) expect((await from(n)).statusCode).toBe(200)
  const answer = await from(11)
  expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '3600'])
  expect(text(answer.body)).toContain('No email was sent')

  app.db.$client.exec(`with recursive n(i) as (select 1 union all select i + 1 from n where i < 60)
    insert into requested_emails (email_hash, created_at) select 'hash-' || i, ${app.now().getTime()} from n`)
  const busy = await post(`${PAGE}/data`)
  expect([busy.statusCode, text(busy.body)]).toEqual([
    503,
    expect.stringContaining('Please try again in an hour'),
  ])
  expect(await owedNotices(app.store, app.now(), 100)).toHaveLength(10)
})

test.each(['bounce', 'complaint', 'operator'])(
  'who must not be mailed (%s) is offered no email, and told to write to us',
  async (reason) => {
    const { app, server, post } = await withAda()
    suppress(app, ADA, reason)
    const page = parse((await server.inject(PAGE)).body)
    expect(text(page.toString())).toContain('contact us')
    expect(
      page
        .querySelectorAll('form')
        .filter((one) => /data|forget|links|address/.test(one.getAttribute('action') ?? '')),
    ).toEqual([])
    for (const what of ['data', 'forget', 'address', 'links'])
      expect(text((await post(`${PAGE}/${what}`)).body)).toContain('No email was sent')
    expect(await owedNotices(app.store, app.now(), 10)).toEqual([])
  },
)

test('links are renewed on request: old ones unsubscribe for ever, open nothing, and the new one goes to the inbox', async () => {
  const { app, server, post } = await withAda({ calendarKey: 'an-old-calendar-key-x' })
  expect(text((await post(`${PAGE}/links`)).body)).toContain('Your old links no longer work')
  const newest = await mailed(app, 'preferences')
  expect(app.resend.accepted.map(({ to }) => to)).toEqual([[ADA]])
  expect((await server.inject(newest)).statusCode).toBe(200)
  expect((await server.inject('/calendar/an-old-calendar-key-x.ics')).statusCode).not.toBe(200)
  expect(stored(app)?.calendar_key).toMatch(/^[\w-]{22}$/)

  for (const [method, path] of [
    ['GET', ''],
    ['POST', ''],
    ['POST', '/data'],
    ['POST', '/links'],
    ['GET', '/forget'],
  ] as const) {
    const answer = await server.inject({ method, url: PAGE + path })
    expect([answer.statusCode, text(answer.body)]).toEqual([
      410,
      expect.stringContaining('This link was replaced'),
    ])
    expect(answer.body).not.toContain('@sample.test')
  }
  expect(text((await post(`${PAGE}/newest`)).body)).toContain(
    'emailing the newest link to the address we have',
  )
  expect(await mailed(app, 'preferences')).toBe(newest)

  const old = linkOf('unsubscribe')
  expect((await post(`${old}/pause`)).body).toContain('your links were replaced')
  const left = await post(old)
  expect([left.statusCode, text(left.body)]).toEqual([200, expect.stringContaining('You’re unsubscribed')])
  expect(left.body).not.toContain('/undo')
  expect(stored(app)).toMatchObject({ status: 'unsubscribed' })
  expect((await post(`${old}/undo`)).body).toContain('We couldn’t restart your emails')
  expect(stored(app)).toMatchObject({ status: 'unsubscribed' })
})

test('an address changes by a link from the old inbox and one from the new, with its own consent and links', async () => {
  const ada = await withAda({ softBounces: 3, calendarKey: 'an-old-calendar-key-x', name: 'Ada' })
  const { app, server, post } = ada
  const { answer, link } = await askToMove(ada, ' Ada.Moreno@Elsewhere.test ')
  expect(text(answer.body)).toContain('If we’re able to email the new address, a link is on its way.')
  expect(subjects(app)).toEqual([
    [ADA, 'The link you asked for'],
    [NEW, 'Please confirm your new address'],
  ])
  expect(JSON.stringify(app.resend.accepted)).not.toMatch(/Hello Ada/)
  expect(text((await server.inject(PAGE)).body)).toContain(
    'We’ve sent a confirmation link to a…@elsewhere.test',
  )

  const before = await imageOf(app.store)
  expect(text((await server.inject(link)).body)).toContain('Please email me new group times')
  expect((await imageOf(app.store)).equals(before)).toBe(true)
  later(app, DAY_MS)
  for (const _ of ['once', 'twice'])
    expect(text((await post(link)).body)).toContain('This address is confirmed')
  expect(stored(app)).toMatchObject({
    ...{ email: NEW, email_hash: hashEmail(app.hashKey, NEW), soft_bounces: 0, status: 'active' },
    consent_text: 'Please email me new group times from Harbor Groups once a week until I unsubscribe. (en)',
    ...{ consent_source: '/change-address', consented_at: app.now().getTime() },
  })
  expect(stored(app)?.public_id).not.toBe(ADAS_ID)
  expect((await server.inject(PAGE)).statusCode).toBe(410)
  expect((await server.inject('/calendar/an-old-calendar-key-x.ics')).statusCode).not.toBe(200)

  await mailed(app, 'undo-address')
  expect(subjects(app).at(-1)).toEqual([ADA, 'Your address was changed'])
  aSession(app)
  await planNow(app)
  await submitOwed(app)
  expect(app.resend.accepted.at(-1)?.to).toEqual([NEW])
  await post(linkOf('unsubscribe'))
  expect(stored(app)).toMatchObject({ status: 'unsubscribed' })
})

test('the old address undoes it for seven days; then the new one gets nothing, and its links are dead', async () => {
  const ada = await withAda()
  const { app, server, post } = ada
  const consent = { consent_text: 'asked on paper', consent_source: null }
  await post((await askToMove(ada)).link)
  const undo = await mailed(app, 'undo-address')
  const moved = linkOf('preferences', String(stored(app)?.public_id))
  later(app, 7 * DAY_MS)
  const before = await imageOf(app.store)
  expect((await server.inject(undo)).statusCode).toBe(200)
  expect((await imageOf(app.store)).equals(before)).toBe(true)
  expect(text((await post(undo)).body)).toContain('The change is undone')
  expect(stored(app)).toMatchObject({ email: ADA, email_hash: hashEmail(app.hashKey, ADA), ...consent })
  expect((await server.inject(moved)).statusCode).toBe(410)
  expect((await post(undo)).statusCode).toBe(404)
  const already = app.resend.accepted.length
  aSession(app)
  await planNow(app)
  await submitOwed(app)
  expect(app.resend.accepted.slice(already).map(({ to }) => to)).toEqual([[ADA]])
})

test('an undo leaves the changes that others asked for', async () => {
  const ada = await withAda()
  const { app, post } = ada
  const [bea, beasId] = ['bea@sample.test', 'BeasPublicId0000000000']
  aSubscriber(app, bea, { publicId: beasId })
  await post((await askToMove(ada)).link)
  const undo = await mailed(app, 'undo-address')
  await post(`${linkOf('preferences', beasId)}/address`)
  await post(await mailed(app, 'fresh'), { email: 'bea@new.test' })
  const link = await mailed(app, 'change-address')
  await post(undo)
  expect((await post(link)).statusCode).toBe(200)
  expect(app.db.$client.prepare('select email from subscribers order by id').pluck().all()).toEqual([
    ADA,
    'bea@new.test',
  ])
})

test('a change cannot be undone after seven days, and then the old address is forgotten', async () => {
  const ada = await withAda()
  const { app, server, post } = ada
  await post((await askToMove(ada)).link)
  const undo = await mailed(app, 'undo-address')
  later(app, 7 * DAY_MS + 1)
  expect((await server.inject(undo)).statusCode).toBe(404)
  expect((await post(undo)).statusCode).toBe(404)
  expect(stored(app)).toMatchObject({ email: NEW })
})

test('an undo does not say that emails resume if they were stopped at the new address', async () => {
  const ada = await withAda()
  const { app, post } = ada
  await post((await askToMove(ada)).link)
  const undo = await mailed(app, 'undo-address')
  await post(linkOf('unsubscribe', String(stored(app)?.public_id)))
  expect(text((await post(undo)).body)).toContain('the weekly email doesn’t come to this address either')
  expect(stored(app)).toMatchObject({ email: ADA, status: 'unsubscribed' })
})

test('an undo whose address has subscribed anew ends the moved subscription', async () => {
  const ada = await withAda()
  const { app, post } = ada
  await post((await askToMove(ada)).link)
  const undo = await mailed(app, 'undo-address')
  const anew = aSubscriber(app, ADA)
  await post(undo)
  expect(stored(app)).toMatchObject({ email: NEW, status: 'unsubscribed' })
  expect(app.db.$client.prepare('select status from subscribers where id = ?').pluck().get(anew)).toBe(
    'active',
  )
})

const TARGETS = ['active', 'left', 'pending', 'complained', 'erased', 'unknown', 'refused', 'often']

test('neither asking nor confirming reveals who is on the list', async () => {
  const asked = new Set<string>()
  const confirmed = new Set<string>()
  const moved: Record<string, boolean> = {}
  for (const state of TARGETS) {
    const ada = await withAda()
    const { app, server, post } = ada
    const target = 'target@sample.test'
    const hash = hashEmail(app.hashKey, target)
    const run = (sql: string) => app.db.$client.prepare(sql).run(hash)
    if (state === 'active') aSubscriber(app, target)
    if (state === 'left') aSubscriber(app, target, { status: 'unsubscribed' })
    if (state === 'pending') aSubscriber(app, target, { status: 'pending' })
    if (state === 'complained') suppress(app, target, 'complaint')
    if (state === 'erased') suppress(app, target, 'erased')
    if (state === 'refused') run('insert into refusals values (?, 0)')
    if (state === 'often')
      for (let n = 0; n < 3; n += 1)
        run(`insert into requested_emails (email_hash, created_at) values (?, ${app.now().getTime()})`)
    const { answer, link } = await askToMove(ada, target)
    asked.add(answer.body + (await server.inject(PAGE)).body)
    if (link === '') continue
    confirmed.add((await post(link)).body)
    moved[state] = stored(app)?.email === target
    for (const { id } of await owedNotices(app.store, app.now(), 10)) await submitNotice(app, id)
    if (state === 'active') expect(subjects(app).at(-1)).toEqual([target, 'You’re already subscribed'])
  }
  expect(asked.size).toBe(1)
  expect(confirmed.size).toBe(1)
  // Whoever left, also oneself (R14), confirmed from there; only a subscription of its own stands in the way.
  expect(moved).toEqual({ active: false, left: true, pending: true, erased: true, unknown: true })
})

test.each([
  ['', 'Enter your email address.'],
  ['ada at home', 'Remove the space'],
  ['ada@@sample.test', 'with only one @'],
  [ADA.toUpperCase(), 'We already email this address'],
  ['x\r\nBcc: eve@sample.test', 'hidden character'],
])('the new address %j is refused beside the field, and the link stays good: %s', async (email, says) => {
  const { app, post, fresh } = await withAda()
  const link = await fresh('address')
  const answer = await post(link, { email })
  expect(answer.statusCode).toBe(422)
  const page = parse(answer.body)
  expect(page.querySelector('#email-problem')?.textContent).toContain(says)
  expect(page.querySelector('#email')?.getAttribute('value')).toBe(email)
  expect(await owedNotices(app.store, app.now(), 10)).toEqual([])
  expect((await post(link, { email: NEW })).statusCode).toBe(200)
  expect((await post(link, { email: 'second@elsewhere.test' })).statusCode).toBe(410)
})

test('only the newest link to confirm counts, for seven days', async () => {
  const ada = await withAda()
  const { app, server, post } = ada
  const first = (await askToMove(ada, 'typo@elsewhere.test')).link
  const second = (await askToMove(ada)).link
  expect((await post(first)).statusCode).toBe(404)
  expect((await post(linkOf('preferences').replace('preferences', 'change-address'))).statusCode).toBe(404)
  later(app, 7 * DAY_MS + 1)
  expect((await server.inject(second)).statusCode).toBe(404)
  expect((await post(second)).statusCode).toBe(404)
  expect(stored(app)).toMatchObject({ email: ADA })
})

test('an email to who is no subscriber says nothing that anyone typed', async () => {
  const ada = await withAda({ name: 'Call 900' })
  const { app, post } = ada
  await askToMove(ada)
  for (const what of ['forget', 'links']) await post(`${PAGE}/${what}`)
  await mailed(app, 'x')
  const kinds = app.db.$client.prepare('select distinct kind from notices order by 1').pluck().all()
  expect(kinds).toEqual(['fresh-address', 'fresh-forget', 'fresh-links'])
  expect(subjects(app)).toContainEqual([NEW, 'Please confirm your new address'])
  for (const mail of app.resend.accepted) {
    expect(JSON.stringify(mail)).not.toContain('Call 900')
    expect(mail.text).toContain(
      'This wasn’t me: send no more of these:\n  https://groups.harbor.test/not-me/',
    )
  }
})

const held = (app: TestApp) =>
  app.db.$client.prepare('select action, subject from audit_log order by id').all() as {
    action: string
    subject: string
  }[]

test('what was done to the links is on record under the newest, is exported, and leads nowhere after an erasure', async () => {
  const ada = await withAda()
  const { app, post } = ada
  await post((await askToMove(ada)).link)
  await post(await mailed(app, 'undo-address'))
  await post(`${linkOf('preferences', String(stored(app)?.public_id))}/links`)
  const actions = ['change-address', 'undo-change-address', 'renew-links']
  const subject = stored(app)?.public_id
  expect(held(app)).toEqual(actions.map((action) => ({ action, subject })))
  const exported = await exportSubscriber(app, ADA)
  expect(exported.kind === 'found' && exported.record.audit.map(({ action }) => action)).toEqual(actions)
  await erase(app, ADA)
  expect(new Set(held(app).map((row) => row.subject))).toEqual(new Set(['erased']))
})

test.each(['data', 'forget', 'address'] as const)(
  'a link for %s that was asked for before the change was undone does nothing afterwards',
  async (what) => {
    const ada = await withAda()
    const { app, post } = ada
    await post((await askToMove(ada)).link)
    const undo = await mailed(app, 'undo-address')
    await post(`${linkOf('preferences', String(stored(app)?.public_id))}/${what}`)
    const theirs = await mailed(app, 'fresh')
    expect(app.resend.accepted.at(-1)?.to).toEqual([NEW])
    await post(undo)
    const answer = await post(theirs, { email: 'eve@elsewhere.test' })
    expect([answer.statusCode, text(answer.body)]).toEqual([410, expect.stringContaining('no longer works')])
    expect(answer.body).not.toContain(ADA)
    expect(stored(app)).toMatchObject({ email: ADA })
  },
)

test('new links end a change of address that somebody else asked for and has not confirmed', async () => {
  const ada = await withAda()
  const { app, post } = ada
  const { link } = await askToMove(ada, 'eve@elsewhere.test')
  await post(`${PAGE}/links`)
  expect((await post(link)).statusCode).toBe(404)
  // Nor do they make a calendar for someone who has none.
  expect(stored(app)).toMatchObject({ email: ADA, calendar_key: null })
})

test('“not me, never again” from a new address ends the change to it for good, and keeps nothing of it', async () => {
  const ada = await withAda()
  const { app, post } = ada
  const { link } = await askToMove(ada)
  const notMe = await mailed(app, 'not-me')
  expect((await imageOf(app.store)).includes(NEW)).toBe(true)
  await post(notMe)
  expect((await imageOf(app.store)).includes(NEW)).toBe(false)
  await post(`${notMe}/allow`)
  expect((await post(link)).statusCode).toBe(404)
  expect(stored(app)).toMatchObject({ email: ADA })
})

test('an erased address is no longer erased once a subscriber moves to it', async () => {
  const ada = await withAda()
  const { app, post } = ada
  aSubscriber(app, NEW)
  await erase(app, NEW)
  await post((await askToMove(ada)).link)
  const { record } = (await exportSubscriber(app, NEW)) as { record: object }
  expect(record).toMatchObject({ subscriber: { email: NEW }, suppression: null, erasedAt: null })
})

test('an erasure also takes the address from where it stands with others, and nothing can be undone to it', async () => {
  const ada = await withAda()
  const { app, post } = ada
  await post((await askToMove(ada)).link)
  const undo = await mailed(app, 'undo-address')
  expect((await imageOf(app.store)).includes(ADA)).toBe(true)
  expect(await erase(app, ADA)).toMatchObject({ kind: 'erased' })
  expect(await erase(app, ADA)).toEqual({ kind: 'already' })
  expect((await post(undo)).statusCode).toBe(404)
  expect(stored(app)).toMatchObject({ email: NEW, status: 'active' })
  expect((await imageOf(app.store)).includes(ADA)).toBe(false)
})

test('the data does not reveal whether the owner of another address wanted no email', async () => {
  const told = new Set<string>()
  for (const refused of [false, true]) {
    const ada = await withAda()
    const { app } = ada
    const hash = hashEmail(app.hashKey, NEW)
    if (refused) app.db.$client.prepare('insert into refusals values (?, 0)').run(hash)
    await askToMove(ada)
    const exported = await exportSubscriber(app, ADA)
    told.add(exported.kind === 'found' ? JSON.stringify(exported.record.notices) : '')
  }
  expect([...told]).toEqual([
    expect.stringMatching(/^\[\{"kind":"fresh-address","createdAt":\d+,"createdAtIso":"[^"]+"\}\]$/),
  ])
})
