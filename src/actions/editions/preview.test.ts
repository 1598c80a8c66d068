import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, manySubscribers, planNow, type TestApp, testApp } from '../../../test/app.ts'
import { imageOf } from '../../../test/db.ts'
import { slotAtOrBefore } from '../../core/time/calendar.ts'
import { tallyOf } from '../../db/ledger/editions.ts'
import { planEdition } from './plan.ts'
import { previewEdition } from './preview.ts'
import { recordStart } from './sweep.ts'

async function aList(): Promise<TestApp> {
  const app = await testApp()
  aSession(app, { group: 'Steady Ground' })
  aSession(app, { group: 'Quiet Harbor', topic: 'grief-and-loss' })
  // First one who is not of the most common kind.
  aSubscriber(app, 'mara@sample.test', {
    name: 'Mara',
    topics: ['grief-and-loss'],
    timeZone: 'Europe/London',
  })
  manySubscribers(app, 3)
  aSubscriber(app, 'paula@sample.test', { pausedUntil: Date.parse('2026-12-04T17:00:00Z') })
  aSubscriber(app, 'omar@sample.test', { topics: ['ocd'] })
  return app
}

test('the preview counts the recipients that planning now would find, and records nothing', async () => {
  const app = await aList()
  const before = await imageOf(app.store)
  const { mail: _mail, readers: _readers, sessions, ...preview } = await previewEdition(app)
  expect((await imageOf(app.store)).equals(before)).toBe(true)
  expect(sessions.map(({ group }) => group).sort()).toEqual(['Quiet Harbor', 'Steady Ground'])

  const { edition } = await planEdition(app, slotAtOrBefore(app.config.slotRule, app.now()))
  const { candidates, waiting, excluded } = await tallyOf(app.store, edition.id)
  expect(preview).toEqual({
    edition: { id: edition.id, scheduledFor: '2026-11-23T14:00:00.000Z' },
    already: null,
    firstDue: { id: '2026-11-30', scheduledFor: '2026-11-30T14:00:00.000Z' },
    candidates,
    recipients: waiting,
    excluded,
  })
  expect(excluded).toEqual({ paused: 1, 'nothing-new': 1 })
})

test('the typical reader is of the most common kind and is not a real person', async () => {
  const { mail } = await previewEdition(await aList())
  if (mail.kind !== 'mail') throw new Error(mail.kind)
  expect(mail.email.text).toContain('Steady Ground')
  expect(mail.email.to).toBe('reader@preview.invalid')
  expect(mail.email.html).not.toContain('sample.test')
})

test("one reader's preview is the email in their own topics and zone, or the reason there is none", async () => {
  const app = await aList()
  const { mail } = await previewEdition(app, { email: 'Mara@sample.test' })
  if (mail.kind !== 'mail') throw new Error(mail.kind)
  expect(mail.email.text).toContain('Quiet Harbor')
  expect(mail.email.text).not.toContain('Steady Ground')
  expect(mail.email.text).toMatch(/United\s+Kingdom/)
  expect(await previewEdition(app, { email: 'paula@sample.test' })).toMatchObject({
    mail: { kind: 'excluded', reason: 'paused' },
  })
  expect(await previewEdition(app, { email: 'ghost@sample.test' })).toMatchObject({
    mail: { kind: 'not-found' },
  })
})

test("if this week's edition exists, the preview shows the next", async () => {
  const app = await aList()
  await planEdition(app, slotAtOrBefore(app.config.slotRule, app.now()))
  expect(await previewEdition(app)).toMatchObject({
    edition: { id: '2026-11-30' },
    already: { id: '2026-11-23', state: 'submitting' },
  })
})

test("each kind of reader is previewed with a real reader's choices, without naming the reader", async () => {
  const app = await aList()
  aSubscriber(app, 'lola@sample.test', { name: 'Lola', locale: 'es-MX' })
  aSubscriber(app, 'dora@sample.test', { name: 'Dora', discreet: true })
  aSubscriber(app, 'pia@sample.test', { pausedUntil: Date.parse('2026-11-20T17:00:00Z') })
  const { readers } = await previewEdition(app, { readers: true })
  expect(readers.map(({ reader, madeUp }) => [reader, madeUp])).toEqual([
    ['typical', true],
    ['most-topics', false],
    ['no-topics', false],
    ['other-zone', false],
    ['discreet', false],
    ['spanish', false],
    ['after-pause', false],
  ])
  const mails = Object.fromEntries(readers.map(({ reader, email }) => [reader, email]))
  expect(mails['most-topics']?.text).not.toContain('Steady Ground')
  expect(mails['other-zone']?.text).toMatch(/London\s+Time/)
  expect(mails.discreet).toMatchObject({
    subject: 'Your weekly update',
    from: expect.stringMatching(/^Weekly update/),
  })
  expect(mails.spanish?.text).toMatch(/^\d+ horarios? de grupo para ti/)
  expect(JSON.stringify(readers)).not.toMatch(/sample\.test|Lola|Dora|Mara/)
})

test('a kind of reader that does not exist or would get no email is invented', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 2)
  aSubscriber(app, 'omar@sample.test', { topics: ['ocd', 'grief-and-loss'], locale: 'es' })
  const { readers } = await previewEdition(app, { readers: true })
  const madeUp = readers.filter((one) => one.madeUp).map(({ reader }) => reader)
  expect(madeUp).toEqual(['typical', 'most-topics', 'other-zone', 'discreet', 'spanish', 'after-pause'])
  const spanish = readers.find(({ reader }) => reader === 'spanish')
  expect(spanish?.email.text).toMatch(/^\d+ horarios? de grupo para ti/)
})

test('the same preview, byte for byte, a day later', async () => {
  const app = await aList()
  app.setNow('2026-11-23T10:00:00.000Z')
  const before = await previewEdition(app, { readers: true })
  app.setNow('2026-11-23T13:59:00.000Z')
  expect(await previewEdition(app, { readers: true })).toEqual(before)
})

test('before the first edition it says when the first is due, unless one is due already', async () => {
  const app = await testApp({ at: '2026-11-25T15:00:00Z' })
  const firstDue = async () => (await previewEdition(app)).firstDue
  expect(await firstDue()).toMatchObject({ id: '2026-11-30' })
  await recordStart(app)
  expect(await firstDue()).toMatchObject({ id: '2026-11-30' })
  app.setNow('2026-11-30T14:00:00Z')
  expect(await firstDue()).toBeNull()
  await planNow(app)
  app.setNow('2026-12-02T14:00:00Z')
  expect(await firstDue()).toBeNull()
})
