import type { App } from '../../app.ts'
import { normalizeEmail } from '../../core/intake/email-address.ts'
import type { FormError } from '../../core/intake/fields.ts'
import { addressFormError } from '../../core/intake/preferences.ts'
import { hashEmail, type Purpose, readDatedToken } from '../../core/tokens.ts'
import { consentEvidence } from '../../core/words/consent.ts'
import type { Translator } from '../../core/words/words.ts'
import {
  addAddressChange,
  forgetAddressChanges,
  type Replaced,
  replaceAddress,
  undoAddressChange,
} from '../../db/people/address-changes.ts'
import type { Fresh } from './fresh-links.ts'
import { LINK_LIFE_MS } from './notices.ts'
import { enqueueUnseen, requestLimits } from './request-limits.ts'

type NeedsQueue = Pick<App, 'config' | 'store' | 'hashKey' | 'now' | 'pace'> & {
  queue: Pick<App['queue'], 'wakeNotices'>
}

export type AddressAsked =
  | { kind: 'asked' | 'busy' | 'spent' | 'not-subscribed' }
  | { kind: 'invalid'; errors: FormError[] }
export type AddressConfirmed = { kind: 'confirmed' | 'expired' | 'not-subscribed' }

/**
 * Asks a new address to confirm that emails may go there, and uses up the fresh link that allows it. The answer and its work
 * are the same if the address is free, subscribed, suppressed, or was asked before: no one must learn who else is on the list.
 */
export async function requestAddressChange(
  app: NeedsQueue,
  fresh: Fresh,
  text: string,
  fromNetwork: number,
): Promise<AddressAsked> {
  const { subscriber } = fresh
  if (subscriber.status !== 'active') return { kind: 'not-subscribed' }
  const address = normalizeEmail(text)
  if ('fault' in address) return invalid(addressFormError(address.fault))
  const emailHash = hashEmail(app.hashKey, address.email)
  if (emailHash === subscriber.emailHash) return invalid({ field: 'email', key: 'page.wrong.email.same' })

  const now = app.now()
  await forgetAddressChanges(app.store, new Date(now.getTime() - LINK_LIFE_MS))
  const change = { subscriberId: subscriber.id, email: address.email, emailHash }
  const limits = await requestLimits(app, fromNetwork)
  const delayMs = app.pace.emailDelayMs()
  const asked = await addAddressChange(app.store, change, limits, {
    now,
    dueAt: delayMs === 0 ? null : new Date(now.getTime() + delayMs),
    fresh: fresh.noticeId,
  })
  if (asked.kind === 'busy' || asked.kind === 'spent') return { kind: asked.kind }
  enqueueUnseen(app, 'noticeId' in asked ? asked.noticeId : null, delayMs)
  return { kind: 'asked' }
}

/** Whether a link to confirm a new address is ours and has not expired; `confirmAddressChange` asks the database. */
export function canConfirmAddress(app: Pick<App, 'config' | 'now'>, token: string): string | null {
  return changeIn(app, 'change-address', token)
}

/**
 * Moves the subscription to the address that got the link, and emails the old one. Safe to repeat. Does not reveal whether
 * the address has a subscription of its own, or cannot get our emails. `page` is where the button was pressed.
 */
export async function confirmAddressChange(
  app: NeedsQueue,
  token: string,
  page: { source: string; translator: Translator; fromNetwork: number },
): Promise<AddressConfirmed & { outcome: Replaced['kind'] }> {
  const changeId = canConfirmAddress(app, token)
  const consent = { text: consentEvidence(app.config.practice, page.translator), source: page.source }
  const limits = await requestLimits(app, page.fromNetwork)
  const replaced: Replaced =
    changeId === null
      ? { kind: 'unknown' }
      : await replaceAddress(app.store, changeId, consent, limits, app.now())
  // Not awaited: it never throws, and the sweep enqueues it too.
  if ('noticeIds' in replaced) void app.queue.wakeNotices(replaced.noticeIds)
  return { kind: answerTo(replaced), outcome: replaced.kind }
}

function answerTo({ kind }: Replaced): AddressConfirmed['kind'] {
  switch (kind) {
    case 'changed':
    case 'already':
    case 'taken':
      return 'confirmed'
    case 'replaced':
    case 'unknown':
      return 'expired'
    case 'not-subscribed':
      return kind
  }
}

/** Whether a link to undo a change is ours and has not expired. */
export function canUndoAddress(app: Pick<App, 'config' | 'now'>, token: string): string | null {
  return changeIn(app, 'undo-address', token)
}

/**
 * Returns the subscription to its earlier address; `ended` if someone ended it since. Null if the link has expired or was
 * used.
 */
export async function undoAddress(
  app: Pick<App, 'config' | 'store' | 'now'>,
  token: string,
): Promise<'undone' | 'ended' | null> {
  const changeId = canUndoAddress(app, token)
  return changeId === null ? null : undoAddressChange(app.store, changeId, app.now())
}

function changeIn({ config, now }: Pick<App, 'config' | 'now'>, purpose: Purpose, token: string) {
  const read = readDatedToken(config.LINK_SECRET, purpose, token)
  return read !== null && now().getTime() - read.at.getTime() <= LINK_LIFE_MS ? read.publicId : null
}

const invalid = (error: FormError): AddressAsked => ({ kind: 'invalid', errors: [error] })
