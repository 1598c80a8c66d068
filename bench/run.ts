import { type ChildProcess, execFile } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import Database from 'better-sqlite3'
import type { Measured } from './measure.ts'
import type { Plan } from './plan.ts'
import type { Run } from './results.ts'
import type { Sink } from './sinks.ts'
import { endsWithUs, OPTIONS_OF_START, spawnNode } from './spawn-node.ts'

/** The input of every part of the bench. */
export type Bench = {
  plan: Plan
  /** A scratch folder, removed at the end. */
  folder: string
  say(text: string): void
}

// React and others are a few times slower without it. The settings of ours are not read from here.
const PRODUCTION = { ...process.env, NODE_ENV: 'production' }
/** These stand for the program. */
const LIKE_START = ['contenders/pipeline.ts', 'contenders/answers.ts', 'contenders/import.ts']
const LIMIT_MS = 30 * 60_000

/** Runs one contender in its own process. Throws if the sink's count differs from the contender's. */
export async function run<Options, Outcome extends Measured = Measured>(
  bench: Bench,
  script: string,
  options: Options,
  sink: Sink | null,
): Promise<Run<Outcome>> {
  await sink?.usage() // resets the counts
  const outcome = (await inProcess(bench, script, JSON.stringify(options))) as Outcome
  const usage = (await sink?.usage()) ?? null
  if (usage && usage.mails !== outcome.mails)
    throw new Error(`${script} tells of ${outcome.mails} mails, the sink took ${usage.mails}`)
  const speed = Math.round(outcome.mails / outcome.seconds)
  bench.say(
    `${script}: ${outcome.mails} in ${outcome.seconds.toFixed(1)} s, ${speed}/s, ${outcome.cpuSeconds.toFixed(1)} s of CPU, peak ${Math.round(outcome.peakMegabytes)} MB`,
  )
  return { ...outcome, sink: usage }
}

/** Runs a script of the bench to its end and returns the JSON it prints, or null. */
export async function inProcess(bench: Bench, script: string, ...args: string[]): Promise<unknown> {
  const { command, env } = asInProduction(bench, script)
  const options = { timeout: LIMIT_MS, maxBuffer: 1e8, env }
  const running = promisify(execFile)(process.execPath, [...command, ...args], options)
  endsWithUs(running.child)
  const { stdout } = await running
  return stdout === '' ? null : JSON.parse(stdout)
}

/** Starts a bench script that will be killed. It shares our stderr. */
export function startProcess(bench: Bench, script: string, options: object): ChildProcess {
  const { command, env } = asInProduction(bench, script)
  return spawnNode([...command, JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'inherit'], env })
}

/** Kills with SIGKILL and waits until the process is gone. False if it had ended on its own. */
export async function killed(child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null) return false
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  return child.signalCode === 'SIGKILL'
}

/** A new installation in its own file; without subscribers it has only topics and sessions. */
export async function installation(bench: Bench, subscribers: number): Promise<string> {
  const file = join(bench.folder, `${subscribers}-${Math.random().toString(36).slice(2)}.db`)
  await inProcess(bench, 'installation.ts', file, String(subscribers))
  return file
}

/** A disposable copy that replaces the last one. Redis and other files beside the database start empty. */
export function fresh(file: string, suffix = 'used'): string {
  const copy = `${file}.${suffix}`
  remove(copy)
  copyFileSync(file, copy)
  // A copy would be on hold until released; without these facts it is a new installation.
  const sqlite = new Database(copy)
  sqlite.exec("delete from installation where name in ('epoch', 'held', 'copied')")
  sqlite.close()
  return copy
}

/** Removes a database and all files beside it. */
export function remove(file: string): void {
  const name = basename(file)
  for (const other of readdirSync(dirname(file)))
    if (other.startsWith(name)) rmSync(join(dirname(file), other), { recursive: true, force: true })
}

/** Compiled code is kept, so that Node's TypeScript compiler, which production would not load again, is not measured. */
function asInProduction({ folder }: Bench, script: string) {
  const path = join(import.meta.dirname, script)
  const env = { ...PRODUCTION, NODE_COMPILE_CACHE: join(folder, 'compiled') }
  if (!LIKE_START.includes(script)) return { command: [path], env }
  return { command: [...OPTIONS_OF_START, path], env }
}
