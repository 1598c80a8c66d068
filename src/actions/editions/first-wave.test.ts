import { randomUUID } from 'node:crypto'
import { expect, test } from '@jest/globals'
import { aSession, manySubscribers, planNow, submitOwed, type TestApp, testApp } from '../../../test/app.ts'
import { webhookEvent } from '../../../test/resend/webhooks.ts'
import { findEdition } from '../../db/ledger/editions.ts'
import { passFirstWaves } from '../../db/ledger/first-wave.ts'
import { batches } from '../../db/schema/ledger.ts'
import { recordEvent } from '../provider/record-event.ts'
import { pause, resume } from './control.ts'
import { resendEdition } from './resend.ts'
import { summaryOf } from './show.ts'
import { openSubmitter } from './submit.ts'

const ID = '2026-11-23'
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const PERMANENT = { bounce: { type: 'Permanent', subType: 'General', message: 'no' } }

/** An edition that is planned for so many readers, whose first wave is out. */
async function waved(readers: number, settings: Record<string, string> = { RESEND_WEBHOOK_SECRET: SECRET }) {
  const app = await testApp({ settings, file: true })
  aSession(app)
  manySubscribers(app, readers)
  await planNow(app)
  await submitOwed(app)
  return app
}

async function tell(app: TestApp, type: string, from: number, to: number, extra = {}): Promise<void> {
  for (const email of app.resend.accepted.slice(from, to)) {
    const event = webhookEvent(type, email, app.now().getTime(), extra)
    await recordEvent(app, { svixId: randomUUID(), event })
  }
}

const sent = (app: TestApp) => app.resend.accepted.length
const pass = (app: TestApp) => passFirstWaves(app.store, app.now())

/** What a worker does when it looks: let the rest go if it may, and submit what is owed. */
async function look(app: TestApp): Promise<number> {
  await pass(app)
  await submitOwed(app)
  return sent(app)
}

test('twenty go first, and the rest once half of them were reported', async () => {
  const app = await waved(45)
  expect(await look(app)).toBe(20)
  await tell(app, 'email.sent', 0, 20)
  await tell(app, 'email.delivered', 0, 9)
  expect(await look(app)).toBe(20)
  expect((await summaryOf(app, ID))?.firstWave).toEqual({
    ...{ submitted: 20, reported: 9, waiting: 0, passedAt: null, until: '2026-11-23T15:10:00.000Z' },
  })
  await tell(app, 'email.delivered', 9, 10)
  expect(await look(app)).toBe(45)
  expect((await summaryOf(app, ID))?.firstWave).toMatchObject({ passedAt: '2026-11-23T15:00:00.000Z' })
})

test('the rest goes after ten minutes without a report, also after a restart', async () => {
  const app = await waved(30)
  app.setNow('2026-11-23T15:09:59.999Z')
  expect(await look(app)).toBe(20)
  const restarted = await app.sibling()
  app.setNow('2026-11-23T15:10:00.000Z')
  expect(await passFirstWaves(restarted.store, restarted.now())).toEqual([ID])
  await submitOwed(restarted)
  expect(sent(app)).toBe(30)
})

test('of two workers that look at once one lets the rest go, and nobody is emailed twice', async () => {
  const app = await waved(50)
  await tell(app, 'email.delivered', 0, 20)
  const other = await app.sibling()
  const passed = await Promise.all([pass(app), passFirstWaves(other.store, other.now())])
  expect(passed.flat()).toEqual([ID])
  await Promise.all([submitOwed(app), submitOwed(other)])
  expect(new Set(app.resend.accepted.flatMap(({ to }) => to)).size).toBe(50)
  expect(sent(app)).toBe(50)
})

test('a batch behind the first wave cannot be claimed, whoever asks for it', async () => {
  const app = await waved(30)
  const last = app.db.select().from(batches).all().at(-1)
  expect(await openSubmitter(app).submit(last?.id ?? 0)).toMatchObject({ kind: 'not-ours' })
  expect(sent(app)).toBe(20)
})

