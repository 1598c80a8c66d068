import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, planNow, submitOwed, type TestApp, testApp } from '../../../test/app.ts'
import { webhookEvent } from '../../../test/resend/webhooks.ts'
import { hashEmail } from '../../core/tokens.ts'
import { translatorFor } from '../../core/words/words.ts'
import { auditLog } from '../../db/schema/installation.ts'
import { erasures, subscribers, suppressions } from '../../db/schema/people.ts'
import { importSubscribers } from '../imports/subscribers.ts'
import { recordEvent } from '../provider/record-event.ts'
import { allowEmail, resubscribeEmail, unsubscribeEmail } from './consent.ts'
import { confirmSubscription, requestSubscription } from './join.ts'
import { submitNotice } from './notices.ts'
import { erase, exportSubscriber } from './records.ts'

const ADA = 'ada@sample.test'
const CONSENT = 'Called on Dec 1 from ada@sample.test: wants it again'

test('after a bounce an operator allows the address, with consent on record, and the next edition arrives', async () => {
  const app = await withAda()
  await report(app, 'email.bounced', { bounce: { type: 'Permanent', subType: 'General' } })
  app.db.update(subscribers).set({ softBounces: 3 }).run()
  expect(await allowEmail(app, ADA, ` ${CONSENT} `)).toEqual({
    ...{ kind: 'allowed', reason: 'bounce', status: 'active', erased: false },
  })
  expect(ada(app)).toMatchObject({
    ...{ status: 'active', softBounces: 0, consentText: CONSENT, consentSource: 'operator' },
    consentedAt: app.now().getTime(),
  })
  expect(app.db.select().from(auditLog).all()).toMatchObject([
    { action: 'allow', subject: ada(app)?.publicId, detail: 'bounce', at: app.now().getTime() },
  ])
  expect(JSON.stringify(app.db.select().from(auditLog).all())).not.toContain('@')
  expect(await allowEmail(app, ADA, CONSENT)).toEqual({ kind: 'not-suppressed' })
  aSession(app)
  await planNow(app)
  await submitOwed(app)
  expect(app.resend.accepted.map(({ to }) => to)).toEqual([[ADA]])
})

test('lifting a complaint also undoes the unsubscription it caused', async () => {
  const app = await withAda()
  await report(app, 'email.bounced', { bounce: { type: 'Permanent' } })
  app.setNow('2026-11-24T15:00:00Z')
  await report(app, 'email.complained')
  expect(ada(app)).toMatchObject({ status: 'unsubscribed' })
  expect(await allowEmail(app, ADA, CONSENT)).toMatchObject({ reason: 'complaint', status: 'active' })
  expect(ada(app)).toMatchObject({ status: 'active', unsubscribedAt: null })
})

test('someone who unsubscribed on their own stays unsubscribed, whatever is lifted', async () => {
  const app = await withAda()
  await unsubscribeEmail(app, ADA)
  app.setNow('2026-11-24T15:00:00Z')
  await report(app, 'email.complained')
  expect(await allowEmail(app, ADA, CONSENT)).toMatchObject({ kind: 'allowed', status: 'unsubscribed' })
  expect(await resubscribeEmail(app, ADA)).toEqual({ kind: 'resubscribed' })
})

test('nothing is lifted without consent, without a known address, or for an erased address', async () => {
  const app = await withAda()
  await report(app, 'email.complained')
  await expect(allowEmail(app, ADA, ' ')).rejects.toThrow('--consent is empty')
  await expect(allowEmail(app, 'ada', CONSENT)).rejects.toThrow('EMAIL is not an address')
  expect(await allowEmail(app, 'eve@sample.test', CONSENT)).toEqual({ kind: 'not-found' })
  expect(app.db.select().from(suppressions).all()).toHaveLength(1)

  await erase(app, ADA)
  expect(await allowEmail(app, ADA, CONSENT)).toMatchObject({
    kind: 'allowed',
    reason: 'complaint',
    erased: true,
  })
  expect(await allowEmail(app, ADA, CONSENT)).toEqual({ kind: 'erased' })
  expect(app.db.select().from(suppressions).all()).toMatchObject([{ reason: 'erased' }])
})

test('an address without a subscriber is allowed, too: then an import with consent takes it', async () => {
  const app = await testApp()
  const emailHash = hashEmail(app.hashKey, ADA)
  app.db.insert(suppressions).values({ emailHash, reason: 'operator', createdAt: 0 }).run()
  expect(await allowEmail(app, ADA, CONSENT)).toMatchObject({
    kind: 'allowed',
    reason: 'operator',
    status: null,
  })
  expect(await bringIn(app)).toMatchObject({ report: { added: 1 } })
})

test('erasing returns the same result the second time, also after a bounce or complaint', async () => {
  for (const type of [null, 'email.bounced', 'email.complained']) {
    const app = await withAda()
    if (type !== null) await report(app, type, { bounce: { type: 'Permanent' } })
    expect(await erase(app, ADA)).toMatchObject({ kind: 'erased' })
    for (const _ of ['second', 'third']) expect(await erase(app, ADA)).toEqual({ kind: 'already' })
  }
})

