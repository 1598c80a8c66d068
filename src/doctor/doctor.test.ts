import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import {
  afterTest,
  aSession,
  eventually,
  manySubscribers,
  planNow,
  submitOwed,
  type TestApp,
  testApp,
  testOnSqlite,
} from '../../test/app.ts'
import { onPostgres } from '../../test/db.ts'
import { aDomain } from '../../test/resend/domains.ts'
import { pause } from '../actions/editions/control.ts'
import { recordStart } from '../actions/editions/sweep.ts'
import { installation as installationFacts } from '../db/schema/installation.ts'
import { editions, providerEvents } from '../db/schema/ledger.ts'
import { findProgram, redisServer } from '../machine/find-program.ts'
import { openApp } from '../open-app.ts'
import type { Check } from '../resend/check.ts'
import { startWorker } from '../worker.ts'
import { examine } from './doctor.ts'
import { fileSystemCheck, roomCheck } from './machine.ts'

const WEBHOOK_SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const HELD = JSON.stringify({ reason: 'backup', since: 0, knownThrough: null })
/** Where nobody answers, which is found out at once. */
const PUBLIC_URL = 'https://127.0.0.1:1'
const AN_HOUR_LATER = '2026-11-23T16:30:00Z'

test('a healthy installation has nothing to fix', async () => {
  const app = await installation({ RESEND_WEBHOOK_SECRET: WEBHOOK_SECRET, FIRST_WAVE: 'off' })
  await mailed(app, 30)
  app.db
    .insert(providerEvents)
    .values({ svixId: 'msg_1', type: 'email.delivered', at: 0, receivedAt: app.now().getTime() })
    .run()
  app.setNow(AN_HOUR_LATER)
  const lines = await linesFor(app)
  // The clock of the test is not the one on the wall.
  expect(lines.filter((line) => /^fail (?!clock)/.test(line))).toEqual([])
  expect(lines).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^ok database: .* is sound \(migration \d+\)$/),
      'ok last edition: 2026-11-23 is submitted: 30 submitted, 0 failed, 0 unknown, 0 waiting',
      'ok reports: Resend has reported about 2026-11-23',
      ...(onPostgres ? [] : [expect.stringMatching(/^ok disk: /)]),
      'ok Resend plan: 50,000 emails a month are enough for 30 readers',
      expect.stringMatching(/^ok Redis: a private one .*; no worker running now$/),
      'ok mail domain: mail.harbor.test is verified',
      'ok webhook: its secret is set',
      expect.stringMatching(/^ok next edition: 2026-11-30, due Mon, Nov 30/),
    ]),
  )
})

test('a worker at work is seen', async () => {
  const app = await installation()
  const real = await openApp(app.config, { log: app.log, now: app.now })
  const worker = await startWorker(real, { scheduled: false })
  await eventually(async () => (await linesFor(app)).some((line) => /^ok Redis: .*; 1 at work$/.test(line)))
  await worker.stop()
  await real.close()
})

test('a slot that nobody planned is reported, and differently once it is too late', async () => {
  const app = await installation({ DIGEST_CATCH_UP_HOURS: '10' }, '2026-11-22T15:00:00Z')
  await recordStart(app)
  app.setNow('2026-11-23T14:10:00Z')
  expect(await about(app, 'slot')).toEqual([])
  app.setNow('2026-11-23T17:00:00Z')
  expect(await about(app, 'slot')).toEqual([
    'warn slot: 2026-11-23 was due 3 hours ago and nothing has planned it: no worker is running | openseat start',
  ])
  app.setNow('2026-11-24T17:00:00Z')
  expect(await about(app, 'slot')).toEqual([
    expect.stringMatching(/was due 1 day ago and was missed \| .*openseat edition send$/),
  ])
})

test('an edition that does not go on is reported, with why', async () => {
  const app = await installation()
  await recordStart(app)
  manySubscribers(app, 150)
  app.setNow('2026-11-23T15:00:00Z')
  const id = await planNow(app)
  expect(await about(app, 'unfinished')).toEqual([
    'warn unfinished: 2026-11-23 is submitting and no worker is running | openseat start',
  ])
  await pause(app, id, 'a look first')
  app.setNow('2026-11-30T13:00:00Z')
  expect(await about(app, 'unfinished')).toEqual([
    'warn unfinished: 2026-11-23 is paused: a look first | Fix the reason, then: openseat edition resume 2026-11-23',
  ])
})

test('an installation that is held is reported, to look at and release', async () => {
  const app = await installation()
  app.db.insert(installationFacts).values({ name: 'held', value: HELD }).run()
  expect(await about(app, 'held')).toEqual([
    expect.stringMatching(
      /^fail held: nothing goes out, .* a backup was put in its place.* \| .*openseat release$/,
    ),
  ])
})

