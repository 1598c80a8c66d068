import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { Redis } from 'ioredis'
import { type PrivateRedis, startPrivateRedis } from './private-redis.ts'

const binary = 'redis-server'
const source = pathToFileURL(join(import.meta.dirname, 'private-redis.ts')).href
let root: string
let folder: string
let messages: string[]
let cleanups: (() => unknown)[]

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'openseat-test-'))
  folder = join(root, 'openseat.redis')
  messages = []
  cleanups = [() => rmSync(root, { recursive: true, force: true })]
})

afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup()
})

const log = {
  info: (_: object, message: string) => void messages.push(message),
  warn: (_: object, message: string) => void messages.push(message),
}

async function start(overrides: { folder?: string; binary?: string } = {}): Promise<PrivateRedis> {
  const redis = await startPrivateRedis({ folder, binary, log, ...overrides })
  cleanups.push(() => redis.close())
  return redis
}

function clientOf(redis: PrivateRedis): Redis {
  const client = new Redis({
    ...redis.connection,
    maxRetriesPerRequest: null,
    retryStrategy: () => 50,
    disconnectTimeout: 10,
  })
  client.on('error', () => {})
  cleanups.push(() => client.disconnect())
  return client
}

/** Another process of the same installation; prints its server's pid, then stays. */
async function anotherProcess(options: { detached?: boolean } = {}) {
  const script = `
    const { startPrivateRedis } = await import(${JSON.stringify(source)})
    const log = { info() {}, warn() {} }
    const redis = await startPrivateRedis({ folder: ${JSON.stringify(folder)}, binary: 'redis-server', log })
    process.on('SIGINT', () => console.log('interrupted'))
    console.log(JSON.stringify({ pid: redis.pid, ownedByUs: redis.ownedByUs }))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    ...options,
  })
  const exited = once(child, 'exit')
  const kill = async () => {
    child.kill('SIGKILL')
    await exited
  }
  cleanups.push(kill)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const nextLine = async () => (await lines.next()).value as string
  return {
    child,
    kill,
    nextLine,
    server: JSON.parse(await nextLine()) as { pid: number; ownedByUs: boolean },
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(20)
}

test('a private server keeps its data, is reachable by nobody else, and is gone after close', async () => {
  const first = await start()
  expect(first.ownedByUs).toBe(true)
  expect(first.description).toContain(first.connection.path)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(statSync(first.connection.path).mode & 0o777).toBe(0o700)
  const client = clientOf(first)
  const settings = await client.config('GET', 'port', 'maxmemory-policy', 'appendonly', 'appendfsync', 'save')
  expect(Object.fromEntries(pairs(settings as string[]))).toEqual({
    port: '0',
    'maxmemory-policy': 'noeviction',
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
  })
  await client.set('wake-up', '2026-11-23')
  await Promise.all([first.close(), first.close()])
  expect(isRunning(first.pid)).toBe(false)

  const second = await start()
  expect(await clientOf(second).get('wake-up')).toBe('2026-11-23')
})

const pairs = (flat: string[]) => flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1]]] : []))

test('a server of ours dies with us, even when we are killed with SIGKILL', async () => {
  const { server, kill } = await anotherProcess()
  expect(isRunning(server.pid)).toBe(true)
  await kill()
  await until(() => !isRunning(server.pid))
})

test('a hanging server dies with us too', async () => {
  const { server, kill } = await anotherProcess()
  process.kill(server.pid, 'SIGSTOP')
  await kill()
  await until(() => !isRunning(server.pid))
})

test('Ctrl-C in the terminal leaves the server running until we have finished', async () => {
  const { child, server, nextLine } = await anotherProcess({ detached: true })
  process.kill(-(child.pid as number), 'SIGINT')
  expect(await nextLine()).toBe('interrupted')
  const joined = await start()
  expect(joined.pid).toBe(server.pid)
  expect(await clientOf(joined).ping()).toBe('PONG')
})

test('when processes start at the same time, one starts the server and the others join it', async () => {
  const starts = await Promise.all([start(), start(), anotherProcess().then(({ server }) => server), start()])
  expect(starts.filter(({ ownedByUs }) => ownedByUs)).toHaveLength(1)
  expect(new Set(starts.map(({ pid }) => pid)).size).toBe(1)
})

test('a process that joined leaves the server running when it closes', async () => {
  const owner = await start()
  const guest = await start()
  expect([guest.ownedByUs, guest.pid]).toEqual([false, owner.pid])
  await guest.close()
  expect(await clientOf(owner).ping()).toBe('PONG')
})

test('when the owner is killed, a process that joined takes over and its clients reconnect', async () => {
  const owner = await anotherProcess()
  const guest = await start()
  const client = clientOf(guest)
  await client.set('wake-up', 'before')
  expect(guest.ownedByUs).toBe(false)
  await owner.kill()
  await until(() => guest.ownedByUs)
  expect(guest.pid).not.toBe(owner.server.pid)
  await client.set('wake-up', 'after')
  expect(await clientOf(guest).get('wake-up')).toBe('after')
})

test('a server of ours that is killed comes back on the same socket', async () => {
  const redis = await start()
  const client = clientOf(redis)
  await client.ping()
  const { pid } = redis
  process.kill(pid, 'SIGKILL')
  await until(() => redis.pid !== pid)
  expect(await client.ping()).toBe('PONG')
  expect(redis.ownedByUs).toBe(true)
})

test('a server whose socket file was deleted is replaced, not left beside the new one', async () => {
  const redis = await start()
  const { pid } = redis
  rmSync(redis.connection.path)
  await until(() => redis.pid !== pid)
  expect(isRunning(pid)).toBe(false)
  expect(await clientOf(redis).ping()).toBe('PONG')
})

test('close during a restart leaves no server behind', async () => {
  const redis = await start()
  process.kill(redis.pid, 'SIGKILL')
  await until(() => messages.some((message) => message.includes('went away')))
  await redis.close()
  expect(isRunning(redis.pid)).toBe(false)
})

test('damaged data is deleted with a warning, and the server starts empty', async () => {
  const first = await start()
  await clientOf(first).set('wake-up', 'kept')
  await first.close()
  const files = join(folder, 'data', 'appendonlydir')
  for (const name of readdirSync(files)) writeFileSync(join(files, name), 'not a Redis file')
  const second = await start()
  expect(messages.join()).toContain('starting it empty')
  expect(await clientOf(second).dbsize()).toBe(0)
})

test('a server that cannot start is an error with its last lines, and no process is left', async () => {
  const refusing = join(root, 'refusing-redis')
  writeFileSync(refusing, '#!/bin/sh\necho "Fatal: no room for Ada" >&2\nexit 3\n', { mode: 0o755 })
  await expect(start({ binary: refusing })).rejects.toThrow(/exited with 3.*\n.*no room for Ada/)
})

test('a missing program costs no data', async () => {
  const first = await start()
  await clientOf(first).set('wake-up', 'kept')
  await first.close()
  await expect(start({ binary: join(root, 'missing-redis') })).rejects.toThrow('missing-redis')
  expect(await clientOf(await start()).get('wake-up')).toBe('kept')
})

test('a lock left by a dead process does not block a start', async () => {
  const { pid } = spawnSync('true')
  mkdirSync(folder)
  writeFileSync(join(folder, 'start.lock'), `${pid} 1`)
  expect((await start()).ownedByUs).toBe(true)
  expect(readdirSync(folder)).not.toContain('start.lock')
})

test('a lock left by an earlier process with our own pid, as in a new container, does not block a start', async () => {
  mkdirSync(folder)
  writeFileSync(join(folder, 'start.lock'), `${process.pid} 1`)
  expect((await start()).ownedByUs).toBe(true)
})

test('a folder with a name too long for a socket gets one in the temporary folder', async () => {
  const deep = join(root, 'practice-'.repeat(12), 'openseat.redis')
  const redis = await start({ folder: deep })
  cleanups.push(() => rmSync(join(redis.connection.path, '..'), { recursive: true, force: true }))
  expect(redis.connection.path.startsWith(join(tmpdir(), 'openseat-'))).toBe(true)
  expect(statSync(join(redis.connection.path, '..')).mode & 0o777).toBe(0o700)
  expect((await start({ folder: deep })).pid).toBe(redis.pid)
})
