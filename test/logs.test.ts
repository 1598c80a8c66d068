import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from '@jest/globals'
import { findEdition, tallyOf } from '../src/db/ledger/editions.ts'
import { stampFor } from '../src/http/public/join/form.ts'
import { startServer } from '../src/http/server.ts'
import { openLog } from '../src/log.ts'
import { findProgram, redisServer } from '../src/machine/find-program.ts'
import { startPrivateRedis } from '../src/redis/private-redis.ts'
import { startWorker } from '../src/worker.ts'
import { afterTest, aSession, aSubscriber, eventually, type TestApp, testApp } from './app.ts'
import { onPostgres } from './db.ts'
import { signedWebhook } from './resend/webhooks.ts'

const ID = '2026-11-23'
const READERS = 450
const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
/** Appears in no word that the program itself would log. */
const NAME = 'Quillonia'
const STRANGER = `stranger-${randomUUID()}`

test('the log of an edition in which everything goes wrong names no one', async () => {
  const app = await anInstallation()
  const server = await startServer(app)
  afterTest(() => server.close())
  const worker = await startWorker(app, { scheduled: true, guardEveryMs: 200 })
  afterTest(() => worker.stop())

  await provoke(app)
  app.setNow('2026-11-23T14:01:00Z')
  await app.queue.wakeSweep()
  await visit(server.address, app)
  await eventually(async () => {
    app.setNow(new Date(app.now().getTime() + 60_000).toISOString()) // past every wait for a next attempt
    await app.queue.wakeSweep()
    return (await findEdition(app.store, ID))?.state === 'submitted'
  }, 25_000)
  await report(server.address, app)
  await breakQueries(server.address, app)

  expect(await tallyOf(app.store, ID)).toMatchObject({ submitted: READERS - 3, failed: 3 })
  const text = app.logged()
  const told = withoutPlaces(text).toLowerCase()
  expect(told).not.toMatch(/@|%40|reader-\d|sample\.test/)
  expect(told).not.toContain(NAME.toLowerCase())
  expect(told).not.toContain(STRANGER)
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const linesOf = (message: string) => lines.filter(({ msg }) => String(msg).startsWith(message))
  // The clock runs so fast that a batch may be taken over from a living worker; both workers log it.
  expect(new Set(linesOf('batch submitted').map(({ batch }) => batch))).toEqual(new Set([1, 2, 3, 4, 5]))
  for (const line of [...linesOf('batch submitted'), ...linesOf('no certain answer')])
    expect(line).toMatchObject({ edition: ID, batch: expect.any(Number), attempt: expect.any(Number) })
  expect(linesOf('no certain answer').length).toBeGreaterThan(0)
  expect(linesOf('a request failed').length).toBeGreaterThan(0)
  expect(linesOf('a webhook was refused')).toHaveLength(1)
}, 60_000)

/** What a log says without the names of this checkout and machine, which may hold anything. */
function withoutPlaces(text: string): string {
  const checkout = join(import.meta.dirname, '..')
  const places = [checkout, pathToFileURL(checkout).pathname, tmpdir(), hostname()]
  const written = places.map((place) => JSON.stringify(place).slice(1, -1))
  return written.reduce((rest, place) => rest.replaceAll(place, ''), text)
}

