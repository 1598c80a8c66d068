import { stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { editionsWaiting, type Schedule } from '../actions/editions/sweep.ts'
import type { App } from '../app.ts'
import type { Config } from '../config.ts'
import { nextSlot, slotAtOrBefore } from '../core/time/calendar.ts'
import { sizeOnServer } from '../db/checks.ts'
import { findEdition, tallyOf } from '../db/ledger/editions.ts'
import { ledgerStats } from '../db/ledger/stats.ts'
import { currentHold } from '../db/restore/epoch.ts'
import { installationFact } from '../db/restore/facts.ts'
import { sessionsVersion } from '../db/sessions/sessions.ts'
import type { Readings } from '../metrics/metrics.ts'

type Watched = Pick<App, 'config' | 'store' | 'now'> & {
  queue: Pick<App['queue'], 'backlog' | 'stats' | 'workers'>
}

/** The state of each part that must work for emails to go out. */
export type Readiness = { database: PartState; redis: PartState; disk: PartState; held: PartState }
type PartState = 'ok' | 'unavailable' | 'full' | 'held'

const ANSWER_WITHIN_MS = 2_000
/** Below this, the disk counts as full: SQLite and Redis need free space to work and to recover. */
export const LEAST_FREE_BYTES = 64 * 1024 ** 2

/** Checks each part. Never throws, and returns within seconds. */
export async function readiness(app: Watched): Promise<Readiness> {
  const [database, redis, free, hold] = await Promise.all([
    inTimeOrNull(async () => sessionsVersion(app.store)),
    inTimeOrNull(async () => app.queue.backlog()),
    inTimeOrNull(() => freeBytes(app.config)),
    orNull(() => currentHold(app.store)),
  ])
  return {
    database: database === null ? 'unavailable' : 'ok',
    redis: redis === null ? 'unavailable' : 'ok',
    disk: free === null ? 'unavailable' : free < LEAST_FREE_BYTES ? 'full' : 'ok',
    held: hold === null ? 'ok' : 'held',
  }
}

/**
 * How long the current slot has been due with its edition unfinished, in ms. 0 if the edition is finished or cancelled, or
 * if the slot was before this installation's first start. A skipped slot counts as late until the next slot.
 */
export async function lateMs(app: Pick<App, 'config' | 'store' | 'now'>): Promise<number> {
  const schedule = await installationFact(app.store, 'schedule')
  if (schedule === null) return 0
  const { at, editionId } = slotAtOrBefore(app.config.slotRule, app.now())
  if (at.getTime() < (JSON.parse(schedule) as Schedule).since) return 0
  const edition = await findEdition(app.store, editionId)
  const planned = edition !== null && (edition.plannedAt !== null || edition.state === 'cancelled')
  const finished = planned && (await tallyOf(app.store, editionId, 0)).waiting === 0
  return finished ? 0 : app.now().getTime() - at.getTime()
}

/** Everything that `/metrics` reads at a scrape; null for what could not be read. Never throws. */
export async function readings(app: Watched): Promise<Readings> {
  const [parts, ledger, queue, workers, free, size] = await Promise.all([
    readiness(app),
    orNull(() => ledgerReadings(app)),
    inTimeOrNull(() => app.queue.stats()),
    inTimeOrNull(() => app.queue.workers()),
    orNull(() => freeBytes(app.config)),
    orNull(() => sizeOf(app)),
  ])
  return {
    ...(ledger ?? UNREAD_LEDGER),
    part_ready: Object.fromEntries(
      Object.entries(parts).map(([part, state]) => [part, state === 'ok' ? 1 : 0]),
    ),
    held: parts.held === 'held' ? 1 : 0,
    next_slot_timestamp_seconds: nextSlot(app.config.slotRule, app.now()).at.getTime() / 1000,
    rate_limit_per_second: queue && queue.perSecond,
    workers,
    batch_jobs: queue && queue.batchJobs,
    edition_jobs: queue && queue.editionJobs,
    disk_free_bytes: free,
    database_bytes: size,
  }
}

/** Free bytes on the disk that holds this file. Throws if its folder cannot be read. */
async function freeBytes({ DATABASE_PATH, DATABASE_URL }: Config): Promise<number> {
  // With Postgres, what this process needs of its own disk is a private Redis at most.
  const folder = DATABASE_URL === undefined ? dirname(resolve(DATABASE_PATH)) : tmpdir()
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

async function ledgerReadings(app: Watched) {
  const now = app.now().getTime()
  const secondsSince = (at: number | null | undefined) => (at == null ? null : (now - at) / 1000)
  const ledger = await ledgerStats(app.store)
  return {
    editions: ledger.editions,
    editions_paused: ledger.paused,
    editions_waiting: await editionsWaiting(app),
    deliveries: ledger.deliveries,
    last_edition_deliveries: ledger.newestDeliveries,
    last_edition_age_seconds: secondsSince(ledger.newest?.scheduledFor),
    late_seconds: (await lateMs(app)) / 1000,
    batches_owed: ledger.batchesOwed,
    notices_owed: ledger.noticesOwed,
    suppressions: ledger.suppressions,
    last_report_age_seconds: secondsSince(ledger.lastReportAt),
  }
}

const UNREAD_LEDGER = {
  editions: null,
  editions_paused: null,
  editions_waiting: null,
  deliveries: null,
  last_edition_deliveries: null,
  last_edition_age_seconds: null,
  late_seconds: null,
  batches_owed: null,
  notices_owed: null,
  suppressions: null,
  last_report_age_seconds: null,
}

async function sizeOf({ config, store }: Watched): Promise<number> {
  if (store.postgres) return sizeOnServer(store)
  const path = resolve(config.DATABASE_PATH)
  const bytes = async (file: string) =>
    stat(file).then(
      ({ size }) => size,
      () => 0,
    )
  return (await stat(path)).size + (await bytes(`${path}-wal`))
}

/** The result of `ask`; null if it fails or takes too long. */
async function inTimeOrNull<T>(ask: () => Promise<T | null>): Promise<T | null> {
  const tooLate = setTimeout(ANSWER_WITHIN_MS, null, { ref: false })
  return Promise.race([orNull(ask), tooLate])
}

async function orNull<T>(ask: () => Promise<T | null>): Promise<T | null> {
  try {
    return await ask()
  } catch {
    return null
  }
}
