import type { App } from '../../app.ts'
import { normalizeEmail } from '../../core/intake/email-address.ts'
import { hashEmail } from '../../core/tokens.ts'
import { recordOf } from '../../db/audit.ts'
import { findByEmailHash } from '../../db/people/subscribers.ts'
import {
  countSuppressions,
  findSuppression,
  type Lifted,
  type Suppression,
  wasErased,
} from '../../db/people/suppressions.ts'
import { demand } from '../operators/acting.ts'
import { allowEmail } from './consent.ts'
import { mayLookUp } from './desk.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'hashKey' | 'actor' | 'queue'>

/** `erased`: also where something else suppresses it. `publicId`: of the subscriber with the address, if there is one. */
export type SuppressionSeen =
  | {
      kind: 'suppressed'
      reason: Suppression['reason']
      since: number
      erased: boolean
      publicId: string | null
    }
  | { kind: 'free' | 'too-often' }
  | { kind: 'bad-address'; problem: string }

/** How many addresses are suppressed, by reason. */
export async function suppressionCounts(app: Needs) {
  demand(app, 'suppressions.see')
  return countSuppressions(app.store)
}

/** Why an address must never be emailed, and since when. It is on record that someone looked. */
export async function lookAtSuppression(app: Needs, typed: string): Promise<SuppressionSeen> {
  demand(app, 'suppressions.see')
  const read = normalizeEmail(typed)
  if ('problem' in read) return { kind: 'bad-address', problem: read.problem }
  if (!(await mayLookUp(app))) return { kind: 'too-often' }
  const key = hashEmail(app.hashKey, read.email)
  const subscriber = await findByEmailHash(app.store, key)
  const subject = subscriber?.publicId ?? 'nobody on the list'
  await recordOf(app.store, app.now(), { action: 'suppression looked up', subject })
  const found = await findSuppression(app.store, key)
  if (found === null) return { kind: 'free' }
  const erased = await wasErased(app.store, key)
  const publicId = subscriber?.publicId ?? null
  return { kind: 'suppressed', reason: found.reason, since: found.createdAt, erased, publicId }
}

/** Lifts the suppression of an address. `consent`: how and when the person asked for emails again. */
export async function liftSuppressionOf(app: Needs, typed: string, consent: string): Promise<Lifted> {
  demand(app, 'suppressions.lift')
  return allowEmail(app, typed, consent)
}
