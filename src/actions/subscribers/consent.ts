import type { Installation } from '../../app.ts'
import { BadInput } from '../../core/errors.ts'
import { normalizeEmail } from '../../core/intake/email-address.ts'
import { type HashKey, hashEmail } from '../../core/tokens.ts'
import { findByAnyId } from '../../db/people/links.ts'
import {
  findByEmailHash,
  findByPublicId,
  type Subscriber,
  setResubscribed,
  setUnsubscribed,
} from '../../db/people/subscribers.ts'
import {
  findSuppression,
  type Lifted,
  liftSuppression,
  type Suppression,
} from '../../db/people/suppressions.ts'

type Needs = Pick<Installation, 'store' | 'now'>
type NeedsHash = Pick<Installation, 'store' | 'now' | 'hashKey'>

export type Unsubscribed = { kind: 'unsubscribed' } | { kind: 'already' } | { kind: 'not-found' }

export type Resubscribed =
  | { kind: 'resubscribed' }
  | { kind: 'already' }
  | { kind: 'pending' }
  | { kind: 'suppressed'; reason: Suppression['reason'] }
  | { kind: 'not-found' }

/** How long a link can undo its own unsubscribing. */
const UNDO_MS = 24 * 3_600_000

/** Unsubscribes the subscriber of a link, even of one from before a renewal. Works forever, and any number of times. */
export async function unsubscribe(app: Needs, publicId: string): Promise<Unsubscribed> {
  const subscriber = await findByAnyId(app.store, publicId)
  return end(app, subscriber, 'link')
}

/** Unsubscribes an address for an operator. Throws `BadInput` if it is not an address. */
export async function unsubscribeEmail(app: NeedsHash, email: string): Promise<Unsubscribed> {
  return end(app, await findByEmailHash(app.store, keyOf(app.hashKey, email)), 'operator')
}

/** Undoes an unsubscription by the link that made it, within a day; `too-late` also when an operator ended it. */
export async function resubscribe(
  app: Needs,
  publicId: string,
): Promise<Resubscribed | { kind: 'too-late' }> {
  const subscriber = await findByPublicId(app.store, publicId)
  if (subscriber?.status === 'unsubscribed' && !canUndo(subscriber, app.now())) return { kind: 'too-late' }
  return begin(app, subscriber)
}

/** Whether the subscriber's own link may undo their unsubscribing. It does not check for a suppression. */
export function canUndo(
  subscriber: Pick<Subscriber, 'status' | 'unsubscribedAt' | 'unsubscribedBy'>,
  now: Date,
): boolean {
  const { status, unsubscribedAt, unsubscribedBy } = subscriber
  if (status !== 'unsubscribed' || unsubscribedBy !== 'link') return false
  return now.getTime() - (unsubscribedAt ?? 0) <= UNDO_MS
}

/**
 * Undoes an unsubscription for an operator, at the person's request. An address that is suppressed (it bounced, complained,
 * or was erased) stays so. Throws `BadInput` if it is not an address.
 */
export async function resubscribeEmail(app: NeedsHash, email: string): Promise<Resubscribed> {
  const emailHash = keyOf(app.hashKey, email)
  const outcome = await begin(app, await findByEmailHash(app.store, emailHash))
  if (outcome.kind !== 'not-found') return outcome
  const suppression = await findSuppression(app.store, emailHash)
  return suppression ? { kind: 'suppressed', reason: suppression.reason } : outcome
}

/**
 * Lifts the suppression of an address. `consent` is how and when the person asked for emails, after the suppression: after a
 * complaint the law requires it (CAN-SPAM, 15 U.S.C. §7704(a)(4)(B)). Throws `BadInput` if it is not an address, or
 * `consent` is empty.
 */
export async function allowEmail(
  { store, hashKey, now }: NeedsHash,
  email: string,
  consent: string,
): Promise<Lifted> {
  if (consent.trim() === '')
    throw new BadInput('--consent is empty; say how and when this person asked to get the email again')
  return liftSuppression(store, keyOf(hashKey, email), consent.trim(), now())
}

/** The keyed hash of an address. Throws `BadInput`, without repeating it, if it is not an address. */
export function keyOf(hashKey: HashKey, text: string): string {
  const address = normalizeEmail(text)
  if ('problem' in address) throw new BadInput(`EMAIL ${address.problem}`)
  return hashEmail(hashKey, address.email)
}

async function end(
  { store, now }: Needs,
  subscriber: Subscriber | null,
  by: 'link' | 'operator',
): Promise<Unsubscribed> {
  if (!subscriber) return { kind: 'not-found' }
  return { kind: (await setUnsubscribed(store, subscriber.id, by, now())) ? 'unsubscribed' : 'already' }
}

async function begin({ store, now }: Needs, subscriber: Subscriber | null): Promise<Resubscribed> {
  if (!subscriber) return { kind: 'not-found' }
  const undone = await setResubscribed(store, subscriber, now())
  if (undone) return { kind: 'resubscribed' }
  const suppression = await findSuppression(store, subscriber.emailHash)
  if (suppression) return { kind: 'suppressed', reason: suppression.reason }
  return { kind: subscriber.status === 'pending' ? 'pending' : 'already' }
}
