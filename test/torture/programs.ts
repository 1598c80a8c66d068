import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import type { z } from 'zod'
import type { FaultSettings } from '../resend/faults.ts'

const ROOT = join(import.meta.dirname, '../..')

/** A process that the torture started, and that it alone may kill. */
export type Program = {
  child: ChildProcess
  pid: number
  /** All it has written so far, stdout and stderr together. */
  output: () => string
  stdout: () => string
  /** Settles when it has ended. A reached failpoint ends with a `SIGKILL` that no one else sent. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  hasEnded: () => boolean
  /** True once `kill` was called: then a SIGKILL was ours. */
  killedByUs: () => boolean
  /** kill -9 by default; resolves when the process is gone. */
  kill: (signal?: NodeJS.Signals) => Promise<void>
}

/** Runs a TypeScript or other file with this Node in `cwd`. */
export function startNode(
  args: readonly string[],
  options: { cwd: string; env: Record<string, string | undefined> },
): Program {
  const env = { PATH: process.env.PATH, ...options.env }
  return watch(spawn(process.execPath, args, { cwd: options.cwd, env }))
}

/** Watches a child that was spawned. */
export function watch(child: ChildProcess): Program {
  const [out, all]: [string[], string[]] = [[], []]
  child.stdout?.on('data', (chunk: Buffer) => {
    out.push(String(chunk))
    all.push(String(chunk))
  })
  child.stderr?.on('data', (chunk: Buffer) => void all.push(String(chunk)))
  let over = false
  let killed = false
  alive.add(child)
  const ended = once(child, 'close').then(([code, signal]) => {
    over = true
    alive.delete(child)
    return { code: code as number | null, signal: signal as NodeJS.Signals | null }
  })
  return {
    child,
    pid: child.pid ?? -1,
    output: () => all.join(''),
    stdout: () => out.join(''),
    ended,
    hasEnded: () => over,
    killedByUs: () => killed,
    async kill(signal = 'SIGKILL') {
      if (over) return
      killed = true
      child.kill(signal)
      await ended
    },
  }
}

// A bench that is interrupted must leave nothing running.
const alive = new Set<ChildProcess>()
process.once('exit', () => alive.forEach((child) => child.kill('SIGKILL')))

/** The strict Resend stand-in in a process of its own. It counts what it accepted, and is never restarted. */
export type StandIn = {
  program: Program
  url: string
  counts: () => Promise<Map<string, number>>
  summary: () => Promise<StandInSummary>
  /** Accepted emails: what a webhook about them needs (`id`, `to`, `tags`; start it with `--keep-bodies` for tags). */
  accepted: () => Promise<AcceptedMail[]>
  inject: (fault: z.infer<typeof FaultSettings>) => Promise<void>
  clearFaults: () => Promise<void>
}

export type StandInSummary = {
  accepted: number
  duplicates: number
  struck: number
  requests: Record<string, number>
}

export type AcceptedMail = {
  id: string
  at: number
  from: string
  to: string[]
  subject: string
  key: string | null
  tags: { name: string; value: string }[]
}

/** Starts the stand-in. `flags`: those of test/resend/stand-in.ts, for example `['--ignore-keys']`. */
export async function startStandIn(cwd: string, flags: readonly string[] = []): Promise<StandIn> {
  const file = join(ROOT, 'test/resend/stand-in.ts')
  const program = startNode([file, '--rps', '1000', ...flags], { cwd, env: {} })
  await until(() => program.stdout().includes('\n') || program.hasEnded(), 'the stand-in answers')
  if (program.hasEnded()) throw new Error(`the stand-in did not start: ${program.output()}`)
  const { url } = JSON.parse(program.stdout().split('\n')[0] ?? '') as { url: string }
  const ask = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const signal = AbortSignal.timeout(30_000)
    const init = body === undefined ? { method, signal } : { method, signal, body: JSON.stringify(body) }
    const answer = await fetch(`${url}/_stand-in/${path}`, init)
    if (!answer.ok) throw new Error(`the stand-in answers ${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as T
  }
  return {
    program,
    url,
    counts: async () => new Map(Object.entries(await ask<Record<string, number>>('GET', 'counts'))),
    summary: () => ask('GET', 'summary'),
    accepted: () => ask('GET', 'accepted'),
    inject: async (fault) => void (await ask('POST', 'faults', fault)),
    clearFaults: async () => void (await ask('DELETE', 'faults')),
  }
}

/** A redis-server of our own: no persistence, a free port. */
export type ScratchRedis = {
  url: string
  port: number
  /** The server that runs now; its `pid` comes from INFO. */
  program: () => Program
  /** kill -9, and a new and empty one on the same port, after `downMs`. Checks that it was ours, and is. */
  restart: (downMs?: number) => Promise<void>
  /** Empties it. */
  flush: () => Promise<void>
  close: () => Promise<void>
}

/** Starts a redis-server without persistence. Throws when INFO names another process than the one started. */
export async function startScratchRedis(folder: string): Promise<ScratchRedis> {
  mkdirSync(folder, { recursive: true })
  const port = await freePort()
  const start = async (): Promise<Program> => {
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
    const more = ['--dir', folder, '--maxmemory-policy', 'noeviction', '--enable-debug-command', 'yes']
    const program = watch(spawn('redis-server', [...options, ...more], { cwd: folder }))
    await until(async () => program.hasEnded() || (await processOf(port)) !== null, 'redis-server answers')
    const pid = await processOf(port)
    if (pid !== program.pid)
      throw new Error(`port ${port} is answered by process ${pid}, not by ours (${program.pid})`)
    return program
  }
  let running = await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    program: () => running,
    async restart(downMs = 0) {
      const before = await processOf(port)
      if (before !== running.pid) throw new Error('the Redis to be killed is not the one that runs')
      await running.kill()
      if ((await processOf(port)) !== null) throw new Error('Redis was killed, and still something answers')
      await pause(downMs)
      running = await start()
    },
    async flush() {
      await withRedis(port, (redis) => redis.flushall())
    },
    close: () => running.kill(),
  }
}

/** The process id from INFO, or null if there is no answer. */
async function processOf(port: number): Promise<number | null> {
  try {
    const info = await withRedis(port, (redis) => redis.info('server'))
    return Number(/process_id:(\d+)/.exec(info)?.[1] ?? -1)
  } catch {
    return null
  }
}

/** One short connection. Rejects when Redis is away. */
export async function withRedis<T>(port: number, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ port, lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null })
  redis.on('error', () => {})
  try {
    await redis.connect()
    return await use(redis)
  } finally {
    redis.disconnect()
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Waits until `holds`; throws after `withinMs`, naming what was waited for. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 30_000,
): Promise<void> {
  const end = performance.now() + withinMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`not so after ${withinMs / 1000} s: ${what}`)
    await pause(20)
  }
}
