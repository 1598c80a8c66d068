import { expect, test } from '@jest/globals'
import { aSession, manySubscribers, planNow, type TestApp, testApp } from '../../../test/app.ts'
import { sessionsVersion } from '../sessions/sessions.ts'
import { claimBatch, closeEmptyBatch, freezeBatch, recordSubmission, returnBatch } from './batch-claims.ts'
import { markUnknown } from './batch-states.ts'
import { type Batch, type Claim, findBatch, owedBatches } from './batches.ts'
import { openDeliveries } from './deliveries.ts'
import { cancelEdition } from './edition-states.ts'

const CONTENTS = { template: '{}', templateHash: 't', offers: '[]', offersHash: 'o', bodyHash: 'b' }
const AGAIN = { refused: false, nextAttemptAt: null, reason: 'no answer' }

async function planned() {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 2)
  await planNow(app)
  const [owed] = await owedBatches(app.store, app.now(), 1)
  return { app, batch: (await findBatch(app.store, owed?.id ?? 0)) as Batch }
}

async function claimed() {
  const { app, batch } = await planned()
  return { app, batch: (await claimBatch(app.store, batch.id, byOne(app))) as Batch }
}

const byOne = (app: TestApp): Claim => ({ by: 'worker one', at: app.now(), gone: null })

/** What `freezeBatch` and `closeEmptyBatch` get after the last checks found everyone as they are now. */
async function nothing(app: TestApp, { id }: Batch) {
  const { readers } = await openDeliveries(app.store.read, id)
  const checked = { readers, sessionsVersion: await sessionsVersion(app.store) }
  return { ...CONTENTS, frozen: [], excluded: [], failed: [], checked }
}

/** The same, with an email for each of them. */
async function everyone(app: TestApp, batch: Batch) {
  const { open } = await openDeliveries(app.store.read, batch.id)
  const frozen = open.map(({ id }) => ({ id, frozen: '{}', shown: '1' }))
  return { ...(await nothing(app, batch)), frozen, readers: open }
}

test('only the owner of a claim returns its batch', async () => {
  const { app, batch } = await claimed()
  for (const claimedBy of ['worker two', null, '']) {
    await returnBatch(app.store, { ...batch, claimedBy }, AGAIN)
    expect(await findBatch(app.store, batch.id)).toEqual(batch)
  }
  await returnBatch(app.store, batch, AGAIN)
  expect(await findBatch(app.store, batch.id)).toMatchObject({ state: 'planned', claimedBy: null })
})

test('a claim without an owner is no one’s: nothing returns its batch', async () => {
  const { app, batch } = await claimed()
  app.db.$client.exec('update batches set claimed_by = null')
  const ownerless = { ...batch, claimedBy: null }
  await returnBatch(app.store, ownerless, AGAIN)
  expect(await findBatch(app.store, batch.id)).toEqual(ownerless)
})

test('of two that would make the first attempt, one claims and freezes, and each learns whether it did', async () => {
  const { app, batch } = await planned()
  const content = await nothing(app, batch)
  const other = { ...byOne(app), by: 'worker two' }
  expect(await freezeBatch(app.store, batch, byOne(app), content)).toMatchObject({
    ...{ id: batch.id, state: 'submitting', claimedBy: 'worker one', attempts: 1, bodyHash: 'b' },
    firstAttemptAt: null, // of an attempt before
  })
  expect(await freezeBatch(app.store, batch, other, content)).toBeNull()
  expect(await closeEmptyBatch(app.store, batch.id, other, content)).toBeNull()
  expect(await claimBatch(app.store, batch.id, other)).toBeNull()
  expect(await findBatch(app.store, batch.id)).toMatchObject({ claimedBy: 'worker one', size: 0 })
})

test('what is frozen is never frozen again, also when its claim has run out', async () => {
  const { app, batch } = await planned()
  const content = await nothing(app, batch)
  await freezeBatch(app.store, batch, byOne(app), content)
  const late = { ...byOne(app), at: new Date(app.now().getTime() + 3_600_000) }
  expect(await freezeBatch(app.store, batch, late, content)).toBeNull()
  expect(await closeEmptyBatch(app.store, batch.id, late, content)).toBeNull()
  expect(await claimBatch(app.store, batch.id, late)).toMatchObject({ attempts: 2 })
})

test.each([
  ['a reader left', "update subscribers set status = 'unsubscribed' where id = 1"],
  [
    'a reader chose a topic',
    'insert into subscriber_topics (subscriber_id, topic_id, chosen) values (1, 1, 1)',
  ],
  ['a reader saw another edition', 'update subscribers set seen_through = 7 where id = 2'],
  ['a reader was erased', 'delete from subscribers where id = 1'],
  [
    'an address was suppressed',
    "insert into suppressions select email_hash, 'complained', 1 from subscribers where id = 2",
  ],
  ['a session filled up', 'update sessions set seats_left = 0'],
])('when %s after the last checks, nothing is frozen or closed', async (_what, sql) => {
  const { app, batch } = await planned()
  const content = await nothing(app, batch)
  app.db.$client.exec(sql)
  expect(await freezeBatch(app.store, batch, byOne(app), content)).toBe('changed')
  expect(await closeEmptyBatch(app.store, batch.id, byOne(app), content)).toBe('changed')
  expect(await findBatch(app.store, batch.id)).toEqual(batch)
  expect(await freezeBatch(app.store, batch, byOne(app), await nothing(app, batch))).not.toBe('changed')
})

test('a batch that comes back to a cancelled edition ends: excluded if nothing was accepted, else unknown', async () => {
  for (const [refused, state, rows] of [
    [true, 'cancelled', { state: 'excluded', reason: 'cancelled' }],
    [false, 'unknown', { state: 'unknown' }],
  ] as const) {
    const { app, batch } = await planned()
    const { readers, ...content } = await everyone(app, batch)
    const claimed = (await freezeBatch(app.store, batch, byOne(app), content)) as Batch
    await cancelEdition(app.store, batch.editionId, app.now())
    await returnBatch(app.store, claimed, { refused, nextAttemptAt: null, reason: 'closed' })
    expect(await findBatch(app.store, batch.id)).toMatchObject({ state })
    const left = app.db.$client.prepare('select state, reason from deliveries').all()
    expect(left).toEqual(readers.map(() => expect.objectContaining(rows)))
  }
})

test('an answer is recorded once, and a batch ends as unknown once', async () => {
  const { app, batch } = await claimed()
  expect(await markUnknown(app.store, batch.id, 'no answer')).toBe(true)
  expect(await markUnknown(app.store, batch.id, 'no answer')).toBe(false)
  expect(await recordSubmission(app.store, batch, [], app.now())).toBe(true)
  expect(await recordSubmission(app.store, batch, [], app.now())).toBe(false)
})
