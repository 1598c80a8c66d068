import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, planNow, submitOwed, type TestApp, testApp } from '../../../test/app.ts'
import { frozenContents } from '../../db/schema/ledger.ts'
import { pruneOld } from '../retention/prune.ts'
import { previewPastEdition } from './preview-past.ts'

/** Two editions; the first offered a session in anxiety, the second one in grief. */
async function twoEditions(): Promise<{ app: TestApp; ids: string[] }> {
  const app = await testApp()
  aSession(app, { group: 'Steady Ground', startsAtLocal: '2027-02-02T19:00' })
  aSubscriber(app, 'ann@sample.test', { name: 'Ann' })
  aSubscriber(app, 'gus@sample.test', { topics: ['grief-and-loss'] })
  const ids = [await planNow(app)]
  await submitOwed(app)
  app.setNow('2026-11-30T14:30:00Z')
  aSession(app, { group: 'Tender Days', topic: 'grief-and-loss', startsAtLocal: '2027-02-03T19:00' })
  ids.push(await planNow(app))
  await submitOwed(app)
  return { app, ids }
}

const mailOf = async (app: TestApp, id: string, email?: string) => {
  const shown = await previewPastEdition(app, id, email)
  return { layout: shown?.layout, mail: shown?.mail }
}

test('a past edition is shown with what it offered then, and not what came or went since', async () => {
  const { app, ids } = await twoEditions()
  const [first = '', second = ''] = ids
  app.db.$client.exec("update sessions set status = 'cancelled', therapist = 'Dr. Late'")
  const before = app.db.$client.prepare('select count(*) as n from audit_log').get()

  const shown = await previewPastEdition(app, first, undefined)
  expect(shown).toMatchObject({
    edition: { id: first, state: 'submitted' },
    sessions: [{ group: 'Steady Ground', therapist: 'Dr. Mira Lee' }],
    layout: 'then',
  })
  const typical = await mailOf(app, second)
  if (typical.mail?.kind !== 'mail') throw new Error('no mail')
  expect(typical.mail.email.text).toContain('Tender Days')
  expect(typical.mail.email.text).not.toContain('Steady Ground')
  expect(app.db.$client.prepare('select count(*) as n from audit_log').get()).toEqual(before)
})

test('the email of a reader is rebuilt word for word, apart from its personal links', async () => {
  const { app, ids } = await twoEditions()
  const [first = ''] = ids
  const got = app.resend.accepted.find(({ to }) => to.includes('ann@sample.test'))
  const { mail } = await mailOf(app, first, 'Ann@sample.test')
  if (mail?.kind !== 'mail') throw new Error('no mail')
  const withoutLinks = (text = '') => text.replace(/(unsubscribe|preferences)\/\S+/g, '$1/TOKEN')
  expect(mail.email.subject).toBe(got?.subject)
  expect(withoutLinks(mail.email.text)).toBe(withoutLinks(got?.text))
  expect(mail.email.text).not.toContain(/preferences\/(\S+)/.exec(got?.text ?? '')?.[1])
})

test('who got no email, was no candidate, or is on no list is told apart', async () => {
  const { app, ids } = await twoEditions()
  const [first = ''] = ids
  aSubscriber(app, 'late@sample.test')
  expect((await mailOf(app, first, 'gus@sample.test')).mail).toEqual({
    kind: 'excluded',
    reason: 'nothing-new',
  })
  expect((await mailOf(app, first, 'late@sample.test')).mail).toEqual({ kind: 'no-record' })
  expect((await mailOf(app, first, 'ghost@sample.test')).mail).toEqual({ kind: 'not-found' })
  expect(await previewPastEdition(app, '2026-11-16', undefined)).toBeNull()
})

test('templates are kept as long as their edition is; after that its layout is of today, and no reader is known', async () => {
  const { app, ids } = await twoEditions()
  const [first = ''] = ids
  const templates = () =>
    app.db
      .select()
      .from(frozenContents)
      .all()
      .filter(({ kind }) => kind === 'digest').length
  await pruneOld(app)
  expect(templates()).toBe(1)
  expect((await mailOf(app, first)).layout).toBe('then')

  app.setNow('2028-06-01T12:00:00Z')
  await pruneOld(app)
  expect(templates()).toBe(0)
  expect(await mailOf(app, first)).toMatchObject({ layout: 'now', mail: { kind: 'mail' } })
  expect((await mailOf(app, first, 'ann@sample.test')).mail).toEqual({ kind: 'removed' })
})