test('an unreachable Redis is logged once, then counted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'openseat-logs-'))
  const quiet = { info: () => {}, warn: () => {} }
  const start = () => startPrivateRedis({ folder, binary: findProgram(redisServer), log: quiet })
  let redis = await start()
  const parent = await testApp({ file: true })
  afterTest(async () => {
    await redis.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  const written: string[] = []
  const log = openLog('info', { write: (line) => void written.push(line) }, 1_000)
  const app = await parent.sibling({ redis: redis.connection, log })
  await redis.close()
  await Promise.all(Array.from({ length: 50 }, () => app.queue.wakeSweep()))
  const warnings = () => written.map((line) => JSON.parse(line)).filter(({ level }) => level >= 40)
  const counted = () => warnings().reduce((sum, { repeated = 1 }) => sum + repeated, 0)
  await eventually(() => counted() >= 50)
  expect(new Set(warnings().map(({ msg }) => msg))).toEqual(
    new Set(['Redis is away; the next sweep enqueues again what is owed']),
  )
  expect(warnings().length).toBeLessThan(12) // one a second
  redis = await start() // a connection that is away does not close in time
  await eventually(async () => (await app.queue.backlog()) !== null)
}, 60_000)

async function anInstallation(): Promise<TestApp> {
  const refuseAddress = (address: string) =>
    /reader-(7|77|177)@/.test(address) ? `Invalid \`to\` field: ${NAME} <${address}>` : null
  const settings = { PORT: '0', RESEND_WEBHOOK_SECRET: WEBHOOK_SECRET, FIRST_WAVE: 'off', LOG_LEVEL: 'trace' }
  const app = await testApp({
    at: '2026-11-22T15:00:00.000Z',
    file: true,
    settings,
    resend: { refuseAddress },
    requestTimeoutMs: 400,
  })
  aSession(app)
  app.db.$client.transaction(() => {
    for (let n = 0; n < READERS; n += 1) aSubscriber(app, `reader-${n}@sample.test`, { name: `${NAME} ${n}` })
  })()
  return app
}

/** Answers that are wrong, late, lost, or contain the recipient's address. */
async function provoke({ resend }: TestApp): Promise<void> {
  resend.inject({ kind: 'status', status: 500, message: 'Failed for <reader-1@sample.test>' })
  resend.inject({ kind: 'status', status: 503, message: 'mailto:reader-2%40sample.test' })
  resend.inject({ kind: 'reset-after-accept' })
  resend.inject({ kind: 'late', ms: 900 })
  resend.inject({ kind: 'html-502' })
  resend.inject({ kind: 'rate-limit', ms: 100 })
  resend.inject({ kind: 'status-after-accept', status: 500, message: 'reader-1@sample.test is odd' })
}

/** Someone signs up, first with errors, then correctly. Someone else unsubscribes with their mail client's button. */
async function visit(address: string, app: TestApp): Promise<void> {
  expect((await signUp(address, app, `${STRANGER}@`)).status).toBe(400)
  expect((await signUp(address, app, `${STRANGER}@sample.test`)).status).toBe(200)
  await fetch(`${address}/?email=${STRANGER}@sample.test&name=${NAME}`)
  await fetch(`${address}/unsubscribe/${STRANGER}@sample.test`)
  const leave = () =>
    app.resend.accepted.find(({ headers }) => headers['List-Unsubscribe'])?.headers['List-Unsubscribe']
  await eventually(() => leave() !== undefined)
  const { pathname } = new URL(leave()?.slice(1, -1) ?? '')
  const body = new URLSearchParams({ 'List-Unsubscribe': 'One-Click' })
  expect((await fetch(`${address}${pathname}`, { method: 'POST', body })).status).toBe(200)
}

function signUp(address: string, app: TestApp, email: string) {
  const stamp = stampFor(app.config.LINK_SECRET, new Date(app.now().getTime() - 60_000))
  const body = new URLSearchParams({ email, name: NAME, tz: 'America/Chicago', stamp })
  return fetch(`${address}/subscribe`, { method: 'POST', body, redirect: 'manual' })
}

async function report(address: string, app: TestApp): Promise<void> {
  const send = (secret: string, type: string, n: number, extra: Record<string, unknown> = {}) => {
    const email = app.resend.accepted[n]
    if (!email) throw new Error(`no mail ${n}`)
    const { headers, body } = signedWebhook(secret, app.resend.webhookEvent(type, email, extra))
    return fetch(`${address}/webhooks/resend`, { method: 'POST', headers, body })
  }
  const message = `550 5.1.1 <reader-9@sample.test> ${NAME}: user unknown`
  await send(WEBHOOK_SECRET, 'email.delivered', 20)
  await send(WEBHOOK_SECRET, 'email.bounced', 21, {
    bounce: { type: 'Permanent', subType: 'General', message },
  })
  await send(WEBHOOK_SECRET, 'email.complained', 22)
  for (const n of [23, 24, 25]) await send(`whsec_${'A'.repeat(32)}`, 'email.complained', n)
}

/** The database fails while it is asked about people. */
async function breakQueries(address: string, app: TestApp): Promise<void> {
  app.db.$client.exec(
    onPostgres
      ? 'alter table subscribers add constraint broken check (false) not valid'
      : "create trigger broken before insert on subscribers begin select raise(abort, 'broken'); end",
  )
  expect((await signUp(address, app, `2-${STRANGER}@sample.test`)).status).toBe(500)
}
