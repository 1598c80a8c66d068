import type { TopicChoice } from '../../core/audience/seen.ts'
import {
  and,
  desc,
  eq,
  exists,
  gte,
  inArray,
  lt,
  not,
  notInArray,
  sql,
  TransactionRollbackError,
} from '../drizzle.ts'
import type { Db } from '../open.ts'
import { installation } from '../schema/installation.ts'
import { editions, editionTally, notices } from '../schema/ledger.ts'
import { erasures, subscribers, subscriberTopics, suppressions } from '../schema/people.ts'
import { addNotice } from './notices.ts'
import { liftRefusalIn } from './refusals.ts'
import { countRequest, isBusy, type Requested, type RequestLimits } from './requested-emails.ts'
import { suppressionIn } from './suppressions.ts'
import { setTopicsIn } from './topic-rows.ts'

/** A filled form. `email` is normalized, `emailHash` its keyed hash, `publicId` the id it gets if it is new. */
export type SignUp = {
  publicId: string
  email: string
  emailHash: string
  name: string | null
  timeZone: string
  locale: string
  discreet: boolean
  topics: TopicChoice
}

/** `suppressed`, `often` and `refused` plan nothing, and whoever asked cannot tell. */
export type SignUpTaken =
  | { kind: 'confirm' | 'already'; noticeId: number }
  | { kind: 'suppressed' | Exclude<Requested, 'counted'> }

export type SignUpConfirmed = { kind: 'confirmed'; noticeId: number } | { kind: 'already' | 'expired' }

/** Evidence of consent: what was shown, on which page, when. */
export type Consent = { text: string; source: string }

/**
 * Takes a sign-up and plans the email it asks for, all or nothing; it is due at `dueAt`. A new address becomes `pending`;
 * any other stays as it is: the form is kept with the notice, and counts once it is confirmed. A suppressed address is left
 * alone until an operator allows it, save an erased one, which may come back by itself. The same work is done in every
 * case, so that the time of an answer says nothing.
 */
export async function takeSignUp(
  db: Db,
  form: SignUp,
  limits: RequestLimits,
  { now, dueAt }: { now: Date; dueAt: Date | null },
): Promise<SignUpTaken> {
  return db.transaction(
    (tx) => {
      // First and for everyone alike, so that a flood costs next to nothing.
      if (isBusy(tx, limits)) return { kind: 'busy' }
      const suppressed = mustNotEmail(tx, form.emailHash)
      const counted = countRequest(tx, form.emailHash, limits, now)
      const known = tx.select().from(subscribers).where(eq(subscribers.emailHash, form.emailHash)).get()
      const kind: 'already' | 'confirm' = known?.status === 'active' ? 'already' : 'confirm'
      const plan = (inner: Nested) => {
        const own = { ...form, emailHash: known ? form.publicId : form.emailHash }
        const stored = known
          ? planAndRollBack(inner, (discarded) => storeForm(discarded, own, now))
          : storeForm(inner, own, now)
        const text = formAsText(form)
        const notice = {
          kind,
          form: kind === 'confirm' ? text : null,
          nextAttemptAt: dueAt?.getTime() ?? null,
        }
        return addNotice(inner, { ...notice, subscriberId: known?.id ?? stored ?? 0 }, now)
      }
      if (!suppressed && counted === 'counted') return { kind, noticeId: plan(tx) }
      planAndRollBack(tx, plan)
      // Still writes to the disk, as the other outcomes do.
      tx.update(installation)
        .set({ value: sql`${installation.value}` })
        .run()
      return { kind: suppressed || counted === 'counted' ? 'suppressed' : counted }
    },
    { behavior: 'immediate' },
  )
}

/**
 * Makes the subscriber active with their consent and with the form that this link confirms, and starts them afresh: nothing
 * counts as seen, so the next edition brings all that can be booked. Plans the email that welcomes them. `askedAt` is when
 * their link was made: one from before they last unsubscribed is `expired`, as is one whose subscriber is gone or suppressed.
 */
export async function confirmSignUp(
  db: Db,
  publicId: string,
  askedAt: Date,
  consent: Consent,
  now: Date,
): Promise<SignUpConfirmed> {
  return db.transaction(
    (tx) => {
      const subscriber = tx.select().from(subscribers).where(eq(subscribers.publicId, publicId)).get()
      if (!subscriber || mustNotEmail(tx, subscriber.emailHash)) return { kind: 'expired' }
      if (askedAt.getTime() < (subscriber.unsubscribedAt ?? 0)) return { kind: 'expired' }
      if (subscriber.status === 'active') return { kind: 'already' }
      // The wish of whoever holds the address now; what they or an erasure refused before is over.
      liftRefusalIn(tx, subscriber.emailHash)
      for (const mark of [suppressions, erasures])
        tx.delete(mark).where(eq(mark.emailHash, subscriber.emailHash)).run()
      tx.update(subscribers)
        .set({
          ...AFRESH,
          ...applyForm(tx, subscriber, askedAt),
          consentText: consent.text,
          consentSource: consent.source,
          consentedAt: now.getTime(),
        })
        .where(eq(subscribers.id, subscriber.id))
        .run()
      const own = eq(subscriberTopics.subscriberId, subscriber.id)
      tx.delete(subscriberTopics)
        .where(and(own, eq(subscriberTopics.chosen, false)))
        .run()
      tx.update(subscriberTopics).set({ seenThrough: null }).where(own).run()
      tx.update(notices).set({ form: null }).where(eq(notices.subscriberId, subscriber.id)).run()
      return {
        kind: 'confirmed',
        noticeId: addNotice(tx, { kind: 'welcome', subscriberId: subscriber.id }, now),
      }
    },
    { behavior: 'immediate' },
  )
}

