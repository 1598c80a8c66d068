import Database from 'better-sqlite3'
import { loadConfig } from '../../src/config.ts'
import { installationId, signToken } from '../../src/core/tokens.ts'
import { openLog } from '../../src/log.ts'
import { openInstallation } from '../../src/open-installation.ts'
import { openQueue } from '../../src/redis/queue.ts'
import { startWebs } from './failpoint-doors.ts'
import {
  awaitThrough,
  closeInstallation,
  type Installation,
  isThrough,
  LINK_SECRET,
  makeInstallation,
  QUICKER,
  rowFor,
  startWorker,
  stopPrograms,
} from './installation.ts'
import { until } from './programs.ts'
import type { Context, Row, Scenario } from './scenario.ts'

const CLAIM_ALONE = 'the claim alone: a provider that ignores keys'
const INDEX_ALONE = 'the unique index alone: planners without a mark'
const SWEEP_ALONE = 'the sweep alone: killed, and Redis emptied'
const SCANNER = 'a scanner opens every link'

/** Enough chunks for two planners to collide in some. */
const PLANNED_TWICE = 20_000

/**
 * The program guards itself twice and three times, so taking one guard away shows nothing as long as the next holds.
 * These scenarios leave one guard alone on duty.
 */
export const scenarios: Scenario[] = [
  { name: CLAIM_ALONE, group: 'guards', quick: false, run: claimAlone },
  { name: INDEX_ALONE, group: 'guards', quick: false, run: indexAlone },
  { name: SWEEP_ALONE, group: 'guards', quick: false, run: sweepAlone },
  { name: SCANNER, group: 'guards', quick: false, run: scanner },
]

/** Three workers. Every batch is enqueued again and again while answers are slow, without an idempotency key. */
async function claimAlone(context: Context): Promise<Row[]> {
  const installation = await makeInstallation(context, { subscribers: 900, standIn: ['--ignore-keys'] })
  try {
    await installation.standIn.inject({ kind: 'late', ms: 250, times: 1_000_000 })
    for (let n = 0; n < 3; n += 1) startWorker(installation)
    const ringing = await ringForAll(installation)
    await stopPrograms(installation)
    const problems = ringing.through ? [] : ['the edition was not through within two minutes']
    const note = `${ringing.rings} wake-ups for 9 batches`
    return [await rowFor(installation, CLAIM_ALONE, { problems, note })]
  } finally {
    await closeInstallation(installation)
  }
}

/** Enqueues every batch of the edition until it is finished. */
async function ringForAll(installation: Installation): Promise<{ through: boolean; rings: number }> {
  const config = loadConfig(installation.settings)
  const log = openLog('silent')
  const opened = await openInstallation(config, { log })
  const prefix = `openseat-${installationId(opened.hashKey)}`
  await opened.close()
  const queue = await openQueue({ redis: { url: installation.redis?.url ?? '' }, prefix, log })
  const batchIds = installation.ledger.prepare<[], number>('select id from batches').pluck()
  let rings = 0
  try {
    await until(
      async () => {
        const ids = batchIds.all()
        await queue.wakeBatches(ids)
        rings += ids.length
        return isThrough(installation)
      },
      'every edition is through',
      120_000,
    )
    return { through: true, rings }
  } catch {
    return { through: false, rings }
  } finally {
    await queue.close()
  }
}

/** Two planners without their mark write the same readers. */
async function indexAlone(context: Context): Promise<Row[]> {
  const installation = await makeInstallation(context, { subscribers: PLANNED_TWICE })
  try {
    for (let n = 0; n < 2; n += 1) startWorker(installation, { waits: QUICKER, off: 'planner-mark' })
    const through = await awaitThrough(installation)
    await stopPrograms(installation)
    const problems = through ? [] : ['the edition was not through within two minutes']
    return [await rowFor(installation, INDEX_ALONE, { problems })]
  } finally {
    await closeInstallation(installation)
  }
}

/** A worker dies with claimed batches, and Redis loses their jobs: only the ledger knows. */
async function sweepAlone(context: Context): Promise<Row[]> {
  const installation = await makeInstallation(context, { subscribers: 250 })
  try {
    const worker = startWorker(installation, { failpoint: 'after-freeze' })
    await until(() => worker.hasEnded(), 'a batch is claimed', 60_000)
    await installation.redis?.flush()
    startWorker(installation)
    const through = await awaitThrough(installation)
    await stopPrograms(installation)
    const problems = through ? [] : ['the edition was not through within two minutes']
    return [await rowFor(installation, SWEEP_ALONE, { kills: 1, problems })]
  } finally {
    await closeInstallation(installation)
  }
}

/** Opens every link of every reader before the edition goes out. This must unsubscribe no one. */
async function scanner(context: Context): Promise<Row[]> {
  const installation = await makeInstallation(context, { subscribers: 60 })
  try {
    const [web] = await startWebs(installation, 1)
    const problems = web ? await openEveryLink(installation.file, web.url) : ['the pages did not start']
    startWorker(installation)
    if (!(await awaitThrough(installation))) problems.push('the edition was not through within two minutes')
    await stopPrograms(installation)
    return [await rowFor(installation, SCANNER, { problems })]
  } finally {
    await closeInstallation(installation)
  }
}

async function openEveryLink(file: string, url: string): Promise<string[]> {
  const db = new Database(file, { readonly: true })
  const publicIds = db.prepare<[], string>('select public_id from subscribers').pluck().all()
  db.close()
  const statuses = new Map<number, number>()
  for (const publicId of publicIds)
    for (const purpose of ['unsubscribe', 'preferences'] as const)
      for (const method of ['HEAD', 'GET']) {
        const link = `${url}/${purpose}/${signToken(LINK_SECRET, purpose, publicId)}`
        const { status } = await fetch(link, { method })
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
  const odd = [...statuses].filter(([status]) => status >= 500)
  return odd.map(([status, count]) => `${count} links are answered ${status}`)
}
