import { expect, test } from '@jest/globals'
import { tallyOf } from '../../src/db/ledger/editions.ts'
import { startWorker } from '../../src/worker.ts'
import { afterTest, aSession, eventually, manySubscribers, planNow, type TestApp, testApp } from '../app.ts'
import { aDatabase } from '../db.ts'

const READERS = 300

// The server's own error for a full disk, from a trigger, because no test can fill the disk of a machine.
const FULL = `create or replace function disk_is_full() returns trigger language plpgsql as $$
  begin raise exception 'could not extend file' using errcode = '53100'; end $$;`

test('nothing is submitted while the disk of Postgres is full: said once, and then it continues automatically', async () => {
  const app = await aPractice()
  fill(
    app,
    'create trigger full_disk before update on batches for each statement execute function disk_is_full()',
  )
  const worker = await startWorker(app, { scheduled: false, lookEveryMs: 20 })
  afterTest(() => worker.stop())
  await eventually(() => app.logged().includes('the database cannot be used'))
  expect(app.logged()).toContain("the server's disk is full (53100)")
  expect(app.resend.requests).toEqual([])

  app.db.$client.exec('drop trigger full_disk on batches')
  await eventually(async () => (await tallyOf(app.store, id)).submitted === READERS)
  expect(counts(app)).toEqual([1])
})

test('what was accepted while its answer could not be recorded goes out again under its key, and reaches each reader once', async () => {
  const app = await aPractice()
  fill(
    app,
    `create trigger full_disk before update on deliveries for each row when (new.state = 'submitted') execute function disk_is_full()`,
  )
  const worker = await startWorker(app, { scheduled: false, lookEveryMs: 20 })
  afterTest(() => worker.stop())
  await eventually(() => app.logged().includes('the database cannot be used'))
  expect(await tallyOf(app.store, id)).toMatchObject({ submitted: 0, waiting: READERS })

  app.db.$client.exec('drop trigger full_disk on deliveries')
  await eventually(async () => (await tallyOf(app.store, id)).submitted === READERS)
  expect(counts(app)).toEqual([1])
  expect(new Set(app.resend.requests.map(({ key }) => key)).size).toBe(READERS / 100)
})

const id = '2026-11-23'

/** A practice whose edition is planned and waits for a worker. */
async function aPractice(): Promise<TestApp> {
  const app = await testApp({ settings: { DATABASE_URL: await aDatabase() } })
  aSession(app)
  manySubscribers(app, READERS)
  expect(await planNow(app)).toBe(id)
  return app
}

function fill({ db }: TestApp, trigger: string): void {
  db.$client.exec(FULL)
  db.$client.exec(trigger)
}

/** How often addresses were accepted: `[1]` = each once. */
const counts = (app: TestApp) => [...new Set(app.resend.countByAddress().values())]
