import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import pg from 'pg'
import { aDatabaseOn, type PostgresServer, startPostgres } from '../../test/postgres/server.ts'
import { type Command, openseat, sendAndWait, startOpenseat } from '../command.ts'
import type { EngineRuns } from '../results.ts'
import { type Bench, fresh, installation } from '../run.ts'
import { type Sink, startSink } from '../sinks.ts'

/** `edition send --wait` on SQLite, on Postgres, and on Postgres with two `worker`s beside it, in turns. */
export async function measureEngines(bench: Bench): Promise<EngineRuns> {
  const { rounds, mails } = bench.plan.engines
  const list = await installation(bench, mails)
  const sink = await startSink('sink.ts')
  const server = await startPostgres({ safe: true })
  const runs: EngineRuns = { sqlite: [], postgres: [], three: [] }
  try {
    for (let round = 0; round < rounds; round += 1) {
      runs.sqlite.push(await sendAndWait(bench, { file: fresh(list), providerUrl: sink.url }, sink))
      const onPostgres = () => moved(bench, fresh(list), server, sink)
      runs.postgres.push(await sendAndWait(bench, await onPostgres(), sink))
      runs.three.push(await besideTwo(bench, await onPostgres(), sink))
    }
    return runs
  } finally {
    sink.stop()
    await server.close()
  }
}

/** The installation in `file`, in a new database on Postgres. */
async function moved(bench: Bench, file: string, server: PostgresServer, sink: Sink): Promise<Command> {
  const url = await aDatabaseOn(server)
  await openseat(bench, ['move', '--to', url], { file, providerUrl: sink.url })
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  // A copy would be on hold until released; without these facts it is a new installation.
  await client.query("delete from installation where name in ('epoch', 'held', 'copied')")
  await client.end()
  return { file: `${file}.moved`, providerUrl: sink.url, more: { DATABASE_URL: url } }
}

async function besideTwo(bench: Bench, command: Command, sink: Sink) {
  const workers = [1, 2].map(() => startOpenseat(bench, ['worker'], command).child)
  try {
    for (const worker of workers) await isRunning(worker)
    return await sendAndWait(bench, command, sink)
  } finally {
    for (const worker of workers) await stopped(worker)
  }
}

async function stopped(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return
  const gone = once(worker, 'exit')
  worker.kill('SIGTERM')
  await gone
}

function isRunning(worker: ChildProcess): Promise<void> {
  worker.stdout?.resume()
  let log = ''
  return new Promise((resolve, reject) => {
    // Read to the end: a worker whose log goes nowhere ends, and its batches would go out again.
    worker.stderr?.on('data', (chunk) => {
      log += String(chunk)
      if (log.includes('openseat is running')) resolve()
    })
    worker.once('exit', () => reject(new Error(`\`worker\` ended: ${log}`)))
  })
}
