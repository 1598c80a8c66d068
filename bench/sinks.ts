import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { spawnNode } from './spawn-node.ts'

/** What a sink accepted since the last query, and the cost. */
export type SinkUsage = {
  mails: number
  requests: number
  megabytes: number
  cpuSeconds: number
  /** The longest time between two requests, if the sink measures it. */
  pauseSeconds?: number
}

/** A provider that accepts everything, in its own process. */
export type Sink = {
  url: string
  /** Its SMTP port; 0 if it has none. */
  smtpPort: number
  /** Returns the usage and resets it. */
  usage: () => Promise<SinkUsage>
  stop: () => void
}

/** Starts `sink.ts` or `smtp-sink.ts`. */
export async function startSink(script: 'sink.ts' | 'smtp-sink.ts'): Promise<Sink> {
  const child = fork(join(import.meta.dirname, script))
  const [{ url, smtpPort = 0 }] = (await once(child, 'message')) as [{ url: string; smtpPort?: number }]
  return {
    url,
    smtpPort,
    usage: async () => (await (await fetch(`${url}/usage`)).json()) as SinkUsage,
    stop: () => child.disconnect(),
  }
}

/** How often each address was emailed, as counted by the provider. */
export type Counter = {
  url: string
  smtpPort: number
  counts: () => Promise<Record<string, number>>
  stop: () => void
}

/** Starts a provider that counts by address: the strict stand-in, which replays what comes again under its key, or SMTP. */
export async function startCounter(kind: 'stand-in' | 'smtp'): Promise<Counter> {
  if (kind === 'smtp') {
    const { url, smtpPort, stop } = await startSink('smtp-sink.ts')
    return { url, smtpPort, counts: () => countsAt(`${url}/counts`), stop }
  }
  const script = join(import.meta.dirname, '../test/resend/stand-in.ts')
  const child = spawnNode([script, '--rps', '1000000', '--api-key', 're_bench'])
  const url = await urlOf(child)
  return { url, smtpPort: 0, counts: () => countsAt(`${url}/_stand-in/counts`), stop: () => child.kill() }
}

async function countsAt(url: string): Promise<Record<string, number>> {
  return (await (await fetch(url)).json()) as Record<string, number>
}

async function urlOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the stand-in has no stdout')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return (JSON.parse(line) as { url: string }).url
}
