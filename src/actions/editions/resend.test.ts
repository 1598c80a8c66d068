import { expect, test } from '@jest/globals'
import {
  aSession,
  aSubscriber,
  manySubscribers,
  planNow,
  submitOwed,
  type TestApp,
  testApp,
} from '../../../test/app.ts'
import { installationId } from '../../core/tokens.ts'
import { tallyOf } from '../../db/ledger/editions.ts'
import { unsubscribeEmail } from '../subscribers/consent.ts'
import { cancel } from './control.ts'
import { resendEdition } from './resend.ts'

const MONDAY_ID = '2026-11-23'

test('--failed emails those whose delivery failed, under a key of a new generation', async () => {
  let broken = true
  const refuseAddress = (address: string) =>
    broken && address === 'reader-2@sample.test' ? 'mailbox on fire' : null
  const app = await submitted(3, { resend: { refuseAddress } })
  broken = false
  expect(await resendEdition(app, MONDAY_ID, { kind: 'failed' })).toMatchObject({
    kind: 'planned',
    generation: 1,
    recipients: 1,
  })
  await submitOwed(app)
  expect(app.resend.accepted.at(-1)).toMatchObject({
    to: ['reader-2@sample.test'],
    key: `openseat/${installationId(app.hashKey)}/2026-11-23/g1/b1`,
  })
  expect(await tallyOf(app.store, MONDAY_ID, 1)).toMatchObject({ candidates: 1, submitted: 1 })
  expect(await resendEdition(app, MONDAY_ID, { kind: 'failed' })).toMatchObject({ kind: 'refused' })
})

test('--unknown emails those whose outcome is unknown', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 2)
  await planNow(app)
  app.resend.inject({ kind: 'reset-before' })
  await submitOwed(app)
  app.setNow('2026-11-24T15:00:00Z')
  await submitOwed(app)
  expect(await tallyOf(app.store, MONDAY_ID)).toMatchObject({ unknown: 2 })
  expect(await resendEdition(app, MONDAY_ID, { kind: 'unknown' })).toMatchObject({
    kind: 'planned',
    recipients: 2,
  })
  await submitOwed(app)
  expect(app.resend.accepted).toHaveLength(2)
})

test('--to shows one reader the edition again, although they have seen it', async () => {
  const app = await submitted(2)
  const request = { kind: 'to', email: ' Reader-1@Sample.Test ' } as const
  expect(await resendEdition(app, MONDAY_ID, request)).toMatchObject({ kind: 'planned', recipients: 1 })
  await submitOwed(app)
  expect(app.resend.accepted.at(-1)?.text).toContain('Steady Ground')
  expect(app.resend.countByAddress().get('reader-1@sample.test')).toBe(2)
})

test('--all reaches everyone who was emailed, except those who have unsubscribed since', async () => {
  const app = await submitted(5)
  await unsubscribeEmail(app, 'reader-3@sample.test')
  expect(await resendEdition(app, MONDAY_ID, { kind: 'all' })).toEqual({
    kind: 'planned',
    generation: 1,
    recipients: 4,
    excluded: { unsubscribed: 1 },
  })
  await unsubscribeEmail(app, 'reader-4@sample.test')
  await submitOwed(app)
  expect(app.resend.countByAddress().get('reader-3@sample.test')).toBe(1)
  expect(app.resend.countByAddress().get('reader-4@sample.test')).toBe(1)
  expect(app.resend.countByAddress().get('reader-5@sample.test')).toBe(2)
})

test('two resends asked for at once make two generations, or the second is refused; never a delivery twice', async () => {
  const app = await submitted(4)
  const outcomes = await Promise.all([
    resendEdition(app, MONDAY_ID, { kind: 'all' }),
    resendEdition(app, MONDAY_ID, { kind: 'all' }),
  ])
  expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['planned', 'refused'])
  await submitOwed(app)
  expect(app.resend.accepted).toHaveLength(8)
})

test.each([
  ['an edition that does not exist', '2020-01-06', { kind: 'all' }, { kind: 'not-found' }],
  [
    'nobody failed',
    MONDAY_ID,
    { kind: 'failed' },
    { kind: 'refused', reason: 'no email of this edition is failed' },
  ],
  [
    'an unknown address',
    MONDAY_ID,
    { kind: 'to', email: 'zoe@sample.test' },
    { kind: 'refused', reason: 'no subscriber has this address' },
  ],
  [
    'an unsubscribed reader',
    MONDAY_ID,
    { kind: 'to', email: 'gone@sample.test' },
    { kind: 'refused', reason: 'this reader gets no email, because they have unsubscribed' },
  ],
] as const)('%s is refused with the reason', async (_what, id, request, outcome) => {
  const app = await submitted(2)
  aSubscriber(app, 'gone@sample.test', { status: 'unsubscribed' })
  expect(await resendEdition(app, id, request)).toEqual(outcome)
  expect(app.resend.accepted).toHaveLength(2)
})

test('an edition that is not done, was cancelled, or is old news for everyone is refused', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 2)
  await planNow(app)
  expect(await resendEdition(app, MONDAY_ID, { kind: 'all' })).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('is submitting'),
  })
  await cancel(app, MONDAY_ID)
  expect(await resendEdition(app, MONDAY_ID, { kind: 'all' })).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('cancelled'),
  })

  const second = await submitted(2)
  aSession(second)
  second.setNow('2026-11-30T15:00:00Z')
  await planNow(second)
  await submitOwed(second)
  expect(await resendEdition(second, MONDAY_ID, { kind: 'all' })).toMatchObject({
    kind: 'refused',
    reason: expect.stringContaining('2026-11-30'),
  })
})

async function submitted(readers: number, options: Parameters<typeof testApp>[0] = {}): Promise<TestApp> {
  const app = await testApp(options)
  aSession(app)
  manySubscribers(app, readers)
  await planNow(app)
  await submitOwed(app)
  return app
}
