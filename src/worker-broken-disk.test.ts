import { expect, test } from '@jest/globals'
import Database from 'better-sqlite3'
import { afterTest, aSession, eventually, manySubscribers, planNow, testApp } from '../test/app.ts'
import { openSubmitter } from './actions/editions/submit.ts'
import { claimBatch } from './db/ledger/batch-claims.ts'
import { owedBatches } from './db/ledger/batches.ts'
import { findEdition, tallyOf } from './db/ledger/editions.ts'
import { startWorker } from './worker.ts'

test('a database that cannot be written: said once, nothing submitted, and then all of it, automatically', async () => {
  const app = await testApp({ file: true })
  aSession(app)
  manySubscribers(app, 300)
  const worker = await startWorker(app, { scheduled: false })
  afterTest(() => worker.stop())
  const id = await planNow(app)
  const other = new Database(app.config.DATABASE_PATH)
  other.exec('begin exclusive')
  await app.queue.wakeBatches((await owedBatches(app.store, app.now(), 10)).map((batch) => batch.id))
  await eventually(() => app.logged().includes('the database cannot be used'))
  expect(app.logged()).toContain('another program holds it locked')
  expect(app.resend.accepted).toEqual([])

  other.exec('commit')
  other.close()
  await eventually(async () => (await findEdition(app.store, id))?.state === 'submitted')
  expect(await tallyOf(app.store, id)).toMatchObject({ submitted: 300 })
  expect(app.logged().split('the database cannot be used')).toHaveLength(2)
})

test('a claim of this process that it could not give back is taken up again, one in its hand is not', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 1)
  await planNow(app)
  const [batch] = await owedBatches(app.store, app.now(), 1)
  await claimBatch(app.store, batch?.id ?? 0, { by: app.instance, at: app.now(), gone: null })
  const submitter = openSubmitter(app)
  const both = await Promise.all([submitter.submit(batch?.id ?? 0), submitter.submit(batch?.id ?? 0)])
  expect(both.map(({ kind }) => kind).sort()).toEqual(['not-ours', 'submitted'])
  expect(app.resend.accepted).toHaveLength(1)
})
