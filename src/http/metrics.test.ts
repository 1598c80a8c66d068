import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, test } from '@jest/globals'
import {
  afterTest,
  aSession,
  eventually,
  manySubscribers,
  planNow,
  submitOwed,
  testApp,
} from '../../test/app.ts'
import { realProgram } from '../../test/cli.ts'
import { signedWebhook } from '../../test/resend/webhooks.ts'
import { pause } from '../actions/editions/control.ts'
import { recordStart } from '../actions/editions/sweep.ts'
import type { App } from '../app.ts'
import { installation } from '../db/schema/installation.ts'
import { suppressions } from '../db/schema/people.ts'
import { openSqlite } from '../db/sqlite/open.ts'
import { findProgram, redisServer } from '../machine/find-program.ts'
import { startPrivateRedis } from '../redis/private-redis.ts'
import { startWorker } from '../worker.ts'
import { buildServer, startServer, startWatchServer } from './server.ts'

const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const TOKEN = 'a-token-for-the-metrics'

test('an edition can be watched from its slot to its last batch', async () => {
  const app = await testApp({ at: '2026-11-22T15:00:00Z' })
  await recordStart(app)
  aSession(app)
  manySubscribers(app, 250)
  expect(await read(app)).toMatchObject({
    'openseat_editions{state="submitted"}': 0,
    'openseat_deliveries{state="unknown"}': 0,
    openseat_late_seconds: 0,
    openseat_held: 0,
    openseat_next_slot_timestamp_seconds: Date.parse('2026-11-23T14:00:00Z') / 1000,
  })
  expect(await read(app)).not.toHaveProperty('openseat_last_edition_age_seconds')

  app.setNow('2026-11-23T15:00:00Z')
  expect(await read(app)).toMatchObject({ openseat_late_seconds: 3600 })
  await planNow(app)
  expect(await read(app)).toMatchObject({
    openseat_late_seconds: 3600,
    openseat_last_edition_age_seconds: 3600,
    openseat_batches_owed: 3,
    'openseat_last_edition_deliveries{state="waiting"}': 250,
  })
  app.resend.inject({ kind: 'rate-limit', ms: 5_000 })
  await submitOwed(app)
  app.setNow('2026-11-23T15:00:10Z')
  await submitOwed(app)
  expect(await read(app)).toMatchObject({
    openseat_late_seconds: 0,
    openseat_batches_owed: 0,
    'openseat_editions{state="submitted"}': 1,
    'openseat_deliveries{state="submitted"}': 250,
    'openseat_submit_seconds_count{answer="accepted"}': 3,
    'openseat_submit_seconds_count{answer="rate-limited"}': 1,
    'openseat_part_ready{part="database"}': 1,
    'openseat_batch_jobs{state="waiting"}': 0,
  })
})

test('counts provider reports, the readers they cost, and what waits for an operator', async () => {
  const app = await testApp({
    settings: { RESEND_WEBHOOK_SECRET: WEBHOOK_SECRET, FIRST_WAVE: 'off', BREAKER_MIN_SUBMITTED: '10' },
  })
  aSession(app)
  manySubscribers(app, 120)
  const id = await planNow(app)
  await submitOwed(app)
  const server = await buildServer(app)
  const report = async (type: string, n: number, extra = {}) => {
    const email = app.resend.accepted[n]
    if (!email) throw new Error(`no mail ${n}`)
    const { headers, body } = signedWebhook(WEBHOOK_SECRET, app.resend.webhookEvent(type, email, extra))
    return server.inject({ method: 'POST', url: '/webhooks/resend', headers, payload: body })
  }
  for (const n of [0, 1, 2]) await report('email.delivered', n)
  await report('email.bounced', 3, {
    bounce: { type: 'Permanent', subType: 'General', message: 'no such user' },
  })
  await report('domain.updated', 4)
  await server.inject({ method: 'POST', url: '/webhooks/resend', payload: '{}' })
  app.setNow('2026-11-23T15:01:40Z')
  expect(await read(app)).toMatchObject({
    'openseat_webhooks_total{type="email.delivered"}': 3,
    'openseat_webhooks_total{type="email.bounced"}': 1,
    'openseat_webhooks_total{type="other"}': 1,
    'openseat_webhooks_total{type="forged"}': 1,
    'openseat_suppressions{reason="bounce"}': 1,
    openseat_last_report_age_seconds: 100,
  })
  app.setNow('2026-11-30T15:00:00Z')
  aSession(app, { group: 'Loose Ends' })
  await planNow(app)
  await pause(app, '2026-11-30', 'circuit breaker: 6 of 100 emails bounced')
  expect(await read(app)).toMatchObject({
    'openseat_editions_paused{cause="breaker"}': 1,
    'openseat_editions{state="paused"}': 1,
    'openseat_part_ready{part="held"}': 1,
  })
  const held = JSON.stringify({ reason: 'older', since: 0, knownThrough: null })
  app.db.insert(installation).values({ name: 'held', value: held }).run()
  expect(await read(app)).toMatchObject({ openseat_held: 1, 'openseat_part_ready{part="held"}': 0 })
  expect(id).toBe('2026-11-23')
})

