import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import {
  aSession,
  aSubscriber,
  eventually,
  manySubscribers,
  planNow,
  submitOwed,
  type TestApp,
  testApp,
} from '../../../test/app.ts'
import type { App } from '../../app.ts'
import { findEdition, tallyOf } from '../../db/ledger/editions.ts'
import { addNotice } from '../../db/people/notices.ts'
import { currentHold } from '../../db/restore/epoch.ts'
import { sweep } from '../../recurring.ts'
import { startWorker } from '../../worker.ts'
import { planEdition } from '../editions/plan.ts'
import { resendEdition } from '../editions/resend.ts'
import { openSubmitter } from '../editions/submit.ts'
import { backupTo } from './back-up.ts'
import { heldState, release } from './release.ts'

const LAST_WEEK = '2026-11-16T15:00:00.000Z'
const WEDNESDAY = '2026-11-18T15:00:00.000Z'
const MONDAY = '2026-11-23T15:00:00.000Z'

test("restoring last week's copy sends nothing, and after its release no one is emailed twice", async () => {
  const app = await mailedWeekly(LAST_WEEK, 150)
  app.setNow(WEDNESDAY)
  const copy = await backup(app)
  app.setNow(MONDAY)
  aSession(app, { group: 'Open Water' })
  await mailNow(app)
  expect(app.resend.accepted).toHaveLength(300)

  const restored = await restore(app, copy)
  const worker = await startWorker(restored, { scheduled: true })
  await swept(restored)
  expect(await heldState(restored)).toMatchObject({
    hold: { reason: 'backup', knownThrough: Date.parse(WEDNESDAY) },
    editions: [],
    slot: { editionId: '2026-11-23' },
    activeSubscribers: 150,
  })
  expect(app.resend.accepted).toHaveLength(300)
  expect(occurrences(app.logged(), 'nothing goes out')).toBe(1)

  expect(await release(restored, 'safe')).toMatchObject({ recipients: 0, editions: [] })
  await swept(restored)
  expect(await findEdition(restored.store, '2026-11-23')).toMatchObject({ state: 'cancelled' })
  expect(app.resend.accepted).toHaveLength(300)

  // The next edition goes out as if nothing had been, once to each; what was lost with the copy is entered again.
  aSession(restored, { group: 'Open Water' })
  app.setNow('2026-11-30T15:00:00.000Z')
  await restored.queue.wakeSweep()
  await eventually(async () => (await findEdition(restored.store, '2026-11-30'))?.state === 'submitted')
  await worker.stop()
  expect(new Set(app.resend.countByAddress().values())).toEqual(new Set([3]))
})

test('deliveries that a copy believes are owed become unknown, and only a resend submits them', async () => {
  const { app, copy, id } = await halfSubmitted()
  await submitOwed(app)
  app.setNow('2026-11-25T15:00:00.000Z') // Resend has forgotten the keys
  const restored = await restore(app, copy)
  expect(await heldState(restored)).toMatchObject({
    editions: [{ id, state: 'submitting', recipients: 150, batches: 2 }],
    keysTrusted: false,
  })
  await refusesEverything(restored, app)

  expect(await release(restored, 'safe')).toMatchObject({ recipients: 150 })
  await sweepAndSubmit(restored)
  expect(await tallyOf(restored.store, id)).toMatchObject({ submitted: 100, unknown: 150, waiting: 0 })
  expect(await findEdition(restored.store, id)).toMatchObject({ state: 'submitted' })
  expect(onceEach(app)).toBe(true)
  expect(await resendEdition(restored, id, { kind: 'unknown' })).toMatchObject({ recipients: 150 })
})

test('continuing from a recent copy emails no one twice either: Resend knows the keys', async () => {
  const { app, copy, id } = await halfSubmitted()
  await submitOwed(app)
  app.setNow('2026-11-23T20:00:00.000Z')
  const restored = await restore(app, copy)
  await release(restored, 'go-on')
  await sweepAndSubmit(restored)
  expect(onceEach(app)).toBe(true)
  expect(await tallyOf(restored.store, id)).toMatchObject({ candidates: 250, waiting: 0 })
})

test('continuing from a recent copy sends what had not been submitted', async () => {
  const { app, copy, id } = await halfSubmitted()
  app.setNow('2026-11-23T20:00:00.000Z')
  const restored = await restore(app, copy)
  await release(restored, 'go-on')
  await sweepAndSubmit(restored)
  expect(await tallyOf(restored.store, id)).toMatchObject({ submitted: 250, unknown: 0 })
  expect(onceEach(app)).toBe(true)
  expect(app.resend.accepted).toHaveLength(250)
})

test('continuing from an old copy, or with a key that expires in the meantime, makes them unknown', async () => {
  const { app, copy, id } = await halfSubmitted()
  app.setNow('2026-11-24T15:00:00.000Z')
  const old = await restore(app, copy)
  expect(await release(old, 'go-on')).toMatchObject({ recipients: 150 })
  expect(await tallyOf(old.store, id)).toMatchObject({ unknown: 150 })

  app.setNow('2026-11-23T20:00:00.000Z')
  const young = await restore(app, copy)
  expect(await release(young, 'go-on')).toMatchObject({ recipients: 0 })
  app.setNow('2026-11-24T14:30:00.000Z')
  for (const batch of [2, 3])
    expect(await openSubmitter(young).submit(batch)).toEqual({ kind: 'closed', reason: 'unknown' })
  expect(app.resend.accepted).toHaveLength(100)
})