/** How many active readers the last edition counted; an estimate that costs the same at ten readers and a million. */
export async function estimateReaders(db: Db): Promise<number> {
  const last = db
    .select({ id: editions.id })
    .from(editions)
    .where(inArray(editions.state, ['submitting', 'submitted']))
    .orderBy(desc(editions.id))
    .limit(1)
  const { editionId, generation, reason } = editionTally
  const left = ['pending', 'unsubscribed', 'suppressed', 'erased']
  return (
    db
      .select({ n: sql<number>`coalesce(sum(${editionTally.count}), 0)` })
      .from(editionTally)
      .where(and(inArray(editionId, last), eq(generation, 0), notInArray(reason, left)))
      .get()?.n ?? 0
  )
}

/** Deletes those who signed up and did not confirm, and asked for no emails since `before` either; returns how many. */
export async function deleteUnconfirmed(db: Db, before: Date): Promise<number> {
  const askedSince = db
    .select({ id: notices.id })
    .from(notices)
    .where(and(eq(notices.subscriberId, subscribers.id), gte(notices.createdAt, before.getTime())))
  const old = and(eq(subscribers.status, 'pending'), lt(subscribers.createdAt, before.getTime()))
  return db
    .delete(subscribers)
    .where(and(old, not(exists(askedSince))))
    .run().changes
}

type Tx = Pick<Db, 'select' | 'insert' | 'update' | 'delete'>
type Nested = Tx & Pick<Db, 'transaction'>

/** A weekly reader who was shown nothing: the form asks for the weekly email, whatever was chosen before leaving. */
const AFRESH = {
  status: 'active',
  seenThrough: 0,
  cadence: 'weekly',
  lastEditionId: null,
  pausedUntil: null,
  unsubscribedAt: null,
  unsubscribedBy: null,
  softBounces: 0,
} as const

type Kept = Pick<SignUp, 'name' | 'timeZone' | 'locale' | 'discreet'> & { topics: number[] | null }

function formAsText({ name, timeZone, locale, discreet, topics }: SignUp): string {
  const kept: Kept = { name, timeZone, locale, discreet, topics: topics === 'all' ? null : [...topics] }
  return JSON.stringify(kept)
}

/** How to write to whoever filled this form, which nobody has confirmed: in its language, and as discreetly as it asks. */
export function manner(form: string): Pick<SignUp, 'locale' | 'discreet'> {
  return JSON.parse(form) as Kept
}

/**
 * What the confirmed form says, with its topics stored; nothing for a link of before forms were kept. Whoever was written to
 * discreetly still is: that ends in their preferences alone.
 */
function applyForm(tx: Tx, { id, discreet }: typeof subscribers.$inferSelect, askedAt: Date) {
  const asked = and(
    eq(notices.subscriberId, id),
    eq(notices.kind, 'confirm'),
    eq(notices.createdAt, askedAt.getTime()),
  )
  const text = tx.select().from(notices).where(asked).orderBy(desc(notices.id)).get()?.form ?? null
  if (text === null) return {}
  const { topics, ...form } = JSON.parse(text) as Kept
  setTopicsIn(tx, id, topics === null ? 'all' : new Set(topics))
  return { ...form, discreet: form.discreet || discreet }
}

function storeForm(tx: Tx, { topics, ...form }: SignUp, now: Date): number {
  const { id } = tx
    .insert(subscribers)
    .values({ ...form, status: 'pending', createdAt: now.getTime() })
    .returning({ id: subscribers.id })
    .get()
  setTopicsIn(tx, id, topics)
  return id
}

/** Whether even a sign-up of their own must not be emailed. Being erased was their own wish, and so is coming back. */
function mustNotEmail(tx: Tx, emailHash: string): boolean {
  const suppression = suppressionIn(tx, emailHash)
  return suppression !== null && suppression.reason !== 'erased'
}

/** Does the work and takes it back, so that it costs what it would. */
function planAndRollBack(tx: Pick<Db, 'transaction'>, work: (inner: Nested) => number): null {
  try {
    tx.transaction((inner) => {
      work(inner)
      inner.rollback()
    })
  } catch (error) {
    if (!(error instanceof TransactionRollbackError)) throw error
  }
  return null
}
