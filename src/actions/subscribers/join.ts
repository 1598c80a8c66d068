import type { App } from '../../app.ts'
import type { TopicChoice } from '../../core/audience/seen.ts'
import { hashEmail, newPublicId, readDatedToken } from '../../core/tokens.ts'
import { consentEvidence } from '../../core/words/consent.ts'
import type { Translator } from '../../core/words/words.ts'
import { forgetAddressChanges } from '../../db/people/address-changes.ts'
import { forgetRequests } from '../../db/people/requested-emails.ts'
import { confirmSignUp, deleteUnconfirmed, type SignUpTaken, takeSignUp } from '../../db/people/sign-ups.ts'
import { changeFact, establishFact, installationFact } from '../../db/restore/facts.ts'
import { LINK_LIFE_MS } from './notices.ts'
import { enqueueUnseen, REQUESTS_COUNT_MS, requestLimits } from './request-limits.ts'

type Needs = Pick<App, 'config' | 'store' | 'hashKey' | 'now'>
type NeedsQueue = Needs & { queue: Pick<App['queue'], 'wakeNotices'> }

/** A valid form. `email` is normalized, `timeZone` an IANA name. */
export type SignUpForm = {
  email: string
  name: string | null
  timeZone: string
  /** The language of their emails, BCP 47. */
  locale: string
  discreet: boolean
  topics: TopicChoice
}

/** Only for the log and tests, except for `busy`: the visitor gets the same answer in all other cases. */
export type SignUpOutcome = { kind: SignUpTaken['kind'] }

export type ConfirmOutcome = { kind: 'confirmed' | 'already' | 'expired' }

/** How long an unconfirmed address is kept. */
const UNCONFIRMED_KEPT_MS = 30 * 86_400_000

/**
 * Takes a sign-up: plans the email that asks to confirm, or that says they are already subscribed, and does not submit it.
 * Over the limits, it is dropped and not delayed: the emails of a flood must not arrive an hour later, and a real person can
 * try again. `fromNetwork`: the number of this request among those of its network in the last hour.
 */
export async function requestSubscription(
  app: NeedsQueue & Pick<App, 'pace'>,
  form: SignUpForm,
  fromNetwork: number,
): Promise<SignUpOutcome> {
  const now = app.now()
  const delayMs = app.pace.emailDelayMs()
  const dueAt = delayMs === 0 ? null : new Date(now.getTime() + delayMs)
  const signUp = { ...form, publicId: newPublicId(), emailHash: hashEmail(app.hashKey, form.email) }
  const taken = await takeSignUp(app.store, signUp, await requestLimits(app, fromNetwork), { now, dueAt })
  if (taken.kind !== 'busy') enqueueUnseen(app, 'noticeId' in taken ? taken.noticeId : null, delayMs)
  return { kind: taken.kind }
}

/** The subscriber of a link to confirm, if it is ours and has not expired; `confirmSubscription` asks the database. */
export function canConfirm(app: Pick<App, 'config' | 'now'>, token: string): string | null {
  return askedBy(app, token)?.publicId ?? null
}

/**
 * Confirms a sign-up by the link in its email, and plans the welcome email. Safe to repeat. `page` is where the button was
 * pressed, and the language of that page.
 */
export async function confirmSubscription(
  app: Omit<NeedsQueue, 'hashKey'>,
  token: string,
  page: { source: string; translator: Translator },
): Promise<ConfirmOutcome> {
  const asked = askedBy(app, token)
  if (asked === null) return { kind: 'expired' }
  const consent = { text: consentEvidence(app.config.practice, page.translator), source: page.source }
  const confirmed = await confirmSignUp(app.store, asked.publicId, asked.at, consent, app.now())
  // Not awaited: it never throws, and the sweep enqueues it too.
  if (confirmed.kind === 'confirmed') void app.queue.wakeNotices([confirmed.noticeId])
  return { kind: confirmed.kind }
}

/** Deletes, once a day, sign-ups that were not confirmed within thirty days, and requests that no longer count. */
export async function forgetUnconfirmed({
  store,
  log,
  now,
}: Pick<App, 'store' | 'log' | 'now'>): Promise<void> {
  const today = now().toISOString().slice(0, 10)
  if ((await installationFact(store, 'forgot_pending')) === today) return
  await establishFact(store, 'forgot_pending', 'never')
  const deleted = await deleteUnconfirmed(store, new Date(now().getTime() - UNCONFIRMED_KEPT_MS))
  await forgetRequests(store, new Date(now().getTime() - REQUESTS_COUNT_MS))
  await forgetAddressChanges(store, new Date(now().getTime() - LINK_LIFE_MS))
  await changeFact(store, 'forgot_pending', today)
  if (deleted > 0) log.info({ deleted }, 'forgot sign-ups that were not confirmed in thirty days')
}

function askedBy({ config, now }: Pick<App, 'config' | 'now'>, token: string) {
  const asked = readDatedToken(config.LINK_SECRET, 'confirm', token)
  const age = now().getTime() - (asked?.at.getTime() ?? 0)
  return asked !== null && age <= LINK_LIFE_MS ? asked : null
}
