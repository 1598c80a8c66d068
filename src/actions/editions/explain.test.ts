import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, type TestApp, testApp } from '../../../test/app.ts'
import { slotAtOrBefore } from '../../core/time/calendar.ts'
import { eq } from '../../db/drizzle.ts'
import { owedBatches } from '../../db/ledger/batches.ts'
import { subscribers } from '../../db/schema/people.ts'
import { unsubscribeEmail } from '../subscribers/consent.ts'
import { erase } from '../subscribers/records.ts'
import { cancel, pause } from './control.ts'
import { explain } from './explain.ts'
import { planEdition } from './plan.ts'
import { openSubmitter } from './submit.ts'

const ID = '2026-11-23'
const plan = (app: TestApp) => planEdition(app, slotAtOrBefore(app.config.slotRule, app.now()))

async function submitAll(app: TestApp): Promise<void> {
  for (const { id } of await owedBatches(app.store, app.now(), 10)) await openSubmitter(app).submit(id)
}

async function said(app: TestApp, email: string): Promise<string> {
  return (await explain(app, email, ID))?.sentence ?? 'no such edition'
}

test('each exclusion at planning has its sentence', async () => {
  const app = await testApp()
  aSession(app)
  aSubscriber(app, 'paula@sample.test', { pausedUntil: Date.parse('2026-12-04T17:00:00Z') })
  aSubscriber(app, 'peter@sample.test', { status: 'pending' })
  aSubscriber(app, 'una@sample.test', {
    status: 'unsubscribed',
    unsubscribedAt: Date.parse('2026-11-20T17:00:00Z'),
  })
  aSubscriber(app, 'mona@sample.test', { cadence: 'monthly', lastEditionId: '2026-11-09' })
  aSubscriber(app, 'nora@sample.test', { seenThrough: 1 })
  await plan(app)
  expect(await said(app, 'paula@sample.test')).toBe('Not emailed: they had paused until Dec 4.')
  expect(await said(app, 'peter@sample.test')).toContain(
    'Not emailed: they had not confirmed their subscription',
  )
  expect(await said(app, 'una@sample.test')).toBe('Not emailed: they had unsubscribed (Nov 20).')
  expect(await said(app, 'mona@sample.test')).toContain(
    'one edition a month, and the last one was less than 28 days before (2026-11-09)',
  )
  expect(await said(app, 'nora@sample.test')).toContain(
    'nothing that could be booked in their topics was new to them',
  )
})

test('a date that is more than eleven months from today carries its year', async () => {
  const app = await testApp()
  aSession(app)
  aSubscriber(app, 'paula@sample.test', { pausedUntil: Date.parse('2028-12-04T17:00:00Z') })
  await plan(app)
  expect(await said(app, 'paula@sample.test')).toContain('until Dec 4, 2028.')
})

test('says whether a reader is emailed, is waiting, or unsubscribed before their turn', async () => {
  const app = await testApp()
  aSession(app)
  aSubscriber(app, 'mara@sample.test')
  aSubscriber(app, 'una@sample.test')
  await plan(app)
  expect(await said(app, 'mara@sample.test')).toBe(
    'Not emailed yet: their batch (number 1) waits for its turn.',
  )
  await unsubscribeEmail(app, 'una@sample.test')
  await submitAll(app)
  const id = app.resend.accepted[0]?.id
  expect(await explain(app, ' Mara@Sample.test ', ID)).toEqual({
    email: 'mara@sample.test',
    edition: ID,
    state: 'submitted',
    reason: null,
    sentence: `Emailed: the provider accepted the email on Nov 23 at 10:00 AM EST (as ${id}).`,
    generations: [{ generation: 0, state: 'submitted', reason: null }],
  })
  expect(await said(app, 'una@sample.test')).toContain('Not emailed: they had unsubscribed (Nov 23)')
})

test('says why someone was never a candidate', async () => {
  const app = await testApp()
  aSession(app)
  aSubscriber(app, 'mara@sample.test')
  aSubscriber(app, 'erin@sample.test')
  await plan(app)
  aSubscriber(app, 'late@sample.test', { createdAt: Date.parse('2026-11-24T17:00:00Z') })
  await erase(app, 'erin@sample.test')
  expect(await said(app, 'late@sample.test')).toBe(
    'Not emailed: they joined the list (Nov 24) after the edition was planned.',
  )
  expect(await said(app, 'erin@sample.test')).toContain('Erased from the list')
  expect(await said(app, 'ghost@sample.test')).toContain("this address isn't on the list")
  expect(await explain(app, 'mara@sample.test', '2026-11-16')).toBeNull()
  await expect(explain(app, 'mara', ID)).rejects.toThrow('EMAIL')
})

test('a batch that is tried again, a pause, a refusal and a cancellation give their reasons', async () => {
  const app = await testApp()
  aSession(app)
  aSubscriber(app, 'mara@sample.test')
  await plan(app)
  app.resend.inject({ kind: 'html-502' })
  await submitAll(app)
  expect(await said(app, 'mara@sample.test')).toMatch(
    /tried again, next on Nov 23 at 10:00 AM EST, because of this: 502/,
  )
  await pause(app, ID, 'the grief group has the wrong time.')
  expect(await said(app, 'mara@sample.test')).toBe(
    'Not emailed yet: the edition is paused: the grief group has the wrong time.',
  )
  await cancel(app, ID)
  expect(await said(app, 'mara@sample.test')).toMatch(/^Maybe emailed: no certain answer/)
})

test('an exclusion only cites current data that can be the same as at the time', async () => {
  const app = await testApp()
  aSession(app)
  aSubscriber(app, 'paula@sample.test', { pausedUntil: Date.parse('2026-12-04T17:00:00Z') })
  await plan(app)
  app.db
    .update(subscribers)
    .set({ pausedUntil: null })
    .where(eq(subscribers.email, 'paula@sample.test'))
    .run()
  expect(await said(app, 'paula@sample.test')).toBe('Not emailed: they had paused.')
})
