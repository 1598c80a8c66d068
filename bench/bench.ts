import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import type { BareLoopOptions } from './contenders/bare-loop.ts'
import type { ImportOptions } from './contenders/import.ts'
import type { PipelineOptions, PipelineOutcome } from './contenders/pipeline.ts'
import type { PlanningOptions } from './contenders/planning.ts'
import type { Measured } from './measure.ts'
import type { TextbookOptions } from './peers/textbook.ts'
import { type Plan, type Results, type Run, writeReport } from './report.ts'
import type { SinkUsage } from './sink.ts'

const FULL: Plan = {
  rounds: 3,
  mails: 50_000,
  textbookMails: 2_000,
  base: 20_000,
  recorded: 20,
  large: 200_000,
  planning: [200_000, 1_000_000],
  imported: 200_000,
}
const QUICK: Plan = {
  rounds: 1,
  mails: 5_000,
  textbookMails: 300,
  base: 5_000,
  recorded: 10,
  large: 20_000,
  planning: [20_000],
  imported: 20_000,
}
/** As many requests at once as the worker makes (CONCURRENCY in src/queue.ts). */
const CONCURRENCY = 6
/** 5, 20 and 50 at once differ by less than the noise: one thread compiles. */
const TEXTBOOK_CONCURRENCY = 20

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const plan = values.quick ? QUICK : FULL
const folder = mkdtempSync(join(tmpdir(), 'openseat-bench-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
const sink = fork(join(import.meta.dirname, 'sink.ts'))
try {
  const [providerUrl] = (await once(sink, 'message')) as [string]
  const results = await runAll(providerUrl)
  console.log(writeReport(results, values.quick ? 'quick' : 'full'))
} finally {
  sink.disconnect()
}

async function runAll(providerUrl: string): Promise<Results> {
  const pipelineOn = (file: string) =>
    run<PipelineOptions, PipelineOutcome>(
      'contenders/pipeline.ts',
      { file: fresh(file), providerUrl },
      providerUrl,
    )
  const textbookOn = (file: string, tuned: boolean) => {
    const options = { providerUrl, mails: plan.textbookMails, concurrency: TEXTBOOK_CONCURRENCY, tuned }
    return run<TextbookOptions>('peers/textbook.ts', { file: fresh(file), ...options }, providerUrl)
  }
  const small = await installation(plan.mails)

  // The first run is not among the timed ones: it warms the disk and records the mails for the bare loop.
  const bodies = join(folder, 'bodies')
  const record = { method: 'POST', body: JSON.stringify({ file: bodies, left: plan.recorded }) }
  await fetch(`${providerUrl}/record`, record)
  const base = await pipelineOn(await installation(plan.base))

  const bareLoop = { bodies, providerUrl, mails: plan.mails, concurrency: CONCURRENCY }
  const results: Results = {
    plan,
    loadBefore: loadavg()[0] ?? 0,
    base,
    pipeline: [],
    bareLoop: [],
    textbook: [],
    tuned: [],
    large: null,
    planning: [],
    imported: null,
  }
  for (let round = 0; round < plan.rounds; round += 1) {
    results.pipeline.push(await pipelineOn(small))
    results.bareLoop.push(await run<BareLoopOptions>('contenders/bare-loop.ts', bareLoop, providerUrl))
    results.textbook.push(await textbookOn(small, false))
    results.tuned.push(await textbookOn(small, true))
  }
  results.large = await pipelineOn(await installation(plan.large))
  for (const subscribers of plan.planning) {
    const file = await installation(subscribers)
    results.planning.push(await run<PlanningOptions>('contenders/planning.ts', { file }, null))
  }
  const imported = { file: await installation(0), subscribers: plan.imported }
  results.imported = await run<ImportOptions>('contenders/import.ts', imported, null)
  return results
}

/** Runs one contender in a process of its own. Throws when the sink took other than what the contender tells. */
async function run<Options, Outcome extends Measured = Measured>(
  script: string,
  options: Options,
  providerUrl: string | null,
): Promise<Run<Outcome>> {
  if (providerUrl !== null) await usageOf(providerUrl) // forgets what was before
  const outcome = (await inProcess(script, JSON.stringify(options))) as Outcome
  const sink = providerUrl === null ? null : await usageOf(providerUrl)
  if (sink && sink.mails !== outcome.mails)
    throw new Error(`${script} tells of ${outcome.mails} mails, the sink took ${sink.mails}`)
  const speed = Math.round(outcome.mails / outcome.seconds)
  console.error(
    `${script}: ${outcome.mails} in ${outcome.seconds.toFixed(1)} s, ${speed}/s, peak ${Math.round(outcome.peakRssMegabytes)} MB`,
  )
  return { ...outcome, sink }
}

async function usageOf(providerUrl: string): Promise<SinkUsage> {
  return (await (await fetch(`${providerUrl}/usage`)).json()) as SinkUsage
}

/** A made installation in a file of its own. Made in another process, so that this one stays small: a child's peak begins at its parent's. */
async function installation(subscribers: number): Promise<string> {
  const file = join(folder, `${subscribers}-${Math.random().toString(36).slice(2)}.db`)
  await inProcess('installation.ts', file, String(subscribers))
  return file
}

/** A copy to use up; copies of before are dropped. */
function fresh(file: string): string {
  const copy = `${file}.used`
  for (const end of ['', '-wal', '-shm', '.redis']) rmSync(`${copy}${end}`, { recursive: true, force: true })
  copyFileSync(file, copy)
  return copy
}

async function inProcess(script: string, ...args: string[]): Promise<unknown> {
  const options = { timeout: 30 * 60_000, maxBuffer: 1e8 }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [join(import.meta.dirname, script), ...args],
    options,
  )
  return stdout === '' ? null : JSON.parse(stdout)
}
