import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { PipelineOptions, PipelineOutcome } from '../contenders/pipeline.ts'
import type { SeenByLimited } from '../limited-resend.ts'
import { startBenchRedis } from '../redis.ts'
import type { LimitRun, Run } from '../results.ts'
import { type Bench, fresh, installation, run } from '../run.ts'

/** Until then the workers learn the limit, and Resend's bucket of one second's requests is used up. */
const FIRST_SECONDS = 3

/** Workers with a provider that accepts ten requests a second: how close they get, and what it costs. */
export async function measureLimit(bench: Bench): Promise<LimitRun[]> {
  const { mails, workers } = bench.plan.limit
  const list = await installation(bench, mails)
  const runs: LimitRun[] = []
  for (const count of workers) {
    // A new one each time: keys repeat, so an old one would answer from memory.
    const resend = fork(join(import.meta.dirname, '../limited-resend.ts'))
    const [{ url }] = (await once(resend, 'message')) as [{ url: string }]
    try {
      const outcomes = await together(bench, fresh(list), url, count)
      runs.push(judge(await seenBy(resend), outcomes, mails))
    } finally {
      resend.disconnect()
    }
  }
  return runs
}

async function together(
  bench: Bench,
  file: string,
  providerUrl: string,
  workers: number,
): Promise<Run<PipelineOutcome>[]> {
  const redis = await startBenchRedis(file)
  const options = { file, providerUrl, rate: 'auto', redis: redis.socket, since: Date.now() }
  const start = () => run<PipelineOptions, PipelineOutcome>(bench, 'contenders/pipeline.ts', options, null)
  try {
    return await Promise.all(Array.from({ length: workers }, start))
  } finally {
    await redis.stop()
  }
}

async function seenBy(resend: ChildProcess): Promise<SeenByLimited> {
  const answer = once(resend, 'message')
  resend.send('tell')
  const [seen] = (await answer) as [SeenByLimited]
  return seen
}

function judge(
  { accepted, refused }: SeenByLimited,
  outcomes: readonly Run<PipelineOutcome>[],
  mails: number,
): LimitRun {
  if (accepted.length !== mails) throw new Error(`the provider took ${accepted.length} of ${mails} mails`)
  const from = accepted[0] ?? 0
  const steady = accepted.filter((at) => at >= from + FIRST_SECONDS * 1000)
  const [first = 0, last = 0] = [steady[0], steady.at(-1)]
  // Emails accepted at the first instant belong to the time before it.
  const counted = steady.filter((at) => at > first).length
  return {
    workers: outcomes.length,
    mailsPerSecond: (1000 * counted) / (last - first),
    refusedEarly: refused.filter((at) => at < from + FIRST_SECONDS * 1000).length,
    refusedLater: refused.filter((at) => at >= from + FIRST_SECONDS * 1000).length,
    bySecond: bySecond(accepted, from),
    cpuShares: outcomes.map(({ submitted }) => submitted.cpuSeconds / submitted.seconds),
    peakMegabytes: outcomes.map(({ peakMegabytes }) => peakMegabytes),
  }
}

/** Leaves out the last second, which is not a full one. */
function bySecond(instants: readonly number[], from: number): number[] {
  const counts: number[] = []
  for (const at of instants) {
    const second = Math.floor((at - from) / 1000)
    counts[second] = (counts[second] ?? 0) + 1
  }
  return Array.from(counts, (count) => count ?? 0).slice(0, -1)
}
