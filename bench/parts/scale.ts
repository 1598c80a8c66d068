import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { AnswersOptions, AnswersOutcome } from '../contenders/answers.ts'
import type { ImportOptions } from '../contenders/import.ts'
import type { PipelineOptions, PipelineOutcome } from '../contenders/pipeline.ts'
import { readerAt, readersAsCsv } from '../list.ts'
import type { CommandTime, Scale, ScaleRun } from '../results.ts'
import { type Bench, installation, remove, run } from '../run.ts'
import { benchEnvironment, SLOT } from '../settings.ts'
import { type Sink, startSink } from '../sinks.ts'

const TIMES_ASKED = 30

/** Lists of several lengths from an empty database to the last receipt, and queries to the longest. */
export async function measureScale(bench: Bench): Promise<Scale> {
  const sink = await startSink('sink.ts')
  const runs: ScaleRun[] = []
  let file = ''
  try {
    for (const { subscribers, times } of bench.plan.scale)
      for (let time = 0; time < times; time += 1) {
        if (file !== '') remove(file)
        file = await installation(bench, 0)
        runs.push(await wholeLife(bench, file, subscribers, sink))
      }
  } finally {
    sink.stop()
  }
  const { subscribers } = bench.plan.scale.at(-1) ?? { subscribers: 0 }
  const options = { file, subscribers, times: TIMES_ASKED }
  const answers = await run<AnswersOptions, AnswersOutcome>(bench, 'contenders/answers.ts', options, null)
  const commands = timeCommands(file, readerAt(Math.floor(subscribers / 2)).email)
  remove(file)
  return { runs, answers, commands }
}

async function wholeLife(bench: Bench, file: string, subscribers: number, sink: Sink): Promise<ScaleRun> {
  const csv = join(bench.folder, 'readers.csv')
  await once(Readable.from(readersAsCsv(subscribers)).pipe(createWriteStream(csv)), 'finish')
  const imported = await run<ImportOptions>(bench, 'contenders/import.ts', { file, csv }, null)
  const afterImport = megabytesOf(file)
  const options = { file, providerUrl: sink.url }
  const pipeline = await run<PipelineOptions, PipelineOutcome>(bench, 'contenders/pipeline.ts', options, sink)
  return {
    subscribers,
    imported,
    pipeline,
    megabytes: { imported: afterImport, submitted: megabytesOf(file) },
  }
}

function megabytesOf(file: string): number {
  const sizes = ['', '-wal'].map((end) => file + end).filter((path) => existsSync(path))
  return sizes.reduce((sum, path) => sum + statSync(path).size, 0) / 1e6
}

/** The median of three whole commands each, with the start of a program that does nothing beside them. */
function timeCommands(file: string, email: string): CommandTime[] {
  const env = { ...process.env, ...benchEnvironment(file, 'http://127.0.0.1:9', '1000') }
  const cli = join(import.meta.dirname, '../../src/cli.ts')
  const time = (args: readonly string[]): number => {
    const started = performance.now()
    const { status, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
    if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
    return performance.now() - started
  }
  const median = (args: readonly string[]): number =>
    [time(args), time(args), time(args)].sort((a, b) => a - b)[1] ?? 0
  return [
    { command: 'node -e 0', milliseconds: median(['-e', '0']) },
    { command: 'openseat edition show', milliseconds: median([cli, 'edition', 'show', SLOT.editionId]) },
    { command: 'openseat explain', milliseconds: median([cli, 'explain', email, SLOT.editionId]) },
    { command: 'openseat subscribers show', milliseconds: median([cli, 'subscribers', 'show', email]) },
  ]
}
