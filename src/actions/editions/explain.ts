import type { Installation } from '../../app.ts'
import type { Exclusion } from '../../core/audience/exclusion.ts'
import { REASONS } from '../../core/audience/reasons.ts'
import { formatOccurrence } from '../../core/time/occurrences.ts'
import { deliveriesTo, type PastDelivery } from '../../db/ledger/deliveries.ts'
import { type Edition, findEdition } from '../../db/ledger/editions.ts'
import { type Wait, waitsOf } from '../../db/ledger/waits.ts'
import { findByEmailHash, type Subscriber } from '../../db/people/subscribers.ts'
import { findSuppression, type Suppression } from '../../db/people/suppressions.ts'
import { keyOf } from '../subscribers/consent.ts'

/** Why someone did or did not get an edition. `state` and `reason` are for programs, `sentence` is for people. */
export type Explanation = {
  email: string
  edition: string
  state: PastDelivery['state'] | 'never-candidate' | 'not-planned' | 'removed'
  reason: string | null
  sentence: string
  /** The edition (0) and its resends, as far as they concern this reader. */
  generations: { generation: number; state: PastDelivery['state']; reason: string | null }[]
}

type Needs = Pick<Installation, 'store' | 'config' | 'hashKey' | 'now'>
/** What one part of the story comes to; `says` is what happened to the reader, and why. */
type Finding = { state: Explanation['state']; reason: string | null; says: string }
type Story = {
  subscriber: Subscriber
  suppression: Suppression | null
  edition: Edition
  /** What the batch of a waiting delivery waits for, if anything. */
  wait: Wait | null
  keptDays: number
  date: (at: number) => string
  time: (at: number) => string
}

/** Answers "why did this person (not) get that edition?". Null: there is no such edition. Throws `BadInput` for no address. */
export async function explain(app: Needs, email: string, editionId: string): Promise<Explanation | null> {
  const edition = await findEdition(app.store, editionId)
  const emailHash = keyOf(app.hashKey, email)
  if (edition === null) return null
  const subscriber = await findByEmailHash(app.store, emailHash)
  const suppression = await findSuppression(app.store, emailHash)
  const deliveries = subscriber ? await deliveriesTo(app.store, subscriber.id, editionId) : []
  const waiting = deliveries.find(({ state }) => state === 'waiting')?.batch
  const [wait = null] = waiting ? await waitsOf(app.store, editionId, waiting.id) : []
  const story = subscriber && {
    subscriber,
    suppression,
    edition,
    wait,
    keptDays: app.config.RETENTION_DAYS,
    ...clock(app.config.DIGEST_TIME_ZONE, app.now()),
  }
  const findings = story ? deliveries.map((delivery) => ofDelivery(delivery, story)) : []

  // A mail that was accepted answers the question; else the latest try does.
  const best = findings.findLastIndex(({ state }) => state === 'submitted')
  const finding = story ? (findings.at(best) ?? withoutDelivery(story)) : ofStranger(suppression)
  const { generation = 0 } = deliveries.at(best) ?? {}
  const before = generation > 0 ? deliveries[0] : undefined
  const first = before && before.generation === 0 && findings[0] ? `at first, ${findings[0].says}; ` : ''
  const when = generation > 0 ? `in resend #${generation}, ` : ''
  return {
    email: subscriber?.email ?? email.trim(),
    edition: editionId,
    state: finding.state,
    reason: finding.reason,
    sentence: capitalised(`${first}${when}${finding.says}.`),
    generations: deliveries.map(({ generation, state, reason }) => ({ generation, state, reason })),
  }
}

function ofDelivery(delivery: PastDelivery, story: Story): Finding {
  const { state, reason } = delivery
  switch (state) {
    case 'submitted':
      return { state, reason, says: `emailed: ${accepted(delivery, story)}` }
    case 'excluded':
      return {
        state,
        reason,
        says: `not emailed: ${whyExcluded(reason ?? '', story)}`,
      }
    case 'failed':
      return { state, reason, says: `not emailed: the email failed: ${ended(reason)}` }
    case 'unknown':
      return {
        state,
        reason,
        says: `maybe emailed: no certain answer came from the provider: ${ended(reason)}`,
      }
    case 'waiting':
      return { state, ...ofWaiting(delivery.batch, story) }
  }
}

function accepted(
  { batch, providerId, report, reportedAt }: PastDelivery,
  { suppression, time }: Story,
): string {
  const at = batch?.submittedAt ? ` on ${time(batch.submittedAt)}` : ''
  const id = providerId === null ? '' : ` (as ${providerId})`
  const since = report === null ? '' : REPORTS[report]
  const when = since && reportedAt ? ` (${time(reportedAt)})` : ''
  const now = suppression ? `; ${SUPPRESSED[suppression.reason]}` : ''
  return `the provider accepted the email${at}${id}${since}${when}${now}`
}

