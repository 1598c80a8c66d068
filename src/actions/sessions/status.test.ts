import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, planNow, submitOwed, type TestApp, testApp } from '../../../test/app.ts'
import { auditLog } from '../../db/schema/installation.ts'
import { sessions } from '../../db/schema/sessions.ts'
import { changeStatus } from './status.ts'

const audited = (app: TestApp) =>
  app.db
    .select()
    .from(auditLog)
    .all()
    .map(({ action, subject, detail }) => [action, subject, detail])

test('a full session drops out of the email, and once open again it is news as reopened', async () => {
  const app = await testApp()
  aSession(app, { externalId: 'other', topic: 'grief-and-loss', group: 'Tender Days' })
  const id = aSession(app, { externalId: 'steady' })
  aSubscriber(app, 'mara@sample.test')
  expect(await changeStatus(app, 'steady', { status: 'full' })).toMatchObject({
    kind: 'changed',
    session: { id, status: 'full' },
    wasOffered: true,
  })
  await planNow(app)
  await submitOwed(app)
  expect(app.resend.accepted.map(({ text }) => text?.includes('Steady Ground'))).toEqual([false])

  expect(await changeStatus(app, String(id), { status: 'open' })).toMatchObject({
    kind: 'changed',
    wasOffered: false,
  })
  expect(await changeStatus(app, 'steady', { status: 'open' })).toMatchObject({ kind: 'already' })
  app.setNow('2026-11-30T14:00:00Z')
  await planNow(app)
  await submitOwed(app)
  expect(app.resend.accepted.at(-1)?.text).toContain('Steady Ground')
  expect(
    app.db
      .select()
      .from(sessions)
      .all()
      .find((row) => row.id === id)?.news,
  ).toBe('reopened')
  expect(audited(app)).toEqual([
    ['session full', String(id), null],
    ['session open', String(id), null],
  ])
})

test('a cancelled session is not offered; cancelling it twice is recorded once', async () => {
  const app = await testApp()
  const id = aSession(app, { externalId: 'mara@sample.test' })
  for (const kind of ['changed', 'already'])
    expect(await changeStatus(app, 'mara@sample.test', { status: 'cancelled' })).toMatchObject({ kind })
  expect(audited(app)).toEqual([['session cancelled', String(id), null]])
})

test('to open, a session needs a seat', async () => {
  const app = await testApp()
  aSession(app, { externalId: 'steady', status: 'full', seatsLeft: 0, seatsTotal: 8 })
  expect(await changeStatus(app, 'steady', { status: 'open' })).toEqual({ kind: 'no-seats' })
  expect(await changeStatus(app, 'steady', { status: 'open', seatsLeft: 9 })).toEqual({
    kind: 'too-many-seats',
    seatsTotal: 8,
  })
  expect(await changeStatus(app, 'steady', { status: 'open', seatsLeft: 8 })).toMatchObject({
    session: { status: 'open', seatsLeft: 8 },
  })
  expect(app.db.select().from(sessions).get()).toMatchObject({ status: 'open', seatsLeft: 8 })
  // Open already, but with another number.
  expect(await changeStatus(app, 'steady', { status: 'open', seatsLeft: 2 })).toMatchObject({
    kind: 'changed',
    wasOffered: true,
  })
})

test('an unknown id changes nothing and gets a hint; one that means two sessions is refused', async () => {
  const app = await testApp()
  const first = aSession(app, { externalId: 'steady-tue' })
  const second = aSession(app, { externalId: String(first), therapist: 'Dr. Ann Roe' })
  expect(await changeStatus(app, 'stedy-tue', { status: 'full' })).toEqual({
    kind: 'not-found',
    hint: '; did you mean "steady-tue"?',
  })
  expect(await changeStatus(app, 'nothing like it', { status: 'full' })).toEqual({
    kind: 'not-found',
    hint: '',
  })
  expect(await changeStatus(app, String(first), { status: 'full' })).toEqual({
    kind: 'several',
    byName: second,
    byNumber: 'steady-tue',
  })
  expect(
    app.db
      .select()
      .from(sessions)
      .all()
      .map(({ status }) => status),
  ).toEqual(['open', 'open'])
})