test('mail that failed, and too much that came back, is reported', async () => {
  const refuse = (address: string) => (address === 'reader-3@sample.test' ? 'No such user.' : null)
  const app = await installation({ BREAKER_MIN_SUBMITTED: '10' }, undefined, refuse)
  await mailed(app, 20)
  app.db.update(editions).set({ bounced: 5 }).run()
  expect(await about(app, 'last edition')).toEqual([
    expect.stringMatching(/^warn .*19 submitted, 1 failed.*openseat edition show/),
  ])
  expect(await about(app, 'bounces')).toEqual([
    expect.stringMatching(/^warn .*5 of 19 emails bounced permanently/),
  ])
})

test('webhooks that never arrive are reported an hour after an edition', async () => {
  const app = await installation({ RESEND_WEBHOOK_SECRET: WEBHOOK_SECRET, FIRST_WAVE: 'off' })
  await mailed(app, 30)
  expect(await about(app, 'reports')).toEqual([])
  app.setNow(AN_HOUR_LATER)
  expect(await about(app, 'reports')).toEqual([
    expect.stringMatching(
      /^warn reports: Resend has reported nothing about 2026-11-23, submitted 2 hours ago: .*127\.0\.0\.1:1\/webhooks\/resend/,
    ),
  ])
})

test('settings that suit a trial only are reported', async () => {
  const app = await installation()
  expect(await about(app, 'settings')).toEqual([
    expect.stringMatching(/^warn settings: email goes to http:\/\/127.* \| Unless/),
  ])
  const { RESEND_BASE_URL: _local, ...config } = app.config
  const checks = await examine({ ...config, MAIL_FROM: 'a@resend.dev' }, app)
  expect(checks[0]).toMatchObject({ status: 'warn', detail: expect.stringContaining('NODE_ENV is test') })
  expect(await about(app, 'webhook')).toEqual([
    expect.stringMatching(/^warn webhook: RESEND_WEBHOOK_SECRET is not set.* \| Add a webhook/),
  ])
})

test('a trial on this machine has nothing to fix, unless it is in production or sends for real', async () => {
  const web = createServer((_request, response) => response.end('{"status":"ok"}')).listen(0, '127.0.0.1')
  await once(web, 'listening')
  afterTest(async () => void web.close())
  const app = await installation()
  const trial = { ...app.config, PUBLIC_URL: `http://127.0.0.1:${(web.address() as AddressInfo).port}` }
  const told = async (config: typeof trial) =>
    (await examine(config, app))
      .map(asLine)
      .filter((line) => /^\w+ (settings|public address):/.test(line))
      .map((line) => line.replace(/http:\S+\d/, 'HERE'))
  expect(await told(trial)).toEqual([
    expect.stringMatching(/^ok settings: a trial on this machine: email goes to HERE, not to Resend/),
    'ok public address: HERE answers, on this machine only',
  ])
  for (const real of [
    { ...trial, NODE_ENV: 'production' as const },
    { ...trial, RESEND_BASE_URL: 'http://proxy.test' },
  ])
    expect(await told(real)).toEqual([
      expect.stringMatching(/^warn settings: email goes to/),
      expect.stringMatching(/^warn public address: HERE is not https/),
    ])
})

test('an installation with nothing to report says so', async () => {
  const app = await testApp({ file: true, settings: { PUBLIC_URL } })
  expect(await about(app, 'sessions')).toEqual([
    expect.stringMatching(/^warn sessions: no bookable session.* \| Add some/),
  ])
  expect(await about(app, 'last edition')).toEqual(['ok last edition: none yet'])
})

testOnSqlite('a database that is damaged, or of another installation, is reported', async () => {
  const app = await installation()
  const other = { ...app.config, LINK_SECRET: ['another secret that is long enough for it'] }
  expect((await examine(other, app)).map(asLine)).toContainEqual(
    expect.stringMatching(/^fail database: LINK_SECRET is not .*LINK_SECRET is the one it was made with/),
  )
  const folder = scratch()
  const DATABASE_PATH = join(folder, 'openseat.db')
  writeFileSync(DATABASE_PATH, 'no database at all, though as long as one would be'.repeat(100))
  expect((await examine({ ...app.config, DATABASE_PATH }, app)).map(asLine)).toContainEqual(
    expect.stringMatching(/^fail database: .*not a database/),
  )
  const fresh = { ...app.config, DATABASE_PATH: join(folder, 'deep/er/openseat.db') }
  expect((await examine(fresh, app)).map(asLine)).toContainEqual(
    expect.stringMatching(/^ok database: .*the first start creates it/),
  )
})

