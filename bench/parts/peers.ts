import { join } from 'node:path'
import { sendAndWait } from '../command.ts'
import type { CeilingOptions } from '../contenders/ceiling.ts'
import type { QueueOptions } from '../peers/queue-worker.ts'
import type { SmtpOptions } from '../peers/smtp.ts'
import type { TextbookOptions } from '../peers/textbook.ts'
import type { PeerRuns } from '../results.ts'
import { type Bench, fresh, inProcess, installation, run } from '../run.ts'
import { type Sink, startSink } from '../sinks.ts'

/** As many requests at once as the worker makes (CONCURRENCY in src/redis/workers.ts). */
const CONCURRENCY = 6
const QUEUE_CONCURRENCY = 20
/** 5 and 20 differ from it by less than the noise: one thread makes the emails. */
const SMTP_CONNECTIONS = 10

/** The pipeline, the ceiling and the peers, in turns. */
export async function measurePeers(bench: Bench): Promise<PeerRuns> {
  const sinks = [await startSink('sink.ts'), await startSink('smtp-sink.ts')] as const
  try {
    return await inTurns(bench, ...sinks)
  } finally {
    for (const sink of sinks) sink.stop()
  }
}

async function inTurns(bench: Bench, sink: Sink, smtpSink: Sink): Promise<PeerRuns> {
  const { rounds, mails, recorded, slow, smtp } = bench.plan.peers
  const lists = {
    ours: await installation(bench, mails),
    slow: await installation(bench, slow),
    smtp: await installation(bench, smtp),
  }
  const prepared = await prepare(bench, lists.ours)
  const bodies = join(bench.folder, 'bodies')
  const providerUrl = sink.url

  const pipeline = (file: string) => sendAndWait(bench, { file: fresh(file), providerUrl }, sink)
  const queued = () => ({
    ...{ file: fresh(lists.slow), prepared, providerUrl, mails: slow, concurrency: QUEUE_CONCURRENCY },
  })
  const ceiling = { bodies, providerUrl, mails, concurrency: CONCURRENCY }
  const overSmtp = () => ({
    ...{ file: fresh(lists.smtp), prepared, smtpPort: smtpSink.smtpPort, connections: SMTP_CONNECTIONS },
  })

  // The first run is not timed: it warms the disk and records the emails for the ceiling.
  await fetch(`${providerUrl}/record`, {
    method: 'POST',
    body: JSON.stringify({ file: bodies, left: recorded }),
  })
  await pipeline(await installation(bench, recorded * 100))

  const runs: PeerRuns = { pipeline: [], ceiling: [], smtp: [], reactEmail: [], tuned: [], textbook: [] }
  for (let round = 0; round < rounds; round += 1) {
    runs.pipeline.push(await pipeline(lists.ours))
    runs.ceiling.push(await run<CeilingOptions>(bench, 'contenders/ceiling.ts', ceiling, sink))
    runs.smtp.push(await run<SmtpOptions>(bench, 'peers/smtp.ts', overSmtp(), smtpSink))
    runs.reactEmail.push(await run<QueueOptions>(bench, 'peers/react-email.ts', queued(), sink))
    const tuned = { ...queued(), tuned: true }
    runs.tuned.push(await run<TextbookOptions>(bench, 'peers/textbook.ts', tuned, sink))
    runs.textbook.push(await run<TextbookOptions>(bench, 'peers/textbook.ts', queued(), sink))
  }
  return runs
}

/** Writes what peers would prepare at deployment to its own file; `file` is any installation. */
export async function prepare(bench: Bench, file: string): Promise<string> {
  const prepared = join(bench.folder, 'prepared.json')
  await inProcess(bench, 'peers/prepare.ts', fresh(file), prepared)
  return prepared
}
