import type { Installation } from '../../app.ts'
import type { Config } from '../../config.ts'
import { withIsoDates } from '../../core/iso-dates.ts'
import { lastReportTo } from '../../db/ledger/reports.ts'
import { eraseSubscriber } from '../../db/people/erasures.ts'
import { type PersonalData, personalDataOf } from '../../db/people/personal-data.ts'
import { type Suppression, wasErased } from '../../db/people/suppressions.ts'
import { type LeftToWipe, leftToWipe } from '../../db/sqlite/wiping.ts'
import { keyOf } from './consent.ts'

type Needs = Pick<Installation, 'store' | 'hashKey' | 'now'>

/** A subscriber at a glance. `topics`: null = all. Instants are ISO, UTC. */
export type Shown =
  | {
      kind: 'found'
      subscriber: {
        email: string
        name: string | null
        status: string
        timeZone: string
        locale: string
        cadence: string
        topics: string[] | null
        consent: { text: string | null; source: string | null; at: string | null }
        unsubscribedAt: string | null
        pausedUntil: string | null
        lastEdition: string | null
        /** The provider's last report of an email to them. */
        lastReport: { edition: string; report: string; at: string | null } | null
        suppressed: Suppression['reason'] | null
      }
    }
  | { kind: 'not-found'; suppressed: Suppression['reason'] | null }

/** `retentionDays`: how far back deliveries, events, notices and the audit log go. */
export type Exported =
  | { kind: 'found'; record: PersonalData & { retentionDays: number } }
  | { kind: 'not-found' }

/** `left`: what could not be erased yet, and is erased later, automatically. */
export type Erased = { kind: 'erased'; left: LeftToWipe } | { kind: 'already' } | { kind: 'not-found' }

/** What an operator needs to see of one subscriber. Throws `BadInput` if it is not an address. */
export async function showSubscriber({ store, hashKey }: Omit<Needs, 'now'>, email: string): Promise<Shown> {
  const { subscriber, topics, suppression } = await personalDataOf(store, keyOf(hashKey, email))
  const suppressed = suppression?.reason ?? null
  if (!subscriber) return { kind: 'not-found', suppressed }
  const report = await lastReportTo(store, subscriber.id)
  const chosen = topics.filter((topic) => topic.chosen).map((topic) => topic.topic)
  return {
    kind: 'found',
    subscriber: {
      email: subscriber.email,
      name: subscriber.name,
      status: subscriber.status,
      timeZone: subscriber.timeZone,
      locale: subscriber.locale,
      cadence: subscriber.cadence,
      topics: chosen.length === 0 ? null : chosen,
      consent: {
        text: subscriber.consentText,
        source: subscriber.consentSource,
        at: iso(subscriber.consentedAt),
      },
      unsubscribedAt: iso(subscriber.unsubscribedAt),
      pausedUntil: iso(subscriber.pausedUntil),
      lastEdition: subscriber.lastEditionId,
      lastReport: report && { ...report, at: iso(report.at) },
      suppressed,
    },
  }
}

/** Everything held about an address, for the person who asks (GDPR art. 15); instants also as dates. Throws `BadInput` if it is not an address. */
export async function exportSubscriber(
  { config, store, hashKey }: Omit<Needs, 'now'> & { config: Pick<Config, 'RETENTION_DAYS'> },
  email: string,
): Promise<Exported> {
  const record = await personalDataOf(store, keyOf(hashKey, email))
  const { subscriber, suppression, refusedAt, erasedAt, requestedEmails } = record
  const marks = [suppression, refusedAt, erasedAt].some((mark) => mark !== null)
  if (!subscriber && !marks && requestedEmails.length === 0) return { kind: 'not-found' }
  return { kind: 'found', record: withIsoDates({ ...record, retentionDays: config.RETENTION_DAYS }) }
}

/** Erases a subscriber; only the keyed hash stays, so that no import emails them. Throws `BadInput` if it is not an address. */
export async function erase({ store, hashKey, now }: Needs, email: string): Promise<Erased> {
  const emailHash = keyOf(hashKey, email)
  if (await eraseSubscriber(store, emailHash, now())) return { kind: 'erased', left: await leftToWipe(store) }
  return { kind: (await wasErased(store, emailHash)) ? 'already' : 'not-found' }
}

function iso(instant: number | null): string | null {
  return instant === null ? null : new Date(instant).toISOString()
}
