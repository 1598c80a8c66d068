import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import type { Idle } from '../results.ts'
import { type Bench, installation } from '../run.ts'
import { benchEnvironment } from '../settings.ts'
import { OPTIONS_OF_START, spawnNode } from '../spawn-node.ts'

/** Clock ticks in a second, as Linux shows them in /proc on every machine. */
const TICKS = 100
/** How long it may take to start. */
const START_SECONDS = 60

/** `start`, as an operator runs it, while there is nothing to do: the process itself and its private Redis. */
export async function measureIdle(bench: Bench): Promise<Idle> {
  const { subscribers, settle, seconds } = bench.plan.idle
  const file = await installation(bench, subscribers)
  const env = {
    ...process.env,
    ...benchEnvironment(file, 'http://127.0.0.1:9', 'auto'),
    PORT: '0',
    OPERATOR_PORT: 'off',
    LOG_LEVEL: 'info',
  }
  const cli = join(import.meta.dirname, '../../src/cli.ts')
  const timeout = (START_SECONDS + settle + seconds) * 1000
  const child = spawnNode([...OPTIONS_OF_START, cli, 'start'], {
    env,
    timeout,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  try {
    if (child.stderr) await isRunning(child.stderr)
    await setTimeout(settle * 1000)
    const before = processesOf(child.pid ?? 0, file)
    const started = performance.now()
    await setTimeout(seconds * 1000)
    const taken = (performance.now() - started) / 1000
    const processes = processesOf(child.pid ?? 0, file).map(({ pid, name, megabytes, cpuSeconds }) => {
      const cpuBefore = before.find((one) => one.pid === pid)?.cpuSeconds ?? 0
      return { name, megabytes, cpuShare: (cpuSeconds - cpuBefore) / taken }
    })
    return { subscribers, seconds, processes }
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      await gone
    }
  }
}

async function isRunning(stderr: NodeJS.ReadableStream): Promise<void> {
  const lines: string[] = []
  for await (const line of createInterface({ input: stderr })) {
    lines.push(line)
    if (!line.includes('openseat is running')) continue
    stderr.resume() // a full pipe would stop the process at its next line
    return
  }
  throw new Error(`\`start\` ended: ${lines.join('\n')}`)
}

/** The process, those it started, and those that name its files, such as its Redis. */
function processesOf(pid: number, file: string) {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  return pids.flatMap((id) => {
    try {
      const text = (name: string) => readFileSync(join('/proc', id, name), 'utf8')
      // Behind the name in brackets, which may hold spaces: state, parent, …, user and system time at 12 and 13.
      const [, name = ''] = /\((.*)\)/.exec(text('stat')) ?? []
      const fields = text('stat')
        .replace(/^.*\) /, '')
        .split(' ')
      const ours = Number(id) === pid || Number(fields[1]) === pid || text('cmdline').includes(file)
      if (!ours) return []
      const megabytes = Number(/^VmRSS:\s+(\d+)/m.exec(text('status'))?.[1] ?? 0) / 1024
      const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / TICKS
      return [{ pid: Number(id), name: Number(id) === pid ? 'openseat start' : name, megabytes, cpuSeconds }]
    } catch {
      return [] // it ended in the meantime
    }
  })
}
