import { setTimeout } from 'node:timers/promises'
import type { App } from '../../app.ts'
import { changeFact, establishFact, installationFact } from '../../db/restore/facts.ts'
import { pruneStep } from '../../db/retention/retention.ts'
import { removeCopiesBefore } from '../../db/sqlite/wiping.ts'

const DAY_MS = 86_400_000
/** Links to confirm or undo a new address are good for seven days each. A copy serves to go back after an upgrade. */
const SHORT_KEPT_DAYS = 30
/** In one sweep; the next one, a minute later, continues. This way a million deliveries take less than an hour. */
const MOST_STEPS = 400
/** Between two steps, others can use the database and this process. */
const PAUSE_MS = 2

/**
 * Removes, once a day, what is older than RETENTION_DAYS: deliveries with their batches, the provider's reports, notices, and
 * the audit log, in steps of a few milliseconds, and old copies of migrations. Editions and their totals stay. Continues
 * where a stopped process left off.
 */
export async function pruneOld(app: Pick<App, 'config' | 'store' | 'log' | 'now'>): Promise<void> {
  const { store, now } = app
  const today = now().toISOString().slice(0, 10)
  if ((await installationFact(store, 'pruned')) === today) return
  const ago = (days: number) => new Date(now().getTime() - days * DAY_MS)
  const before = { history: ago(app.config.RETENTION_DAYS), requests: ago(SHORT_KEPT_DAYS) }
  let removed = 0
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const rows = await pruneStep(store, before, now())
    removed += rows
    if (rows === 0) {
      await removeCopiesBefore(store, ago(SHORT_KEPT_DAYS))
      await establishFact(store, 'pruned', today)
      await changeFact(store, 'pruned', today)
      break
    }
    await setTimeout(PAUSE_MS)
  }
  if (removed > 0)
    app.log.info({ removed, days: app.config.RETENTION_DAYS }, 'removed rows that are older than is kept')
}