test('an erased person comes back only by signing up and confirming', async () => {
  const app = await withAda()
  await erase(app, ADA)
  expect(await bringIn(app)).toMatchObject({ report: { added: 0 } })
  expect(await resubscribeEmail(app, ADA)).toEqual({ kind: 'suppressed', reason: 'erased' })

  const link = await signUp(app)
  expect(ada(app)).toMatchObject({ status: 'pending' })
  expect(await bringIn(app)).toMatchObject({ report: { added: 0 } })
  expect(app.db.select().from(suppressions).all()).toMatchObject([{ reason: 'erased' }])
  expect(await confirm(app, link)).toEqual({ kind: 'confirmed' })
  expect(app.db.select().from(suppressions).all()).toEqual([])
  expect(app.db.select().from(erasures).all()).toEqual([])
  expect(ada(app)).toMatchObject({ status: 'active' })

  aSession(app)
  await planNow(app)
  await submitOwed(app)
  expect(app.resend.accepted.filter(({ tags }) => tags.length > 0).map(({ to }) => to)).toEqual([[ADA]])
})

test.each(['bounce', 'complaint', 'provider', 'operator'] as const)(
  'after a %s a sign-up is mailed nothing, also of someone who was erased as well',
  async (reason) => {
    const app = await testApp()
    const emailHash = hashEmail(app.hashKey, ADA)
    app.db.insert(suppressions).values({ emailHash, reason, createdAt: 0 }).run()
    app.db.insert(erasures).values({ emailHash, erasedAt: 0 }).run()
    expect(await requestSubscription(app, FORM, 1)).toEqual({ kind: 'suppressed' })
    expect(ada(app)).toBeUndefined()
    await allowEmail(app, ADA, CONSENT)
    expect(await requestSubscription(app, FORM, 1)).toEqual({ kind: 'confirm' })
  },
)

test('a confirmation email confirms nothing after its address was erased and bounced', async () => {
  const app = await withAda()
  await erase(app, ADA)
  const link = await signUp(app)
  await report(app, 'email.bounced', { bounce: { type: 'Permanent' } })
  expect(await confirm(app, link)).toEqual({ kind: 'expired' })
  expect(await requestSubscription(app, FORM, 1)).toEqual({ kind: 'suppressed' })
})

test('an earlier “not me, never again” is lifted too, reported as such, and recorded', async () => {
  const app = await testApp()
  const emailHash = hashEmail(app.hashKey, ADA)
  app.db.$client.prepare('insert into refusals values (?, 7)').run(emailHash)
  expect(await exportSubscriber(app, ADA)).toMatchObject({ kind: 'found', record: { refusedAt: 7 } })
  expect(await allowEmail(app, ADA, CONSENT)).toEqual({ kind: 'refusal-lifted' })
  expect(await allowEmail(app, ADA, CONSENT)).toEqual({ kind: 'not-found' })
  expect(app.db.$client.prepare('select action, detail from audit_log').all()).toEqual([
    { action: 'allow', detail: 'refused' },
  ])
  expect(await signUp(app)).not.toBe('')
})

const FORM = {
  email: ADA,
  name: null,
  timeZone: 'America/New_York',
  locale: 'en',
  discreet: false,
  topics: 'all' as const,
}

async function withAda(): Promise<TestApp> {
  const app = await testApp()
  aSubscriber(app, ADA)
  return app
}

const ada = (app: TestApp) => app.db.select().from(subscribers).get()

function report(app: TestApp, type: string, extra: Record<string, unknown> = {}) {
  const mail = { id: `re_${type}`, at: 0, from: 'groups@harbor.test', to: [ADA], subject: 'News', tags: [] }
  return recordEvent(app, { svixId: type, event: webhookEvent(type, mail, app.now().getTime(), extra) })
}

const bringIn = (app: TestApp) =>
  importSubscribers(app, asFile(`email\n${ADA}\n`), { consent: 'on paper', skipInvalid: false })

async function* asFile(text: string): AsyncGenerator<string> {
  yield text
}

/** Signs Ada up by the form; returns the token of the link that she is mailed. */
async function signUp(app: TestApp): Promise<string> {
  expect(await requestSubscription(app, FORM, 1)).toEqual({ kind: 'confirm' })
  const id = app.db.$client
    .prepare<[], number>("select max(id) from notices where kind = 'confirm'")
    .pluck()
    .get()
  expect(await submitNotice(app, id ?? 0)).toEqual({ kind: 'submitted' })
  return /\/confirm\/(\S+)/.exec(app.resend.accepted.at(-1)?.text ?? '')?.[1] ?? ''
}

const confirm = (app: TestApp, token: string) =>
  confirmSubscription(app, token, {
    source: '/confirm',
    translator: translatorFor(app.templates.words, 'en'),
  })