testOnSqlite('a list that other users of the machine can read is reported', async () => {
  const app = await installation()
  chmodSync(dirname(app.config.DATABASE_PATH), 0o755)
  chmodSync(app.config.DATABASE_PATH, 0o644)
  expect(await about(app, 'rights')).toEqual([
    expect.stringMatching(/^warn rights: .* can be read by other users .* \| .*chmod 700 /),
  ])
  chmodSync(dirname(app.config.DATABASE_PATH), 0o700)
  expect(await about(app, 'rights')).toEqual([])
})

test('a disk that fills up is reported before it is full', () => {
  const state = (mb: number) => roomCheck(mb * 1024 ** 2, '/var/lib/openseat').status
  expect([state(5000), state(900), state(100)]).toEqual(['ok', 'warn', 'fail'])
  expect(asLine(roomCheck(0, '/data'))).toBe(
    'fail disk: 0.0 GB free in /data | Free some space: if the disk is full, no email is sent.',
  )
})

test('a network file system is reported, a disk of this machine is not', () => {
  expect(fileSystemCheck(0x6969, '/mnt/nas').map(asLine)).toEqual([
    expect.stringMatching(/^fail file system: \/mnt\/nas is on a network file system \(NFS\).* \| Move/),
  ])
  // Node gives the number as it is in C, where it may have a sign.
  expect(fileSystemCheck(0xff534d42 | 0, '/mnt/share')).toHaveLength(1)
  expect(fileSystemCheck(0xef53, '/var/lib')).toEqual([])
})

test('a Redis that evicts, and one that is not there, are reported', async () => {
  const app = await installation()
  const REDIS_URL = await evictingRedis()
  const line = (await examine({ ...app.config, REDIS_URL }, app)).map(asLine)
  expect(line).toContainEqual(
    expect.stringMatching(/^fail Redis: .*maxmemory-policy is allkeys-lru\. Set maxmemory-policy noeviction/),
  )
  const nowhere = (await examine({ ...app.config, REDIS_URL: 'redis://127.0.0.1:1' }, app)).map(asLine)
  expect(nowhere).toContainEqual(
    expect.stringMatching(/^fail Redis: .* refused the connection: start Redis there/),
  )
})

test('what the world can reach is looked at: metrics for anyone, pages without https', async () => {
  const web = createServer((_request, response) => response.end('openseat_held 0')).listen(0, '0.0.0.0')
  await once(web, 'listening')
  afterTest(async () => void web.close())
  const app = await installation()
  const OPEN = `http://0.0.0.0:${(web.address() as AddressInfo).port}`
  const lines = (await examine({ ...app.config, PUBLIC_URL: OPEN }, app)).map(asLine)
  expect(lines).toContainEqual(
    expect.stringMatching(/^warn metrics: anyone can read .* \| Set METRICS_TOKEN/),
  )
  expect(lines).toContainEqual(expect.stringMatching(/^warn public address: .* is not https/))
  expect(await about(app, 'public address')).toEqual([expect.stringMatching(/does not answer from here/)])
})

/** An installation of its own, with one session, whose database is a file. */
async function installation(
  settings: Record<string, string> = {},
  at?: string,
  refuse?: (address: string) => string | null,
): Promise<TestApp> {
  const resend = { domains: [aDomain('mail.harbor.test')], refuseAddress: refuse }
  const app = await testApp({
    file: true,
    settings: { PUBLIC_URL, ...settings },
    resend,
    ...(at ? { at } : {}),
  })
  aSession(app)
  return app
}

async function mailed(app: TestApp, readers: number): Promise<void> {
  manySubscribers(app, readers)
  await planNow(app)
  await submitOwed(app)
}

const linesFor = async (app: TestApp): Promise<string[]> => (await examine(app.config, app)).map(asLine)
const about = async (app: TestApp, name: string): Promise<string[]> =>
  (await linesFor(app)).filter((line) => line.split(' ').slice(1).join(' ').startsWith(`${name}:`))
const asLine = ({ status, name, detail, fix }: Check) =>
  `${status} ${name}: ${detail}${fix ? ` | ${fix}` : ''}`

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'openseat-doctor-'))
  afterTest(async () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  return folder
}

/** A Redis on a port of its own that throws away keys when it is full; returns its address. */
async function evictingRedis(): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  await once(probe.close(), 'close')
  const flags = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--maxmemory',
    '100mb',
    '--maxmemory-policy',
    'allkeys-lru',
  ]
  const server = spawn(findProgram(redisServer), flags, { cwd: scratch(), stdio: 'ignore' })
  afterTest(async () => {
    const exited = once(server, 'exit')
    server.kill()
    await exited
  })
  const redis = new Redis({ port, retryStrategy: () => 20, maxRetriesPerRequest: null })
  redis.on('error', () => {})
  await redis.ping()
  redis.disconnect()
  return `redis://127.0.0.1:${port}`
}
