import { expect, test } from '@jest/globals'
import { aSubscriber, type TestApp, testApp } from '../../../test/app.ts'
import { uncheck } from '../../../test/db.ts'
import type { Fault } from '../../../test/resend/faults.ts'
import { addNotice, findNotice, owedNotices, readerOf } from '../../db/people/notices.ts'
import { notices } from '../../db/schema/ledger.ts'
import { addressChanges } from '../../db/schema/people.ts'
import { identifyProcess } from '../../machine/process-identity.ts'
import { submitNotice } from './notices.ts'

test('a notice that cannot be composed fails at once with the reason and does not stop the others', async () => {
  const app = await testApp()
  const bad = await aNotice(app, 'ada@sample.test')
  const good = await aNotice(app, 'bela@sample.test')
  uncheck(app.db, 'subscribers')
  app.db.$client.exec(`update subscribers set email = email || '\r\n' where email = 'ada@sample.test'`)
  expect(await submitNotice(app, bad)).toEqual({ kind: 'ended' })
  expect(await submitNotice(app, good)).toEqual({ kind: 'submitted' })
  expect(await findNotice(app.store, bad)).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('no email can be made: '),
    body: null,
  })
  expect(await owedNotices(app.store, app.now(), 10)).toEqual([])
  expect(app.logged()).toContain('a notice failed')
  expect(app.logged()).not.toContain('@')
})

test('an address that fits in no header fails its notice, and is not in the reason', async () => {
  const app = await testApp()
  const id = await aNotice(app, 'ada@sample.test')
  uncheck(app.db, 'subscribers')
  app.db.$client.exec(`update subscribers set email = 'ada@sample.test\r\nBcc: eve@sample.test'`)
  expect(await submitNotice(app, id)).toEqual({ kind: 'ended' })
  const failed = await findNotice(app.store, id)
  expect(failed?.state).toBe('failed')
  expect(failed?.reason).not.toMatch(/ada|eve/)
})

test('what fails for another reason is tried again later and later, and in the end goes out once', async () => {
  const app = await testApp()
  const id = await aNotice(app, 'ada@sample.test')
  const mailer = { submitBatch: () => Promise.reject(new Error('no memory left')) }
  const waits: number[] = []
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    await expect(submitNotice({ ...app, mailer }, id)).rejects.toThrow('no memory left')
    const notice = await findNotice(app.store, id)
    expect(notice).toMatchObject({ state: 'planned', attempts: attempt, reason: 'no memory left' })
    waits.push((notice?.nextAttemptAt ?? 0) - app.now().getTime())
  }
  expect(waits).toEqual([...waits].sort((a, b) => a - b))
  expect((waits[3] ?? 0) / (waits[0] ?? 1)).toBeGreaterThan(4)
  await submitNotice(app, id)
  expect(app.resend.accepted).toHaveLength(1)
})

test.each<Fault>([
  { kind: 'rate-limit' },
  { kind: 'status', status: 401, name: 'validation_error', message: 'API key is invalid' },
])('%j uses no attempt up, and the next one is made afresh', async (fault) => {
  const app = await testApp()
  const id = await aNotice(app, 'ada@sample.test')
  app.resend.inject(fault)
  await submitNotice(app, id)
  expect(await findNotice(app.store, id)).toMatchObject({
    ...{ state: 'planned', attempts: 0, firstAttemptAt: null, body: null },
  })
  expect(await submitNotice(app, id)).toEqual({ kind: 'submitted' })
})

test.each(['subscribers', 'address_changes'])(
  'a notice whose row in %s is deleted meanwhile has no reader',
  async (table) => {
    const app = await testApp()
    const subscriberId = aSubscriber(app, 'ada@sample.test')
    const change = { publicId: 'c', subscriberId, email: 'ada@new.test', emailHash: 'h', createdAt: 0 }
    const { id: addressChangeId } = app.db
      .insert(addressChanges)
      .values(change)
      .returning({ id: addressChanges.id })
      .get()
    const id = await app.store.write((tx) =>
      addNotice(tx, { kind: 'change-address', subscriberId, addressChangeId }, app.now()),
    )
    const notice = await findNotice(app.store, id)
    if (notice === null) throw new Error('no notice')
    expect(await readerOf(app.store, notice)).toMatchObject({ to: 'ada@new.test' })
    app.db.$client.exec(`delete from ${table}`)
    expect(await readerOf(app.store, notice)).toBeNull()
    expect(await submitNotice(app, id)).toEqual({ kind: 'not-ours' })
  },
)

test('a notice claimed by a dead process is taken over at once, one claimed by a living process is not', async () => {
  const app = await testApp()
  const id = await aNotice(app, 'ada@sample.test')
  const claim = { state: 'submitting' as const, claimedAt: app.now().getTime() }
  app.db
    .update(notices)
    .set({ ...claim, claimedBy: identifyProcess() })
    .run()
  expect(await submitNotice(app, id)).toEqual({ kind: 'not-ours' })
  const dead = identifyProcess().replace(/\/\d+$/, '/12') // our pid, of a process that began long before
  app.db
    .update(notices)
    .set({ ...claim, claimedBy: dead })
    .run()
  expect(await submitNotice(app, id)).toEqual({ kind: 'submitted' })
})

async function aNotice(app: TestApp, email: string): Promise<number> {
  const subscriberId = aSubscriber(app, email)
  return app.store.write((tx) => addNotice(tx, { kind: 'already', subscriberId }, app.now()))
}
