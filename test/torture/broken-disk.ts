import { setTimeout as pause } from 'node:timers/promises'
import Database from 'better-sqlite3'
import {
  awaitThrough,
  closeInstallation,
  type Installation,
  type InstallationOptions,
  makeInstallation,
  QUICKER,
  rowFor,
  startWorker,
  stopPrograms,
} from './installation.ts'
import { type Program, until } from './programs.ts'
import type { Context, Row } from './scenario.ts'

const READERS = 3_000
/** How long a disk stays broken. */
const BROKEN_MS = 6_000

export type Breakage = {
  scenario: string
  /** Breaks the disk of a running worker, and returns a function that repairs it. */
  strike: (installation: Installation, worker: Program) => Promise<() => Promise<void> | void>
  brokenMs?: number
  /** kill -9 while the disk is broken, and a new worker afterwards. */
  killed?: boolean
}

/** Breaks the disk in the middle of sending, waits, repairs it, and expects the rest to go out automatically. */
export async function brokenWhileSending(
  context: Context,
  { scenario, strike, brokenMs = BROKEN_MS, killed = false }: Breakage,
  options: Partial<InstallationOptions> = {},
): Promise<Row> {
  const settings = { RESEND_REQUESTS_PER_SECOND: '10' }
  const installation = await makeInstallation(context, { subscribers: READERS, settings, ...options })
  try {
    const worker = startWorker(installation, { waits: QUICKER })
    await until(
      async () => (await installation.standIn.summary()).accepted >= READERS / 6,
      'mail goes out',
      90_000,
    )
    const repair = await strike(installation, worker)
    const before = (await installation.standIn.summary()).accepted
    const problems: string[] = []
    try {
      await pause(brokenMs)
      problems.push(...(await unrecorded(installation)), ...problemsTold(worker))
      if (killed) await worker.kill()
    } finally {
      await repair()
    }
    const during = (await installation.standIn.summary()).accepted - before
    const repaired = performance.now()
    if (killed) startWorker(installation, { waits: QUICKER })
    else if (worker.hasEnded()) problems.push('the worker gave up')
    if (!(await awaitThrough(installation, 120_000)))
      problems.push('not finished two minutes after the repair')
    const after = (performance.now() - repaired) / 1000
    await stopPrograms(installation)
    problems.push(...(await unrecorded(installation)))
    const note = `${during} accepted on recorded attempts while it was broken; through ${after.toFixed(1)} s after`
    return await rowFor(installation, scenario, { kills: killed ? 1 : 0, problems, note })
  } finally {
    await closeInstallation(installation)
  }
}

/** Everything that was submitted must have been recorded as attempted on disk before, so that a restart finds it. */
async function unrecorded({ standIn, file }: Installation): Promise<string[]> {
  const keys = new Set((await standIn.accepted()).map(({ key }) => key))
  const db = new Database(file, { readonly: true, timeout: 10_000 })
  const attempted = db
    .prepare<[], string>('select key from batches where first_attempt_at is not null')
    .pluck()
    .all()
  db.close()
  const known = new Set(attempted)
  const unknown = [...keys].filter((key) => key === null || !known.has(key)).length
  return unknown === 0
    ? []
    : [`${unknown} batches were submitted that the ledger does not know were attempted`]
}

/** Checks that the reason was logged, and only once. */
function problemsTold(worker: Program): string[] {
  const lines = worker
    .output()
    .split('\n')
    .filter((line) => /"msg":"the database cannot be/.test(line))
  if (lines.length === 0) return ['the log does not say what is wrong']
  const reasons = new Set(lines.map((line) => (JSON.parse(line) as { reason: string }).reason))
  return lines.length === reasons.size
    ? []
    : [`the log says it ${lines.length} times: ${[...reasons].join('; ')}`]
}
