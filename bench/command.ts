import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Run } from './results.ts'
import type { Bench } from './run.ts'
import { benchEnvironment } from './settings.ts'
import type { Sink } from './sinks.ts'
import { OPTIONS_OF_COMMANDS, spawnNode } from './spawn-node.ts'

/** What a process used from its start to its exit, with the children that ended before it. */
export type Usage = { seconds: number; cpuSeconds: number; peakMegabytes: number }

export type Command = { file: string; providerUrl: string; more?: Record<string, string> }

let commands = 0

/** `openseat edition send --wait` as an operator types it, from the start of the process to its exit. */
export async function sendAndWait(bench: Bench, command: Command, sink: Sink): Promise<Run> {
  await sink.usage() // resets the counts
  const { out, usage } = await openseat(bench, ['edition', 'send', '--wait', '--json'], command)
  const used = await sink.usage()
  const mails = (JSON.parse(out) as { submitted: number }).submitted
  if (mails !== used.mails)
    throw new Error(`the command tells of ${mails} mails, the sink took ${used.mails}`)
  bench.say(
    `edition send --wait: ${mails} in ${usage.seconds.toFixed(1)} s, ${Math.round(mails / usage.seconds)}/s, ${usage.cpuSeconds.toFixed(1)} s of CPU, peak ${Math.round(usage.peakMegabytes)} MB, longest pause ${used.pauseSeconds?.toFixed(2)} s`,
  )
  return { ...usage, mails, sink: used }
}

/** Runs a command of the program to its end. */
export async function openseat(
  bench: Bench,
  args: readonly string[],
  command: Command,
): Promise<{ out: string; usage: Usage }> {
  const { child, usageFile } = startOpenseat(bench, args, command)
  const [out, err] = [
    text(child.stdout as NodeJS.ReadableStream),
    text(child.stderr as NodeJS.ReadableStream),
  ]
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`openseat ${args.join(' ')} ended with ${code}: ${await err}`)
  return { out: await out, usage: JSON.parse(readFileSync(usageFile, 'utf8')) as Usage }
}

/** Starts a command of the program; its stdout and stderr are pipes. */
export function startOpenseat(bench: Bench, args: readonly string[], { file, providerUrl, more }: Command) {
  const usageFile = join(bench.folder, `usage-${(commands += 1)}.json`)
  const env = {
    ...{ PATH: process.env.PATH, NODE_ENV: 'production', NODE_COMPILE_CACHE: join(bench.folder, 'compiled') },
    ...benchEnvironment(file, providerUrl, '1000'),
    ...{ BENCH_USAGE: usageFile, ...more },
  }
  const script = [join(import.meta.dirname, '../src/cli.ts'), ...args]
  const usage = ['--import', join(import.meta.dirname, 'command-usage.ts')]
  const child = spawnNode([...OPTIONS_OF_COMMANDS, ...usage, ...script], { env, cwd: bench.folder })
  return { child, usageFile }
}
