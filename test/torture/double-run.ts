import {
  awaitThrough,
  closeInstallation,
  type Installation,
  type InstallationOptions,
  makeInstallation,
  QUICKER,
  rowFor,
  startProgram,
  stopPrograms,
  type Waits,
} from './installation.ts'
import { until } from './programs.ts'
import type { Context, Row } from './scenario.ts'

/** Shorter waits, except for request timeouts and leases: nothing is killed here, and no batch may go out twice. */
const { request: _request, lease: _lease, ...OTHERS } = QUICKER
export const WAITS: Waits = OTHERS

/** Job locks of one second while Redis is down for three, so that jobs in progress are given to other workers too. */
export const SHORT_LOCKS: Waits = { ...WAITS, 'job-lock': 1_000, 'stalled-job': 1_000 }

/** Creates an installation that sends ten batches a second, each in flight for a while. Closes it after `use`. */
export async function withInstallation(
  context: Context,
  options: Partial<InstallationOptions>,
  use: (installation: Installation) => Promise<Row>,
): Promise<Row> {
  // At `debug` the program logs each wake-up, which distinguishes enqueued batches from submitted ones.
  const settings = { RESEND_REQUESTS_PER_SECOND: '10', LOG_LEVEL: 'debug', ...options.settings }
  const subscribers = context.quick ? 1_000 : 3_000
  const installation = await makeInstallation(context, { subscribers, ...options, settings })
  try {
    // In flight long enough to notice two workers with the same batch.
    await installation.standIn.inject({ kind: 'late', ms: 300, times: 10_000 })
    return await use(installation)
  } finally {
    await closeInstallation(installation)
  }
}

/** Starts workers with these waits. */
export function startWorkers(installation: Installation, count: number, waits: Waits): void {
  for (let n = 0; n < count; n += 1) startProgram(installation, ['worker'], { waits })
}

/** Waits until one sixth of the emails is accepted. */
export async function midway({ standIn, subscribers }: Installation): Promise<void> {
  await until(async () => (await standIn.summary()).accepted >= subscribers / 6, 'mail goes out', 90_000)
}

type Ending = { problems?: string[]; note?: string; mustDouble?: boolean }

/**
 * Waits for the end and judges it. The provider answered every request, so there must be no more requests than batches.
 * The provider's count of emails would not show two workers with the same batch, because of the idempotency keys.
 */
export async function finish(
  installation: Installation,
  scenario: string,
  { problems: known = [], note, mustDouble = false }: Ending,
): Promise<Row> {
  const problems = [...known]
  if (!(await awaitThrough(installation, 120_000))) problems.push('not through after two minutes')
  await stopPrograms(installation)
  const batches = batchesOf(installation).length
  const { requests } = await installation.standIn.summary()
  const posted = Object.values(requests).reduce((sum, count) => sum + count, 0)
  if (posted !== batches) problems.push(`${posted} requests for ${batches} batches`)
  const woken = installation.programs
    .map((program) => program.output().split('"msg":"woken"').length - 1)
    .reduce((sum, count) => sum + count, 0)
  if (mustDouble && woken <= batches) problems.push(`only ${woken} wake-ups: nothing ran twice`)
  const counts = `${woken} wake-ups and ${posted} requests for ${batches} batches`
  return rowFor(installation, scenario, { problems, note: note ? `${counts}; ${note}` : counts })
}

/** The ids of all batches. */
export const batchesOf = ({ ledger }: Installation): number[] =>
  ledger.prepare<[], number>('select id from batches').pluck().all()
