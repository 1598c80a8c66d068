import { linkSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { openSubmitter } from '../../src/actions/editions/submit.ts'
import { recordStart } from '../../src/actions/editions/sweep.ts'
import { release } from '../../src/actions/restore/release.ts'
import { watchEpoch } from '../../src/actions/restore/watch-epoch.ts'
import type { App } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { damageIn } from '../../src/db/checks.ts'
import { owedBatches } from '../../src/db/ledger/batches.ts'
import { currentHold } from '../../src/db/restore/epoch.ts'
import { obeyTests } from '../../src/failpoint.ts'
import { openLog } from '../../src/log.ts'
import { openApp } from '../../src/open-app.ts'
import { sweep } from '../../src/recurring.ts'
import { dbOf } from '../db.ts'
import {
  closeInstallation,
  guardsOff,
  type Installation,
  makeInstallation,
  rowFor,
  startWorker,
} from './installation.ts'
import { judge, ledgerOf } from './judge.ts'
import { startNode, until, withRedis } from './programs.ts'
import { type Random, randomFrom } from './random.ts'
import type { Context, Row } from './scenario.ts'

const READERS = 500

type Torn = {
  settings: Record<string, string>
  file: string
  redisPort: number
  rounds: number
  seed: number
}
type TornResult = { held: number; replanned: number; problems: string[] }

/**
 * Kills a worker in the middle of sending. Then, again and again, cuts its write-ahead log at a random place, as a power cut
 * or a disk that lies about syncing may do, and lets the installation continue from there. The provider remembers
 * everything that was submitted before, also in earlier rounds.
 */
export async function tornLogs(context: Context): Promise<Row> {
  const rounds = context.quick ? 10 : 200
  const settings = { RESEND_REQUESTS_PER_SECOND: '20' }
  const installation = await makeInstallation(context, { subscribers: READERS, settings })
  try {
    await killMidway(installation)
    const torn: Torn = {
      settings: { ...installation.settings, RESEND_REQUESTS_PER_SECOND: '1000' },
      file: installation.file,
      redisPort: installation.redis?.port ?? 0,
      rounds,
      seed: context.seed,
    }
    installation.ledger.close() // otherwise it would keep using the uncut log
    const program = startNode([join(import.meta.dirname, 'torn-log.ts'), JSON.stringify(torn)], {
      cwd: installation.folder,
      env: guardsOff(context.removed),
    })
    const { code } = await program.ended
    if (code !== 0) throw new Error(`it ended with ${code}: ${program.output().slice(-800)}`)
    const { held, replanned, problems } = JSON.parse(program.stdout()) as TornResult
    const note = `cut ${rounds} times: ${replanned} lost the whole edition, ${held} were held as older and released; always sound`
    const ledger = new Database(installation.file, { timeout: 10_000 })
    try {
      return await rowFor({ ...installation, ledger }, 'a torn log', { kills: 1, problems, note })
    } finally {
      ledger.close()
    }
  } finally {
    await closeInstallation(installation)
  }
}

async function killMidway(installation: Installation): Promise<void> {
  await installation.standIn.inject({ kind: 'late', ms: 100, times: 4 })
  const worker = startWorker(installation)
  await until(async () => (await installation.standIn.summary()).accepted >= READERS / 2, 'mail goes out')
  await worker.kill()
}

async function goOnFromEveryCut(torn: Torn): Promise<TornResult> {
  const { file, rounds } = torn
  const [database, log] = [readFileSync(file), readFileSync(`${file}-wal`)]
  linkSync(`${file}.epoch`, `${file}.epoch-kept`) // a link, not a copy: a copy would cause a hold
  const random = randomFrom(torn.seed)
  const result: TornResult = { held: 0, replanned: 0, problems: [] }
  for (let round = 0; round < rounds; round += 1) {
    writeFileSync(file, database, { flag: 'r+' })
    truncateSync(file, database.length)
    writeFileSync(`${file}-wal`, log.subarray(0, cutIn(log.length, random)))
    rmSync(`${file}-shm`, { force: true })
    rmSync(`${file}.epoch`, { force: true })
    linkSync(`${file}.epoch-kept`, `${file}.epoch`)
    await withRedis(torn.redisPort, (redis) => redis.flushall())
    const { held, replanned, problems } = await goOn(torn)
    result.held += held ? 1 : 0
    result.replanned += replanned ? 1 : 0
    for (const problem of problems)
      if (result.problems.length < 5) result.problems.push(`cut ${round}: ${problem}`)
  }
  return result
}

/** Anywhere; every other time in the last tenth, where the database does not yet look like an older copy. */
function cutIn(length: number, random: Random): number {
  return random.chance(0.5) ? random.below(length + 1) : length - random.below(length / 10)
}

async function goOn({ settings }: Torn) {
  const app = await openApp(loadConfig(settings), { log: openLog('silent') })
  try {
    const problems = await damageIn(app.store)
    const replanned = dbOf(app.store).$client.prepare('select count(*) from editions').pluck().get() === 0
    await watchEpoch(app)
    const held = (await currentHold(app.store)) !== null
    if (held) {
      await sweep(app)
      if ((await work(app)) > 0) problems.push('it mailed while it was held')
      await release(app, 'go-on')
    }
    await recordStart(app)
    await sweep(app)
    await work(app)
    await sweep(app)
    // The parent process checks what the provider accepted. Here: every delivery has ended, and the sums are right.
    const everyone = new Map(Array.from({ length: READERS }, (_, n) => [`reader-${n + 1}@sample.test`, 1]))
    const verdict = judge(everyone, ledgerOf(dbOf(app.store).$client), { recipients: READERS })
    return { held, replanned, problems: [...problems, ...verdict.problems] }
  } finally {
    await app.close()
  }
}

/** Submits what is owed; returns the number of batches. */
async function work(app: App): Promise<number> {
  let submitted = 0
  for (const { id } of await owedBatches(app.store, app.now(), 1_000))
    if ((await openSubmitter(app).submit(id)).kind === 'submitted') submitted += 1
  return submitted
}

if (import.meta.main) {
  obeyTests(process.env)
  console.log(JSON.stringify(await goOnFromEveryCut(JSON.parse(process.argv[2] ?? '') as Torn)))
}