test('an edition that was half planned is cancelled, and its slot is not planned again', async () => {
  const app = await testApp({ file: true, at: MONDAY })
  aSession(app)
  manySubscribers(app, 10)
  const id = await planNow(app)
  app.db.$client.exec("update editions set state = 'planning', planned_through = 5")
  const restored = await restore(app, await backup(app))
  expect(await release(restored, 'safe')).toMatchObject({ editions: [id], recipients: 10 })
  await sweepAndSubmit(restored)
  expect(await findEdition(restored.store, id)).toMatchObject({ state: 'cancelled' })
  expect(app.resend.accepted).toEqual([])
})

test('without a hold a release does nothing, and it cannot be done twice', async () => {
  const app = await mailedWeekly(LAST_WEEK, 1)
  expect(await heldState(app)).toBeNull()
  expect(await release(app, 'safe')).toBeNull()
  const restored = await restore(app, await backup(app))
  expect(await release(restored, 'safe')).not.toBeNull()
  expect(await release(restored, 'safe')).toBeNull()
  expect(await currentHold((await app.sibling()).store)).toBeNull()
})

/** An installation that has mailed its edition at `at`. */
async function mailedWeekly(at: string, readers: number): Promise<TestApp> {
  const app = await testApp({ file: true, at })
  aSession(app, { startsAtLocal: '2026-12-15T19:00' })
  manySubscribers(app, readers)
  await recordedStart(app)
  await mailNow(app)
  return app
}

/** A copy taken when one of three batches had been submitted. */
async function halfSubmitted() {
  const app = await testApp({ file: true, at: MONDAY })
  aSession(app)
  manySubscribers(app, 250)
  const id = await planNow(app)
  expect(await openSubmitter(app).submit(1)).toMatchObject({ kind: 'submitted' })
  return { app, id, copy: await backup(app) }
}

async function mailNow(app: App): Promise<void> {
  await sweepAndSubmit(app)
  await planNow(app)
  await submitOwed(app)
}

async function sweepAndSubmit(app: App): Promise<void> {
  await sweep(app)
  await submitOwed(app)
  await sweep(app)
}

async function recordedStart(app: App): Promise<void> {
  const { recordStart } = await import('../editions/sweep.ts')
  await recordStart(app)
}

async function refusesEverything(restored: App, app: TestApp): Promise<void> {
  const before = app.resend.accepted.length
  const slot = { editionId: '2026-11-30', at: new Date('2026-11-30T14:00:00Z') }
  await expect(planEdition(restored, slot)).rejects.toThrow('nothing goes out')
  expect(await resendEdition(restored, '2026-11-23', { kind: 'unknown' })).toMatchObject({ kind: 'refused' })
  for (const batch of [1, 2, 3])
    expect(await openSubmitter(restored).submit(batch)).toEqual({ kind: 'not-ours' })
  await sweepAndSubmit(restored)
  expect(app.resend.accepted).toHaveLength(before)
}

let copies = 0

async function backup(app: TestApp): Promise<string> {
  const file = join(`${app.config.DATABASE_PATH}.backup-${(copies += 1)}`)
  await backupTo(app, file)
  return file
}

/** Puts the copy where the database was, as an operator would, and opens it as another process. */
async function restore(app: TestApp, copy: string): Promise<Awaited<ReturnType<TestApp['sibling']>>> {
  const path = app.config.DATABASE_PATH
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  copyFileSync(copy, path)
  return app.sibling()
}

async function swept(app: App): Promise<void> {
  await app.queue.wakeSweep()
  await sweep(app)
}

const occurrences = (text: string, of: string) => text.split(of).length - 1

const onceEach = (app: TestApp) => [...app.resend.countByAddress().values()].every((count) => count === 1)

const noticeTo = ({ store, now }: App, subscriberId: number) =>
  store.write((tx) => addNotice(tx, { kind: 'confirm', subscriberId }, now()))

test('a notice that waited in the copy is not submitted; one made since is', async () => {
  const app = await testApp({ file: true, at: MONDAY })
  const { submitNotice } = await import('../subscribers/notices.ts')
  const mara = aSubscriber(app, 'mara@sample.test', { status: 'pending' })
  const before = await noticeTo(app, mara)
  const copy = await backup(app)
  app.setNow('2026-11-23T16:00:00.000Z')
  const restored = await restore(app, copy)
  const noor = aSubscriber(restored, 'noor@sample.test', { status: 'pending' })
  const since = await noticeTo(restored, noor)
  expect(await submitNotice(restored, since)).toEqual({ kind: 'not-ours' })
  expect(await release(restored, 'safe')).toMatchObject({ notices: 1 })
  expect(await submitNotice(restored, before)).toEqual({ kind: 'not-ours' })
  expect(await submitNotice(restored, since)).toMatchObject({ kind: 'submitted' })
  expect([...app.resend.countByAddress().keys()]).toEqual(['noor@sample.test'])
})
