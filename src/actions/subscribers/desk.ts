import { createHmac } from 'node:crypto'
import type { App } from '../../app.ts'
import { normalizeEmail } from '../../core/intake/email-address.ts'
import { hashEmail } from '../../core/tokens.ts'
import { recordOf } from '../../db/audit.ts'
import { someEditions } from '../../db/ledger/editions.ts'
import { countTry } from '../../db/operators/tries.ts'
import { findByEmailHash, findByPublicId, type Subscriber } from '../../db/people/subscribers.ts'
import { type Explanation, explain } from '../editions/explain.ts'
import { type ResendOutcome, resendEdition } from '../editions/resend.ts'
import { demand } from '../operators/acting.ts'
import { type Resubscribed, resubscribeEmail, type Unsubscribed, unsubscribeEmail } from './consent.ts'
import { type FreshAsked, sendNewestLink } from './fresh-links.ts'
import { endPause, type Paused, pauseMail } from './preferences.ts'
import { type Erased, type Exported, erase, exportSubscriber, showSubscriber } from './records.ts'

// What the front desk does for one person, who asked. All of it is on record under the operator's name.

type Needs = Pick<App, 'config' | 'store' | 'now' | 'hashKey' | 'actor' | 'queue'>

const EDITIONS = 4
/** Enough for a busy desk, and too few to try out a list of addresses. */
const LOOK_UPS = { anHour: 60, aDay: 300 }
const [HOUR_MS, DAY_MS] = [3_600_000, 24 * 3_600_000]

export type Looked =
  | { kind: 'found'; publicId: string }
  | { kind: 'not-found' | 'too-often' }
  | { kind: 'bad-address'; problem: string }

/** Finds someone by their exact address. It is on record that the operator looked, and for whom they found someone. */
export async function findReader(app: Needs, typed: string): Promise<Looked> {
  demand(app, 'readers.see')
  const read = normalizeEmail(typed)
  if ('problem' in read) return { kind: 'bad-address', problem: read.problem }
  if (!(await mayLookUp(app))) return { kind: 'too-often' }
  const subscriber = await findByEmailHash(app.store, hashEmail(app.hashKey, read.email))
  await record(app, 'looked up', subscriber)
  return subscriber ? { kind: 'found', publicId: subscriber.publicId } : { kind: 'not-found' }
}

/** Whether this operator may look up one more address; suppressions count too. */
export async function mayLookUp({ store, actor, hashKey, now }: Needs): Promise<boolean> {
  const who = actor.kind === 'operator' ? String(actor.id) : actor.kind
  const bucket = createHmac('sha256', hashKey).update(`look-up:${who}`).digest('base64url')
  const limits = [
    { bucket, most: LOOK_UPS.anHour, perMs: HOUR_MS },
    { bucket, most: LOOK_UPS.aDay, perMs: DAY_MS },
  ]
  return countTry(store, limits, now())
}

/** One person, and why they did or did not get the last editions. Null: there is no such person any more. */
export async function readerSeen(app: Needs, publicId: string) {
  demand(app, 'readers.see')
  const subscriber = await findByPublicId(app.store, publicId)
  if (subscriber === null) return null
  const { email } = subscriber
  const shown = await showSubscriber(app, email)
  if (shown.kind !== 'found') return null
  const explanations: Explanation[] = []
  for (const { id } of await someEditions(app.store, { skip: 0, most: EDITIONS })) {
    const explanation = await explain(app, email, id)
    if (explanation) explanations.push(explanation)
  }
  await record(app, 'looked at', subscriber)
  return { subscriber: shown.subscriber, discreet: subscriber.discreet, explanations }
}

/** Puts on record that an operator looked at what someone would get. */
export async function lookedAt(app: Needs, publicId: string): Promise<void> {
  demand(app, 'readers.see')
  await record(app, 'looked at', await findByPublicId(app.store, publicId))
}

/** Emails someone the link to their preferences. */
export async function sendLinks(app: Needs, publicId: string): Promise<FreshAsked> {
  return withReader(app, 'readers.change', publicId, 'sent links', { kind: 'unknown-link' }, (subscriber) =>
    sendNewestLink(app, subscriber),
  )
}

/** Pauses someone's emails until a date, `2026-12-24`. */
export async function pauseReader(app: Needs, publicId: string, date: string): Promise<Paused> {
  return withReader(app, 'readers.change', publicId, 'paused', { kind: 'not-subscribed' }, () =>
    pauseMail(app, publicId, { date }),
  )
}

/** Ends someone's pause. */
export async function resumeReader(app: Needs, publicId: string): Promise<'ended' | 'not-subscribed'> {
  return withReader(
    app,
    'readers.change',
    publicId,
    'pause ended',
    'not-subscribed',
    async () => (await endPause(app, publicId)).kind,
  )
}

/** Unsubscribes someone, as they asked. */
export async function unsubscribeReader(app: Needs, publicId: string): Promise<Unsubscribed> {
  return withReader(app, 'readers.change', publicId, null, { kind: 'not-found' }, ({ email }) =>
    unsubscribeEmail(app, email),
  )
}

/** Undoes someone's unsubscribing, at their request. */
export async function resubscribeReader(app: Needs, publicId: string): Promise<Resubscribed> {
  return withReader(app, 'readers.change', publicId, null, { kind: 'not-found' }, ({ email }) =>
    resubscribeEmail(app, email),
  )
}

/** Sends someone an edition again. */
export async function resendToReader(
  app: Needs,
  publicId: string,
  editionId: string,
): Promise<ResendOutcome> {
  return withReader(app, 'editions.control', publicId, 'resent to', { kind: 'not-found' }, ({ email }) =>
    resendEdition(app, editionId, { kind: 'to', email }),
  )
}

/** Everything held about someone, for them to have. */
export async function exportReader(app: Needs, publicId: string): Promise<Exported> {
  return withReader(app, 'readers.export', publicId, 'exported', { kind: 'not-found' }, ({ email }) =>
    exportSubscriber(app, email),
  )
}

/** Erases someone, permanently. */
export async function eraseReader(app: Needs, publicId: string): Promise<Erased> {
  return withReader(app, 'readers.erase', publicId, null, { kind: 'not-found' }, ({ email }) =>
    erase(app, email),
  )
}

/** `action` is put on record; null: what is done does so itself. */
async function withReader<Outcome>(
  app: Needs,
  permission: Parameters<typeof demand>[1],
  publicId: string,
  action: string | null,
  nobody: Outcome,
  act: (subscriber: Subscriber) => Promise<Outcome>,
): Promise<Outcome> {
  demand(app, permission)
  const subscriber = await findByPublicId(app.store, publicId)
  if (subscriber === null) return nobody
  if (action !== null) await record(app, action, subscriber)
  return act(subscriber)
}

const record = ({ store, now }: Needs, action: string, subscriber: Subscriber | null): Promise<void> =>
  recordOf(store, now(), {
    action: `reader ${action}`,
    subject: subscriber?.publicId ?? 'nobody on the list',
  })
