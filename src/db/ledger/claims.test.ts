import { expect, test } from '@jest/globals'
import { aSession, manySubscribers, planNow, type TestApp, testApp } from '../../../test/app.ts'
import {
  claimBatch,
  closeEmptyBatch,
  freezeBatch,
  markUnknown,
  recordSubmission,
  returnBatch,
} from './batch-states.ts'
import { type Batch, findBatch, owedBatches } from './batches.ts'

const CONTENTS = { template: '{}', templateHash: 't', offers: '[]', offersHash: 'o', bodyHash: 'b' }
const NOTHING = { ...CONTENTS, frozen: [], excluded: [], failed: [] }
const AGAIN = { refused: false, nextAttemptAt: null, reason: 'no answer' }

async function claimed(): Promise<{ app: TestApp; batch: Batch }> {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 2)
  await planNow(app)
  const [owed] = await owedBatches(app.store, app.now(), 1)
  const batch = await claimBatch(app.store, owed?.id ?? 0, 'worker one', app.now())
  return { app, batch: batch as Batch }
}

test('only the owner of a claim freezes, closes, or returns its batch, and each learns whether it did', async () => {
  const { app, batch } = await claimed()
  for (const claimedBy of ['worker two', null, '']) {
    const stranger = { ...batch, claimedBy }
    expect(await freezeBatch(app.store, stranger, NOTHING, app.now())).toBe(false)
    expect(await closeEmptyBatch(app.store, stranger, { excluded: [], failed: [] }, app.now())).toBe(false)
    await returnBatch(app.store, stranger, AGAIN)
    expect(await findBatch(app.store, batch.id)).toEqual(batch)
  }
  expect(await freezeBatch(app.store, batch, NOTHING, app.now())).toBe(true)
  expect(await freezeBatch(app.store, batch, NOTHING, app.now())).toBe(false) // its content is frozen already
})

test('a claim without an owner is no one’s: nothing freezes, closes, or returns its batch', async () => {
  const { app, batch } = await claimed()
  app.db.$client.exec('update batches set claimed_by = null')
  const ownerless = { ...batch, claimedBy: null }
  expect(await freezeBatch(app.store, ownerless, NOTHING, app.now())).toBe(false)
  await returnBatch(app.store, ownerless, AGAIN)
  expect(await findBatch(app.store, batch.id)).toEqual(ownerless)
})

test('a claim whose lease has run out freezes nothing, as another email may have gone to its readers since', async () => {
  const { app, batch } = await claimed()
  const late = new Date(app.now().getTime() + 3_600_000)
  expect(await freezeBatch(app.store, batch, NOTHING, late)).toBe(false)
})

test('an answer is recorded once, and a batch ends as unknown once', async () => {
  const { app, batch } = await claimed()
  expect(await markUnknown(app.store, batch.id, 'no answer')).toBe(true)
  expect(await markUnknown(app.store, batch.id, 'no answer')).toBe(false)
  expect(await recordSubmission(app.store, batch, [], app.now())).toBe(true)
  expect(await recordSubmission(app.store, batch, [], app.now())).toBe(false)
})
