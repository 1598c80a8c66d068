import { setTimeout } from 'node:timers/promises'
import type { PipelineOptions } from '../contenders/pipeline.ts'
import type { QueueOptions } from '../peers/queue-worker.ts'
import type { SmtpOptions } from '../peers/smtp.ts'
import { type BenchRedis, startBenchRedis } from '../redis.ts'
import type { KillRow } from '../results.ts'
import { type Bench, fresh, inProcess, installation, killed, startProcess } from '../run.ts'
import { type Counter, startCounter } from '../sinks.ts'
import { prepare } from './peers.ts'

type Case = Pick<KillRow, 'who' | 'what'> & {
  script: string
  /** The list, and how many are on it. */
  list: string
  recipients: number
  provider: 'stand-in' | 'smtp'
  /** `redis` is null for contenders without one. */
  options(world: { file: string; redis: BenchRedis | null; provider: Counter; resume: boolean }): object
}

const LONGEST_SECONDS = 300

/**
 * Kills every contender in the middle, starts it again, and so on, and counts at the provider. They run in parallel, so
 * no speeds are reported.
 */
export async function measureKills(bench: Bench): Promise<KillRow[]> {
  const cases = await casesOf(bench)
  return Promise.all(cases.map((one, index) => killInTheMiddle(bench, one, `killed-${index}`)))
}

async function casesOf(bench: Bench): Promise<Case[]> {
  const { mails, slow, smtp, stalledMs, patient } = bench.plan.kills
  const [ours, queued, overSmtp] = [
    await installation(bench, mails),
    await installation(bench, slow),
    await installation(bench, smtp),
  ]
  const prepared = await prepare(bench, queued)
  const since = Date.now()
  const pipeline: Omit<Case, 'what'> = {
    ...{
      who: 'openseat',
      script: 'contenders/pipeline.ts',
      list: ours,
      recipients: mails,
      provider: 'stand-in',
    },
    options: ({ file, redis, provider }): PipelineOptions => ({
      ...{ file, providerUrl: provider.url, redis: redis?.socket ?? '', since },
    }),
  }
  const queue = (who: string, script: string, more: Partial<QueueOptions> = {}): Omit<Case, 'what'> => ({
    ...{ who, script, list: queued, recipients: slow, provider: 'stand-in' },
    options: ({ file, redis, provider, resume }): QueueOptions => ({
      ...{ file, prepared, providerUrl: provider.url, redis: redis?.socket ?? '', resume },
      ...{ mails: slow, concurrency: 20, stalledMs, ...more },
    }),
  })
  const smtpLoop: Omit<Case, 'what'> = {
    ...{ who: 'nodemailer', script: 'peers/smtp.ts', list: overSmtp, recipients: smtp, provider: 'smtp' },
    options: ({ file, provider }): SmtpOptions => ({
      ...{ file, prepared, smtpPort: provider.smtpPort, connections: 10 },
    }),
  }
  const textbook = queue('textbook worker', 'peers/textbook.ts')
  const unkeyed = queue('textbook worker, no keys', 'peers/textbook.ts', { keyed: false })
  const react = queue('react-email worker', 'peers/react-email.ts')
  return [
    ...(patient ? [{ ...pipeline, what: 'worker killed' as const }] : []),
    { ...pipeline, what: 'worker killed, Redis lost' },
    { ...smtpLoop, what: 'worker killed' },
    { ...textbook, what: 'worker killed' },
    { ...textbook, what: 'worker killed, Redis lost' },
    { ...unkeyed, what: 'worker killed' },
    { ...react, what: 'worker killed' },
    { ...react, what: 'worker killed, Redis lost' },
  ]
}

async function killInTheMiddle(bench: Bench, one: Case, suffix: string): Promise<KillRow> {
  const { who, what, recipients } = one
  const file = fresh(one.list, suffix)
  const provider = await startCounter(one.provider)
  const redis = one.provider === 'smtp' ? null : await startBenchRedis(file)
  const losesRedis = what === 'worker killed, Redis lost'
  const options = (resume: boolean) => one.options({ file, redis, provider, resume })
  let kills = 0
  try {
    // Once Redis is lost, a queue has no work left.
    for (const share of losesRedis ? [0.4] : bench.plan.kills.at) {
      const child = startProcess(bench, one.script, options(kills > 0))
      await acceptedAtLeast(share * recipients, provider, child)
      if (await killed(child)) kills += 1
      if (losesRedis) await redis?.lose()
    }
    const restarted = performance.now()
    await inProcess(bench, one.script, JSON.stringify(options(true)))
    const seconds = (performance.now() - restarted) / 1000
    const row = { who, what, kills, recipients, ...judged(await provider.counts(), recipients), seconds }
    bench.say(`${who}, ${what}: ${row.once} once, ${row.twice} twice, ${row.never} never`)
    return row
  } finally {
    await redis?.stop()
    provider.stop()
  }
}

function judged(countByAddress: Record<string, number>, recipients: number) {
  const counts = Object.values(countByAddress)
  const [once, twice] = [counts.filter((n) => n === 1).length, counts.filter((n) => n > 1).length]
  return { once, twice, never: recipients - counts.length }
}

/** Resolves when the provider has accepted that many, or the process has ended on its own. */
async function acceptedAtLeast(mails: number, provider: Counter, child: ReturnType<typeof startProcess>) {
  const until = performance.now() + LONGEST_SECONDS * 1000
  while (child.exitCode === null && Object.keys(await provider.counts()).length < mails) {
    if (performance.now() > until) throw new Error(`it did not come to ${mails} mails`)
    await setTimeout(20)
  }
}