const REPORTS: Record<NonNullable<PastDelivery['report']>, string> = {
  sent: '',
  delayed: ', but could not deliver it so far and keeps trying',
  delivered: ', and their mail server accepted it',
  bounced: ', but their mail server bounced it',
  complained: ', and they marked it as spam',
  suppressed: ', but did not send it on, because it refuses to send to their address',
  failed: ', but could not deliver it',
}

function whyExcluded(reason: string, story: Story): string {
  const { subscriber, suppression, edition, date } = story
  const { pausedUntil, unsubscribedAt, lastEditionId, status } = subscriber
  const known = Object.hasOwn(REASONS, reason)
    ? REASONS[reason as Exclusion].past
    : `they were excluded as ${reason}`
  switch (reason) {
    case 'suppressed':
      return suppression ? SUPPRESSED[suppression.reason] : known
    case 'unsubscribed':
      return unsubscribedAt && status === 'unsubscribed' ? `${known} (${date(unsubscribedAt)})` : known
    case 'paused':
      return `${known}${pausedUntil && pausedUntil > edition.scheduledFor ? ` until ${date(pausedUntil)}` : ''}`
    case 'monthly-not-due':
      return lastEditionId && lastEditionId < edition.id ? `${known} (${lastEditionId})` : known
    default:
      return known
  }
}

const SUPPRESSED: Record<Suppression['reason'], string> = {
  bounce: 'an earlier email to their address bounced permanently, so it is suppressed',
  complaint: 'they marked an earlier email as spam, so their address is suppressed',
  provider: 'the email provider refuses to send to their address, so it is suppressed',
  erased: 'they were erased from the list',
  operator: 'an operator suppressed their address',
}

function ofWaiting(batch: PastDelivery['batch'], { edition, wait, time }: Story): Omit<Finding, 'state'> {
  if (edition.state === 'paused')
    return {
      reason: 'paused',
      says: `not emailed yet: the edition is paused: ${ended(edition.pauseReason)}`,
    }
  if (edition.state === 'planning')
    return { reason: 'planning', says: 'not emailed yet: their turn comes once planning is finished' }
  if (wait)
    return {
      reason: 'in-doubt',
      says: `not emailed yet: their batch waits because ${wait.generation > 0 ? `resend #${wait.generation} of edition` : 'edition'} ${wait.edition} may have reached readers in it, and no certain answer has come from the provider since ${time(wait.since)}; then they get what is still new to them`,
    }
  if (batch?.state === 'submitting') return { reason: 'submitting', says: 'being emailed at this moment' }
  if (batch?.reason) {
    const next =
      batch.nextAttemptAt === null
        ? 'next as soon as a worker is free'
        : `next on ${time(batch.nextAttemptAt)}`
    return {
      reason: batch.reason,
      says: `not emailed yet: their batch is tried again, ${next}, because of this: ${ended(batch.reason)}`,
    }
  }
  return {
    reason: 'waiting',
    says: `not emailed yet: their batch (number ${batch?.number}) waits for its turn`,
  }
}

/** Someone on the list, of whom the edition's ledger knows nothing. */
function withoutDelivery({ subscriber, edition, keptDays, date }: Story): Finding {
  if (subscriber.id > edition.audienceThrough)
    return never(
      'subscribed-later',
      `not emailed: they joined the list (${date(subscriber.createdAt)}) after the edition was planned`,
    )
  if (edition.prunedAt !== null)
    return {
      state: 'removed',
      reason: 'removed',
      says: `no record in this edition any more: who was emailed what is kept for ${keptDays} days, and only the edition's totals are left (RETENTION_DAYS)`,
    }
  if (
    subscriber.id <= edition.plannedThrough ||
    edition.state === 'submitted' ||
    edition.state === 'submitting'
  )
    return never('no-record', 'no record of them in this edition')
  if (edition.state === 'cancelled')
    return never('cancelled', 'not emailed: the edition was cancelled before it was fully planned')
  const why =
    edition.state === 'paused'
      ? `the edition is paused: ${ended(edition.pauseReason)}`
      : 'the edition is still being planned'
  return { state: 'not-planned', reason: edition.state, says: `not emailed yet: ${why}` }
}

function ofStranger(suppression: Suppression | null): Finding {
  if (suppression === null) return never('never-subscribed', "not emailed: this address isn't on the list")
  if (suppression.reason === 'erased')
    return never(
      'erased',
      'erased from the list, so whether they were emailed before that is no longer known',
    )
  return never(`suppressed`, `not emailed: ${SUPPRESSED[suppression.reason]}; it isn't on the list`)
}

function never(reason: string, says: string): Finding {
  return { state: 'never-candidate', reason, says }
}

function clock(zone: string, now: Date) {
  const parts = (at: number) => formatOccurrence(new Date(at), zone, 'en', now)
  return {
    date: (at: number) => parts(at).date,
    time: (at: number) => `${parts(at).date} at ${parts(at).time} ${parts(at).zoneName}`,
  }
}

const ended = (reason: string | null): string => (reason ?? 'no reason was recorded').replace(/[.\s]+$/, '')

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