test('what cannot be read is left out, and a metric names the missing part', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'openseat-metrics-'))
  const log = { info: () => {}, warn: () => {} }
  const start = () => startPrivateRedis({ folder, binary: findProgram(redisServer), log })
  let redis = await start()
  const parent = await testApp({ file: true })
  afterTest(async () => {
    await redis.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  const app = await parent.sibling({ redis: redis.connection })
  await redis.close()
  const withoutRedis = await read(app)
  expect(withoutRedis).toMatchObject({ 'openseat_part_ready{part="redis"}': 0, openseat_batches_owed: 0 })
  expect(Object.keys(withoutRedis).join()).not.toMatch(/_jobs|rate_limit|workers/)

  const closed = openSqlite(':memory:')
  await closed.close()
  const withoutBoth = await read({ ...app, store: closed })
  expect(withoutBoth).toMatchObject({ 'openseat_part_ready{part="database"}': 0 })
  expect(Object.keys(withoutBoth).join()).not.toMatch(/editions|deliveries|late|owed/)
  redis = await start() // a connection that is away does not close in time
  await eventually(async () => (await app.queue.backlog()) !== null)
})

test('no label names a person, and the names of labels are few', async () => {
  const app = await testApp()
  aSession(app)
  manySubscribers(app, 5)
  app.db
    .insert(suppressions)
    .values({ emailHash: 'x'.repeat(64), reason: 'operator', createdAt: 0 })
    .run()
  await planNow(app)
  await submitOwed(app)
  const { body } = await (await buildServer(app)).inject('/metrics')
  expect(body).not.toMatch(/@|sample|x{9}|2026-/)
  const labels = new Set([...body.matchAll(/[{,](\w+)="/g)].map(([, name = '']) => name))
  expect([...labels].sort()).toEqual(['answer', 'cause', 'le', 'part', 'quantile', 'reason', 'state'])
  expect(body.length).toBeLessThan(20_000)
})

test('without a token only a program on this machine may read, and never through a proxy', async () => {
  const app = await testApp()
  const server = await buildServer(app)
  const status = async (headers: Record<string, string>, remoteAddress = '127.0.0.1') =>
    (await server.inject({ url: '/metrics', headers, remoteAddress })).statusCode
  expect(await status({ host: '127.0.0.1:3000' })).toBe(200)
  expect(await status({ host: 'localhost:3000' }, '::1')).toBe(200)
  expect(await status({ host: '127.0.0.1:3000' }, '10.0.0.7')).toBe(404)
  expect(await status({ host: 'groups.harbor.test' })).toBe(404)
  for (const name of ['X-Forwarded-For', 'Forwarded', 'Via', 'X-Real-IP'])
    expect(await status({ host: '127.0.0.1:3000', [name]: '127.0.0.1' })).toBe(404)
})

test('with a token set, only requests that carry it may read', async () => {
  const app = await testApp({ settings: { METRICS_TOKEN: TOKEN } })
  const server = await buildServer(app)
  const status = async (headers: Record<string, string>) =>
    (await server.inject({ url: '/metrics', headers: { host: '127.0.0.1:3000', ...headers } })).statusCode
  expect(await status({ authorization: `Bearer ${TOKEN}`, 'x-forwarded-for': '198.51.100.7' })).toBe(200)
  for (const authorization of ['', 'Bearer ', `Bearer ${TOKEN}x`, `Basic ${TOKEN}`])
    expect(await status({ authorization })).toBe(404)
})

test('a proxy that only speaks HTTP/1.0 is not mistaken for a local program', async () => {
  const app = await testApp({ settings: { PORT: '0' } })
  const server = await startServer(app)
  afterTest(() => server.close())
  const { hostname, port, host } = new URL(server.address)
  const ask = async (version: string) => {
    const socket = connect(Number(port), hostname)
    socket.write(`GET /metrics HTTP/${version}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
    return (await text(socket)).split(' ')[1]
  }
  expect(await ask('1.1')).toBe('200')
  expect(await ask('1.0')).toBe('404')
})

test('a worker without pages serves its own metrics, including what the web process cannot know', async () => {
  const app = await testApp({ at: '2026-11-23T13:59:00Z', resend: { requestsPerSecond: 7 } })
  aSession(app)
  manySubscribers(app, 30)
  const worker = await startWorker(app, { scheduled: false })
  afterTest(() => worker.stop())
  const server = await startWatchServer(app, 0)
  afterTest(() => server.close())
  await planNow(app)
  await submitOwed(app)
  let metrics = ''
  // The worker may be the one that submits.
  await eventually(async () => {
    metrics = await (await fetch(`${server.address}/metrics`)).text()
    return /^openseat_submit_seconds_count\{answer="accepted"\} [1-9]/m.test(metrics)
  })
  expect(metrics).toMatch(/^openseat_rate_limit_per_second 7$/m)
  expect(metrics).toMatch(/^openseat_workers 1$/m)
  expect(metrics).toMatch(/^openseat_event_loop_delay_seconds\{quantile="0.99"\} \d/m)
  expect((await fetch(`${server.address}/readyz`)).status).toBe(200)
  expect((await fetch(`${server.address}/sessions`)).status).toBe(404)
})

test('the worker command answers on METRICS_PORT', async () => {
  const program = await realProgram()
  afterTest(() => program.close())
  const { output } = program.start(['worker'], { settings: { METRICS_PORT: '0', METRICS_TOKEN: TOKEN } })
  const address = () => /"address":"(http[^"]+)","msg":"serving metrics"/.exec(output.err)?.[1]
  await eventually(() => address() !== undefined, 25_000)
  expect((await fetch(`${address()}/metrics`)).status).toBe(404)
  const headers = { authorization: `Bearer ${TOKEN}` }
  expect(await (await fetch(`${address()}/metrics`, { headers })).text()).toContain('openseat_late_seconds 0')
})

test('every metric that an alert or the dashboard asks for is there', async () => {
  const app = await testApp()
  const { body } = await (await buildServer(app)).inject('/metrics')
  const there = new Set([...body.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name))
  for (const file of ['alerts.yml', 'dashboard.json']) {
    const source = readFileSync(join(import.meta.dirname, '../../docs/operating', file), 'utf8')
    const asked = [...source.matchAll(/\b((?:openseat|process)_[a-z_]+?)(_bucket|_count|_sum)?\b/g)].map(
      ([, name]) => name ?? '',
    )
    expect(asked.length).toBeGreaterThan(5)
    expect(asked.filter((name) => !there.has(name))).toEqual([])
  }
})

test('every alert is explained in docs/operating.md', () => {
  const docs = join(import.meta.dirname, '../../docs')
  const rules = readFileSync(join(docs, 'operating/alerts.yml'), 'utf8')
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name)
  const explained = readFileSync(join(docs, 'operating.md'), 'utf8')
  expect(alerts.filter((name) => !explained.includes(`\`${name}\``))).toEqual([])
  expect(new Set(alerts).size).toBeGreaterThan(10)
})

/** What `/metrics` says, by name and labels. */
async function read(app: App): Promise<Record<string, number>> {
  const server = await buildServer(app)
  const { statusCode, body } = await server.inject('/metrics')
  expect(statusCode).toBe(200)
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
  )
}