test.each([
  { readers: 20, first: 20 },
  { readers: 21, first: 20 },
  { readers: 2_100, first: 40 },
])('of $readers readers $first go first', async ({ readers, first }) => {
  const app = await testApp({ settings: { RESEND_WEBHOOK_SECRET: SECRET } })
  aSession(app)
  manySubscribers(app, readers)
  await planNow(app)
  const { waveBatches } = (await findEdition(app.store, ID)) ?? {}
  const all = app.db.select().from(batches).all()
  const wave = all.filter(({ number }) => number <= (waveBatches ?? Number.MAX_SAFE_INTEGER))
  expect(wave.reduce((sum, { size }) => sum + size, 0)).toBe(first)
  expect(all.reduce((sum, { size }) => sum + size, 0)).toBe(readers)
  expect(waveBatches === null).toBe(readers === 20)
})

test.each([
  { name: 'no webhook is set up', settings: {} },
  { name: 'it is off', settings: { RESEND_WEBHOOK_SECRET: SECRET, FIRST_WAVE: 'off' } },
])('all go at once where $name', async ({ settings }) => {
  const app = await waved(45, settings)
  expect(sent(app)).toBe(45)
  expect((await summaryOf(app, ID))?.firstWave).toBeUndefined()
})

test('one complaint in the first wave pauses the edition, and resuming lets the rest go without another wait', async () => {
  const app = await waved(30)
  await tell(app, 'email.complained', 3, 4)
  const paused = await findEdition(app.store, ID)
  expect(paused).toMatchObject({
    state: 'paused',
    pauseReason: 'circuit breaker: 1 of the first 20 emails was marked as spam',
  })
  app.setNow('2026-11-23T15:20:00.000Z')
  expect(await look(app)).toBe(20)
  await resume(app, ID)
  expect(await look(app)).toBe(30)
})

test('three permanent bounces pause it, and two or passing ones do not', async () => {
  const app = await waved(30)
  await tell(app, 'email.bounced', 0, 5, {
    bounce: { type: 'Transient', subType: 'MailboxFull', message: 'full' },
  })
  await tell(app, 'email.bounced', 5, 7, PERMANENT)
  expect((await findEdition(app.store, ID))?.state).toBe('submitting')
  await tell(app, 'email.bounced', 7, 8, PERMANENT)
  expect(await findEdition(app.store, ID)).toMatchObject({
    pauseReason: 'circuit breaker: 3 of the first 20 emails bounced permanently',
  })
})

test('after the first wave the percentages count as before', async () => {
  const app = await waved(45)
  await tell(app, 'email.delivered', 0, 10)
  await look(app)
  await tell(app, 'email.complained', 20, 21)
  expect((await findEdition(app.store, ID))?.state).not.toBe('paused')
})

test('a pause by hand in between leaves the first wave to be judged after it', async () => {
  const app = await waved(30)
  await pause(app, ID, 'a wrong hour')
  app.setNow('2026-11-23T15:05:00.000Z')
  expect(await look(app)).toBe(20)
  await resume(app, ID)
  expect(await look(app)).toBe(20)
  await tell(app, 'email.delivered', 0, 10)
  expect(await look(app)).toBe(30)
})

test('a resend has no first wave', async () => {
  const app = await waved(30)
  await tell(app, 'email.delivered', 0, 10)
  await look(app)
  expect(await resendEdition(app, ID, { kind: 'all' })).toMatchObject({ kind: 'planned', recipients: 30 })
  await submitOwed(app)
  expect(sent(app)).toBe(60)
})

test('a first wave whose requests are refused waits until they went through', async () => {
  const app = await testApp({ settings: { RESEND_WEBHOOK_SECRET: SECRET } })
  aSession(app)
  manySubscribers(app, 30)
  await planNow(app)
  expect(await pass(app)).toEqual([])
  expect((await summaryOf(app, ID))?.firstWave).toMatchObject({ submitted: 0, waiting: 20, until: null })
  await submitOwed(app)
  expect(sent(app)).toBe(20)
})
