import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { Redis, type RedisOptions } from 'ioredis'
import { checkRedis, explainRedisError } from './check.ts'

const password = 'open sesame/ada'
const secret = encodeURIComponent(password)
let folder: string
let port: number
let tlsPort: number
let closedPort: number
let stopServer: () => Promise<void>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'openseat-check-'))
  ;[port, tlsPort, closedPort] = await freePorts()
  const at = (name: string) => join(folder, name)
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost']
  spawnSync('openssl', [...request, '-keyout', at('key.pem'), '-out', at('cert.pem')])
  const options = { port, requirepass: password, 'tls-port': tlsPort, 'tls-cert-file': at('cert.pem') }
  const rest = {
    'tls-key-file': at('key.pem'),
    'tls-auth-clients': 'no',
    save: '',
    dir: folder,
    bind: '127.0.0.1',
  }
  const flags = Object.entries({ ...options, ...rest }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ])
  const server = spawn('redis-server', flags, { stdio: 'ignore' })
  stopServer = async () => {
    const exited = once(server, 'exit')
    server.kill()
    await exited
  }
  while ((await failureOf(`redis://:${secret}@127.0.0.1:${port}`)) !== undefined) await pause(20)
})

afterAll(async () => {
  await stopServer()
  rmSync(folder, { recursive: true, force: true })
})

async function freePorts(): Promise<[number, number, number]> {
  const servers = [createServer(), createServer(), createServer()]
  const ports: number[] = []
  for (const server of servers) {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    ports.push((server.address() as { port: number }).port)
  }
  for (const server of servers) await once(server.close(), 'close')
  return ports as [number, number, number]
}

const quiet = { lazyConnect: true, retryStrategy: () => null, connectTimeout: 1_000 } satisfies RedisOptions

/** What the client's `error` event says when it connects to `url` and stores a key. */
async function failureOf(url: string): Promise<unknown> {
  let failure: unknown
  const client = new Redis(url, quiet)
  client.on('error', (error) => (failure = error))
  try {
    await client.connect()
    await client.set('wake-up', 'edition')
  } catch (error) {
    failure ??= error
  } finally {
    if (client.status !== 'end') client.disconnect()
  }
  return failure
}

async function explained(url: string): Promise<string> {
  const sentence = explainRedisError(await failureOf(url), url)
  expect(sentence).toContain('REDIS_URL')
  expect(sentence).not.toContain('sesame')
  return sentence
}

async function withAdmin<T>(work: (admin: Redis) => Promise<T>): Promise<T> {
  const admin = new Redis(`redis://:${secret}@127.0.0.1:${port}`, { lazyConnect: true })
  try {
    await admin.connect()
    return await work(admin)
  } finally {
    await admin.config('SET', 'maxmemory', '0', 'maxmemory-policy', 'noeviction')
    admin.disconnect()
  }
}

/** The problems a user with these rights finds. */
const asUser = (rights: string[], settings: string[]) =>
  withAdmin(async (admin) => {
    await admin.config('SET', ...(settings as [string, string]))
    await admin.call('ACL', 'SETUSER', 'bea', 'reset', 'on', `>${password}`, '~*', ...rights)
    const client = new Redis(`redis://bea:${secret}@127.0.0.1:${port}`, { ...quiet, enableReadyCheck: false })
    try {
      await client.connect()
      return await checkRedis(client)
    } finally {
      if (client.status !== 'end') client.disconnect()
    }
  })

const evicting = ['maxmemory', '50mb', 'maxmemory-policy', 'allkeys-lru']

test('a well-configured server has no problems', async () => {
  expect(await withAdmin(checkRedis)).toEqual([])
})

test('a server that may evict queued work is a problem, and the fix names the policy', async () => {
  const [found, ...others] = await asUser(['+@all'], evicting)
  expect(found?.problem).toContain('allkeys-lru')
  expect(found?.fix).toContain('maxmemory-policy noeviction')
  expect(others).toEqual([])
})

test('an evicting policy without a memory limit can evict nothing', async () => {
  expect(await asUser(['+@all'], ['maxmemory-policy', 'allkeys-lru'])).toEqual([])
})

test('the policy is read where CONFIG is forbidden, and where INFO is', async () => {
  expect(await asUser(['+@all', '-config'], evicting)).toMatchObject([
    { problem: expect.stringContaining('lru') },
  ])
  expect(await asUser(['+@all', '-info'], evicting)).toMatchObject([
    { fix: expect.stringContaining('+info') },
    { problem: expect.stringContaining('lru') },
  ])
})

test('a user who may read neither gets both as problems', async () => {
  const problems = await asUser(['+@all', '-info', '-config'], evicting)
  expect(problems.map(({ problem }) => problem).join()).toMatch(
    /Could not read the version.*Could not read the eviction policy/,
  )
})

test.each([
  ['6.0.16', 1],
  ['5.0.7', 1],
  ['6.2.0', 0],
  ['7.0.15', 0],
  ['10.1.0', 0],
])('version %s has %i problems', async (version, count) => {
  const info = `redis_version:${version}\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n`
  const problems = await checkRedis({ info: async () => info } as unknown as Redis)
  expect(problems).toHaveLength(count)
  if (count) expect(problems[0]?.problem).toContain(version)
})

test('a connection that breaks is thrown, not reported as a missing right', async () => {
  const client = new Redis(`redis://:${secret}@127.0.0.1:${closedPort}`, {
    ...quiet,
    maxRetriesPerRequest: 0,
  })
  client.on('error', () => {})
  await expect(checkRedis(client)).rejects.toThrow()
  if (client.status !== 'end') client.disconnect()
})

test('each way of failing to connect has its own sentence without the password', async () => {
  const host = `127.0.0.1:${port}`
  expect(await explained(`redis://:${secret}@127.0.0.1:${closedPort}`)).toContain('refused the connection')
  expect(await explained(`redis://${host}`)).toContain('needs a password')
  expect(await explained(`redis://:sesame-wrong@${host}`)).toContain('password is wrong')
  expect(await explained(`redis://:${secret}@practice.invalid:6379`)).toContain('DNS')
  expect(await explained(`redis://:${secret}@127.0.0.1:${tlsPort}`)).toContain('write rediss://')
  expect(await explained(`rediss://:${secret}@${host}`)).toContain('write redis://')
  expect(await explained(`rediss://:${secret}@127.0.0.1:${tlsPort}`)).toContain('NODE_EXTRA_CA_CERTS')
})

test('a user without rights on the keys gets a sentence about rights', async () => {
  const rights = ['ACL', 'SETUSER', 'cleo', 'reset', 'on', `>${password}`, '+@all', '-set'] as const
  await withAdmin((admin) => admin.call(...rights))
  expect(await explained(`redis://cleo:${secret}@127.0.0.1:${port}`)).toContain('ACL SETUSER')
})

test('the password is removed from any other message, and an unreadable URL is not repeated', () => {
  const url = `redis://:${secret}@redis.sample.test:6379`
  const sentence = explainRedisError(new Error(`odd answer to AUTH ${password} at ${url}`), url)
  expect(sentence).toContain('redis.sample.test')
  expect(sentence).toContain('odd answer')
  expect(sentence).not.toContain('sesame')
  expect(explainRedisError(new Error('Invalid URL'), `redis//:${password}`)).not.toContain('sesame')
})
