import type { App } from '../app.ts'
import { consentEvidence } from '../core/consent-wording.ts'
import { hashEmail, newPublicId, readDatedToken } from '../core/tokens.ts'
import type { TopicChoice } from '../core/topic-choice.ts'
import type { Voice } from '../core/words.ts'
import { changeFact, establishFact, installationFact } from '../db/installation.ts'
import { confirmSignUp, deleteUnconfirmed, readersLately, takeSignUp } from '../db/joining.ts'
import { LINK_LIFE_MS } from './submit-notice.ts'

type Needs = Pick<App, 'config' | 'db' | 'hashKey' | 'now'>
type NeedsQueue = Needs & { queue: Pick<App['queue'], 'wakeNotices'> }

/** What a valid form says; `email` is normalised, `timeZone` an IANA name. */
export type SignUpForm = {
  email: string
  name: string | null
  timeZone: string
  /** BCP 47: how to write to them. */
  locale: string
  discreet: boolean
  topics: TopicChoice
}

/** For the log and the tests alone: whoever signs up gets the same answer to each of them. */
export type SignUpOutcome = {
  kind: 'confirm' | 'already' | 'suppressed' | 'address-limit' | 'overall-limit'
}

export type ConfirmOutcome = { kind: 'confirmed' | 'already' | 'expired' }

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** Mails that sign-ups may cause to one address in a day. */
const MAILS_PER_ADDRESS_A_DAY = 3
/** Mails that all sign-ups together may cause in an hour: one for every hundred readers, within these bounds. */
const MAILS_AN_HOUR = { least: 60, most: 600 }
/** How long an address that was not confirmed is kept. */
const UNCONFIRMED_KEPT_MS = 30 * DAY_MS

/**
 * Takes a sign-up: plans the mail that asks to confirm, or the one that says they are subscribed, and submits neither.
 * Over the limits it is dropped, not put off: what a flood asked for must not reach people's inboxes an hour later,
 * and someone who meant it can ask again.
 */
export async function requestSubscription(app: NeedsQueue, form: SignUpForm): Promise<SignUpOutcome> {
  const now = app.now()
  const since = (ms: number) => new Date(now.getTime() - ms)
  const hundredth = Math.floor((await readersLately(app.db)) / 100)
  const limits = {
    perAddress: { max: MAILS_PER_ADDRESS_A_DAY, since: since(DAY_MS) },
    overall: {
      max: Math.min(MAILS_AN_HOUR.most, Math.max(MAILS_AN_HOUR.least, hundredth)),
      since: since(HOUR_MS),
    },
  }
  const signUp = { ...form, publicId: newPublicId(), emailHash: hashEmail(app.hashKey, form.email) }
  const taken = await takeSignUp(app.db, signUp, limits, now)
  // Rung once the answer is on its way, which must not take longer for those who get a mail. The sweep rings too.
  if ('noticeId' in taken) setImmediate(() => void app.queue.wakeNotices([taken.noticeId]))
  return { kind: taken.kind }
}

/** Who asked for a confirming link, if it is ours and young enough; what the ledger says is left to `confirmSubscription`. */
export function canConfirm(app: Pick<App, 'config' | 'now'>, token: string): string | null {
  return askedBy(app, token)?.publicId ?? null
}

/**
 * Confirms a sign-up by the link in its mail, and plans the mail that welcomes them; it may be repeated. `page` is where
 * the button was pressed, and the language it was in.
 */
export async function confirmSubscription(
  app: Omit<NeedsQueue, 'hashKey'>,
  token: string,
  page: { source: string; voice: Voice },
): Promise<ConfirmOutcome> {
  const asked = askedBy(app, token)
  if (asked === null) return { kind: 'expired' }
  const consent = { text: consentEvidence(app.config.practice, page.voice), source: page.source }
  const confirmed = await confirmSignUp(app.db, asked.publicId, asked.at, consent, app.now())
  // Not awaited: it never throws, and the sweep rings too.
  if (confirmed.kind === 'confirmed') void app.queue.wakeNotices([confirmed.noticeId])
  return { kind: confirmed.kind }
}

/** Deletes, once a day, the sign-ups that nobody confirmed within thirty days. */
export async function forgetUnconfirmed({ db, log, now }: Pick<App, 'db' | 'log' | 'now'>): Promise<void> {
  const today = now().toISOString().slice(0, 10)
  if ((await installationFact(db, 'forgot_pending')) === today) return
  await establishFact(db, 'forgot_pending', 'never')
  const deleted = await deleteUnconfirmed(db, new Date(now().getTime() - UNCONFIRMED_KEPT_MS))
  await changeFact(db, 'forgot_pending', today)
  if (deleted > 0) log.info({ deleted }, 'forgot sign-ups that were not confirmed in thirty days')
}

function askedBy({ config, now }: Pick<App, 'config' | 'now'>, token: string) {
  const asked = readDatedToken(config.LINK_SECRET, 'confirm', token)
  const age = now().getTime() - (asked?.at.getTime() ?? 0)
  return asked !== null && age <= LINK_LIFE_MS ? asked : null
}
