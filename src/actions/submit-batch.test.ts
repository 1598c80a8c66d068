import { expect, test } from '@jest/globals'
import { tallyOf } from '../db/editions.ts'
import { owedBatches } from '../db/batches.ts'
import { slotAtOrBefore } from '../core/calendar.ts'
import { aSession, aSubscriber, manySubscribers, testApp } from '../testing.ts'
import { planEdition } from './plan-edition.ts'
import { submitBatch } from './submit-batch.ts'

test('everyone of an edition is submitted once', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 250)
  const t = performance.now()
  await planEdition(app, slotAtOrBefore(app.config.slotRule, app.now()))
  const t2 = performance.now()
  for (const { id } of await owedBatches(app.db, app.now(), 100)) console.error(await submitBatch(app, id))
  console.error(t2 - t, performance.now() - t2)
  expect(await tallyOf(app.db, '2026-11-23')).toMatchObject({ candidates: 250, submitted: 250 })
  expect(app.resend.accepted.length).toBe(250)
  console.error(app.resend.accepted[3]?.text, app.resend.accepted[3]?.headers)
})
