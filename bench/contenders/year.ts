import { statSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { planEdition } from '../../src/actions/editions/plan.ts'
import { openSubmitter } from '../../src/actions/editions/submit.ts'
import { recordEvent } from '../../src/actions/provider/record-event.ts'
import { slotAtOrBefore } from '../../src/core/time/calendar.ts'
import { owedBatches } from '../../src/db/ledger/batches.ts'
import { finishEdition } from '../../src/db/ledger/edition-states.ts'
import { tallyOf } from '../../src/db/ledger/editions.ts'
import { pruneStep } from '../../src/db/retention/retention.ts'
import { emptyLog } from '../../src/db/sqlite/wiping.ts'
import { openApp } from '../../src/open-app.ts'
import { dbOf } from '../../test/db.ts'
import { benchConfig, quietLog } from '../installation.ts'
import { type Measured, measured, optionsFromBench, tellBench } from '../measure.ts'
import { SLOT } from '../settings.ts'

/** `kept`: editions younger than the retention of this run. */
export type YearOptions = { file: string; providerUrl: string; weeks: number; kept: number }
/** `megabytes`: the file after each week; `steps`: how long each step of removing held the database, ms. */
export type YearOutcome = Measured & { megabytes: number[]; steps: number[] }

const DAY_MS = 86_400_000
const REPORTS = ['email.sent', 'email.delivered']

// Week after week as production does it, with Resend's two reports per email. Old data is removed after each week.
const { file, providerUrl, weeks, kept } = optionsFromBench<YearOptions>()
let now = SLOT.at
const app = await openApp(benchConfig(file, providerUrl), { log: quietLog(), now: () => now })
const sqlite = dbOf(app.store).$client
sqlite.pragma('synchronous = OFF') // the size is asked for, not the time
const megabytes: number[] = []
const steps: number[] = []
tellBench({ ...(await measured(allWeeks)), megabytes, steps })
await app.close()

async function allWeeks(): Promise<number> {
  let mails = 0
  for (let week = 0; week < weeks; week += 1) {
    now = new Date(SLOT.at.getTime() + week * 7 * DAY_MS)
    mails += await oneWeek(week)
    await prune()
    await emptyLog(app.store)
    megabytes.push(statSync(file).size / 1e6)
  }
  return mails
}

async function oneWeek(week: number): Promise<number> {
  // One session of each week is news to everyone.
  sqlite.exec(`update sessions set status = 'full' where id = ${1 + (week % 15)};
    update sessions set status = 'open', occurrences = null where id = ${1 + (week % 15)}`)
  const { edition } = await planEdition(app, slotAtOrBefore(app.config.slotRule, now))
  for (const { id } of await owedBatches(app.store, now, 1_000_000)) await openSubmitter(app).submit(id)
  await finishEdition(app.store, edition.id, now)
  const ids = sqlite
    .prepare<[string], string>(
      'select provider_id from deliveries where edition_id = ? and provider_id is not null',
    )
    .pluck()
    .all(edition.id)
  for (const type of REPORTS)
    for (const email_id of ids) {
      const event = { type, created_at: now.toISOString(), data: { email_id, to: ['reader@sample.test'] } }
      await recordEvent(app, { svixId: `msg_${crypto.randomUUID().replaceAll('-', '').slice(0, 27)}`, event })
    }
  return (await tallyOf(app.store, edition.id)).submitted
}

async function prune(): Promise<void> {
  const before = new Date(now.getTime() - (kept - 0.5) * 7 * DAY_MS)
  for (let rows = 1; rows > 0; ) {
    const start = performance.now()
    rows = await pruneStep(app.store, { history: before, requests: before }, now)
    if (rows > 0) steps.push(performance.now() - start)
    await setTimeout(0)
  }
}
