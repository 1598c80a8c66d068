import type { App } from '../../app.ts'
import { readDatedToken } from '../../core/tokens.ts'
import {
  canGetFreshLink,
  type FreshKind,
  findByFormerId,
  freshLinkOf,
  planFreshLink,
  useFreshLink,
} from '../../db/people/links.ts'
import { findByPublicId, type Subscriber } from '../../db/people/subscribers.ts'
import { FRESH_LIFE_MS } from './notices.ts'
import { requestLimits } from './request-limits.ts'

type Needs = Pick<App, 'config' | 'store' | 'now'> & { queue: Pick<App['queue'], 'wakeNotices'> }

/** `often`: the address had its emails for thirty days. `not-allowed`: it must not get one, or refused such emails. */
export type FreshAsked = { kind: 'sent' | 'busy' | 'often' | 'not-allowed' | 'unknown-link' }

/** What a fresh link is for, until it expires. */
export type Fresh = { noticeId: number; kind: FreshKind; subscriber: Subscriber }

/**
 * Emails a link for one action to the address on record. The link in an edition may have been forwarded, so it must not be
 * enough to read, move, or delete a person's data.
 */
export async function requestFreshLink(
  app: Needs,
  publicId: string,
  kind: Exclude<FreshKind, 'fresh-links'>,
  fromNetwork: number,
): Promise<FreshAsked> {
  return ask(app, await findByPublicId(app.store, publicId), { kind, renew: false }, fromNetwork)
}

/** Revokes all links of a subscriber, except for unsubscribing, and emails the new one to the address on record. */
export async function renewLinks(app: Needs, publicId: string, fromNetwork: number): Promise<FreshAsked> {
  const subscriber = await findByPublicId(app.store, publicId)
  return ask(app, subscriber, { kind: 'fresh-links', renew: true }, fromNetwork)
}

/** Emails the preferences link to the subscriber who had this public id before their links were renewed. */
export async function requestNewestLink(
  app: Needs,
  formerId: string,
  fromNetwork: number,
): Promise<FreshAsked> {
  const subscriber = await findByFormerId(app.store, formerId)
  return ask(app, subscriber, { kind: 'fresh-links', renew: false }, fromNetwork)
}

/** Emails the preferences link to a subscriber who asked an operator for it. */
export async function sendNewestLink(app: Needs, subscriber: Subscriber): Promise<FreshAsked> {
  return ask(app, subscriber, { kind: 'fresh-links', renew: false }, 1)
}

/** Whether this subscriber can get a fresh link at all. */
export async function canAskFresh({ store }: Pick<App, 'store'>, subscriber: Subscriber): Promise<boolean> {
  return canGetFreshLink(store, subscriber.emailHash)
}

/** The purpose and subscriber of a fresh link; null if it is not ours, is older than fifteen minutes, or was used. */
export async function openFresh(
  { config, store, now }: Pick<App, 'config' | 'store' | 'now'>,
  token: string,
): Promise<Fresh | null> {
  const read = readDatedToken(config.LINK_SECRET, 'fresh', token)
  if (read === null || now().getTime() - read.at.getTime() > FRESH_LIFE_MS) return null
  return freshLinkOf(store, read.publicId)
}

/** Uses up the link; false if someone was faster. */
export async function spendFresh({ store, now }: Pick<App, 'store' | 'now'>, fresh: Fresh): Promise<boolean> {
  return useFreshLink(store, fresh.noticeId, now())
}

async function ask(
  app: Needs,
  subscriber: Subscriber | null,
  what: { kind: FreshKind; renew: boolean },
  fromNetwork: number,
): Promise<FreshAsked> {
  if (subscriber === null) return { kind: 'unknown-link' }
  const limits = await requestLimits(app, fromNetwork)
  const planned = await planFreshLink(app.store, subscriber.id, what, limits, app.now())
  if (planned.kind !== 'planned') return planned
  // Not awaited: it never throws, and the sweep enqueues it too.
  void app.queue.wakeNotices([planned.noticeId])
  return { kind: 'sent' }
}
