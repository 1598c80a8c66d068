import { expect, test } from '@jest/globals'
import { aSession, aSubscriber, type TestApp, testApp } from '../../../test/app.ts'
import { imageOf } from '../../../test/db.ts'
import { hashEmail } from '../../core/tokens.ts'
import { allEditions } from '../../db/ledger/editions.ts'
import { suppressions } from '../../db/schema/people.ts'
import { testEdition } from './send-test.ts'

async function aList(): Promise<TestApp> {
  const app = await testApp()
  aSession(app, { group: 'Steady Ground' })
  aSubscriber(app, 'mara@sample.test', { name: 'Mara' })
  return app
}

test('one marked copy goes to the operator under a key of its own, and the ledger stays as it is', async () => {
  const app = await aList()
  const before = await imageOf(app.store)
  const first = await testEdition(app, { to: 'Op@sample.test', reader: 'typical' })
  expect(first).toMatchObject({ kind: 'submitted', subject: '[Test] 1 new group time this week' })
  expect(await testEdition(app, { to: 'op@sample.test', reader: 'typical' })).toMatchObject({
    kind: 'submitted',
  })
  expect((await imageOf(app.store)).equals(before)).toBe(true)
  expect(await allEditions(app.store)).toEqual([])
  expect(app.resend.accepted.map(({ to }) => to)).toEqual([['op@sample.test'], ['op@sample.test']])
  const [one, two] = app.resend.requests.filter(({ path }) => path === '/emails/batch')
  expect(one?.key).toMatch(/^openseat\/test\//)
  expect(one?.key).not.toBe(two?.key)
})

test('the copy can be made for each kind of reader', async () => {
  const app = await aList()
  const outcome = await testEdition(app, { to: 'op@sample.test', reader: 'spanish' })
  expect(outcome).toMatchObject({ subject: '[Test] 1 horario de grupo nuevo esta semana' })
})

test('an address that is invalid or must never be emailed is refused, and nothing is submitted', async () => {
  const app = await aList()
  const emailHash = hashEmail(app.hashKey, 'gone@sample.test')
  app.db.insert(suppressions).values({ emailHash, reason: 'bounce', createdAt: 0 }).run()
  await expect(testEdition(app, { to: 'op', reader: 'typical' })).rejects.toThrow('--to: the address')
  await expect(testEdition(app, { to: 'gone@sample.test', reader: 'typical' })).rejects.toThrow('suppressed')
  expect(app.resend.accepted).toEqual([])
})

test('without recipients there is no email to test, and a refusal by the provider is reported', async () => {
  const empty = await testApp()
  expect(await testEdition(empty, { to: 'op@sample.test', reader: 'typical' })).toEqual({ kind: 'nobody' })
  const app = await aList()
  app.resend.inject({ kind: 'status', status: 403 })
  expect(await testEdition(app, { to: 'op@sample.test', reader: 'typical' })).toMatchObject({
    kind: 'not-submitted',
  })
})
