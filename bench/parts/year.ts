import type { YearOptions, YearOutcome } from '../contenders/year.ts'
import type { Year } from '../results.ts'
import { type Bench, installation, remove, run } from '../run.ts'
import { startSink } from '../sinks.ts'

/** Many weeks of editions with a retention of fewer: how the file grows, and whether it stops. */
export async function measureYear(bench: Bench): Promise<Year> {
  const { subscribers, weeks, kept } = bench.plan.year
  const sink = await startSink('sink.ts')
  const file = await installation(bench, subscribers)
  try {
    const options = { file, providerUrl: sink.url, weeks, kept }
    const outcome = await run<YearOptions, YearOutcome>(bench, 'contenders/year.ts', options, sink)
    return { subscribers, kept, megabytes: outcome.megabytes, steps: outcome.steps, mails: outcome.mails }
  } finally {
    sink.stop()
    remove(file)
  }
}
