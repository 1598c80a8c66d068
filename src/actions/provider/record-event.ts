import type { App } from '../../app.ts'
import { type Leaving, readLeaving } from '../../core/mail/received.ts'
import { breakerReason, firstWaveReason } from '../../core/provider/breaker.ts'
import { nameOfReport, readProviderEvent } from '../../core/provider/report.ts'
import { pauseEdition } from '../../db/ledger/edition-states.ts'
import { findEdition, tallyOf } from '../../db/ledger/editions.ts'
import { inFirstWave } from '../../db/ledger/first-wave.ts'
import { type Recorded, storeEvent } from '../../db/ledger/reports.ts'
import { findByAnyId } from '../../db/people/links.ts'
import { failpoint } from '../../failpoint.ts'

type Needs = Pick<App, 'config' | 'store' | 'hashKey' | 'log' | 'metrics' | 'now'>

/**
 * Records a verified event of the provider, once even if it is repeated. Unsubscribes people who asked to by email, and
 * pauses the edition if too much of it bounces. After `stored` or `repeat` the event is on disk; after `busy` it is not, and
 * the provider must send it again.
 */
export async function recordEvent(
  app: Needs,
  { svixId, event }: { svixId: string; event: unknown },
): Promise<Recorded> {
  const read = readProviderEvent(event, app.hashKey, app.now())
  const leaving = readLeaving(event, app.config.LINK_SECRET, app.config.UNSUBSCRIBE_ADDRESS)
  const readers = await Promise.all(leaving?.publicIds.map((id) => findByAnyId(app.store, id)) ?? [])
  const leavers = readers.flatMap((reader) => reader?.id ?? [])
  const recorded = await storeEvent(app.store, app.hashKey, { ...read, svixId, leavers }, app.now())
  failpoint('after-webhook')
  const edition = recorded.kind === 'stored' ? recorded.edition : null
  app.metrics.webhooks.inc({ type: nameOfReport(read.type) })
  const level = recorded.kind === 'busy' || read.type === 'unreadable' ? 'warn' : 'debug'
  app.log[level]({ event: svixId, type: read.type, edition, outcome: recorded.kind }, 'the provider reported')
  if (recorded.kind === 'stored' && leaving) noteLeaving(app, leaving, recorded.left)
  if (recorded.kind === 'stored' && edition !== null) await guard(app, edition, recorded.counted)
  return recorded
}

/** Logs it without an address: neither the sender's nor the recipient's is kept anywhere. */
function noteLeaving({ log }: Needs, { publicIds, toUs }: Leaving, left: number): void {
  if (publicIds.length > 0) log.info({ left }, 'an email asked to unsubscribe')
  else if (toUs)
    log.warn(
      'an email to UNSUBSCRIBE_ADDRESS had no whole token, so nobody was unsubscribed: read it at resend.com/emails/receiving',
    )
}

/**
 * Checked with every event, not only bad ones: once enough emails were submitted, earlier bounces can be too many. For an
 * edition that has ended, it is only logged, once, when the limit is passed.
 */
async function guard(app: Needs, id: string, counted: 'bounced' | 'complained' | null): Promise<void> {
  const edition = await findEdition(app.store, id)
  if (edition === null || edition.breakerOff || edition.bounced + edition.complained === 0) return
  const { submitted } = await tallyOf(app.store, id)
  const harm = { ...edition, submitted }
  const reason = (inFirstWave(edition) && firstWaveReason(harm)) || breakerReason(harm, app.config)
  if (reason === null) return
  if (await pauseEdition(app.store, id, reason, app.now())) {
    app.log.error(
      { edition: id, reason },
      'the edition is paused: see what went wrong, then `edition resume`',
    )
    return
  }
  if (counted === null || edition.state === 'paused') return
  const before = { ...edition, submitted, [counted]: edition[counted] - 1 }
  if (breakerReason(before, app.config) === null)
    app.log.error(
      { edition: id, reason },
      'too late to pause the edition: see what went wrong before the next one',
    )
}
