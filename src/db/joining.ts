import type { TopicChoice } from '../core/topic-choice.ts'
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
} from './drizzle.ts'
import { addNotice } from './notices.ts'
import type { Db } from './open.ts'
import {
  editions,
  editionTally,
  erasures,
  installation,
  notices,
  subscribers,
  subscriberTopics,
  suppressions,
} from './schema.ts'
import { setTopicsIn } from './subscribers.ts'

/** A filled form. `email` is normalised, `emailHash` its keyed hash, `publicId` the id it gets if it is new. */
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

/** How many mails sign-ups may cause: to one address since an instant, and to all together since another. */
export type MailLimits = { perAddress: { max: number; since: Date }; overall: { max: number; since: Date } }

export type SignUpTaken =
  | { kind: 'confirm' | 'already'; noticeId: number }
  | { kind: 'suppressed' | 'address-limit' | 'overall-limit' }

export type SignUpConfirmed = { kind: 'confirmed'; noticeId: number } | { kind: 'already' | 'expired' }

/** Evidence of consent: what was shown, on which page, when. */
export type Consent = { text: string; source: string }

/**
 * Takes a sign-up and plans the mail it asks for, all or nothing. A new address becomes `pending`; for a pending or
 * unsubscribed one the newest form counts and its status stays; an active one stays as it is, and is told so. A
 * suppressed address is left alone, as it bounced or complained, until an operator allows it; but who was erased may sign
 * up again, and counts once it is confirmed. Over a limit nothing is stored. What depends on the address costs the same work whatever comes of it, so
 * the time of an answer tells nothing.
 */
export async function takeSignUp(db: Db, form: SignUp, limits: MailLimits, now: Date): Promise<SignUpTaken> {
  return db.transaction(
    (tx) => {
      // First and for everyone alike, so that a flood costs next to nothing.
      if (atLeast(tx, limits.overall)) return { kind: 'overall-limit' }
      const known = tx.select().from(subscribers).where(eq(subscribers.emailHash, form.emailHash)).get()
      const kind = known?.status === 'active' ? 'already' : 'confirm'
      const plan = (inner: Tx) => {
        const subscriberId = known && kind === 'already' ? known.id : storeForm(inner, form, now)
        return addNotice(inner, { kind, subscriberId }, now)
      }
      const barred = whyNoMail(tx, form.emailHash, known?.id, limits)
      if (barred === null) return { kind, noticeId: plan(tx) }
      planInVain(tx, plan)
      return { kind: barred }
    },
    { behavior: 'immediate' },
  )
}

/**
 * Makes the subscriber active with their consent, and starts them afresh: nothing counts as told, so the next edition
 * brings all that can be booked. Plans the mail that welcomes them. `askedAt` is when their link was made: one from before they last unsubscribed is
 * `expired`, as is one whose subscriber is gone or suppressed.
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
      if (!subscriber || isBarred(tx, subscriber.emailHash)) return { kind: 'expired' }
      if (askedAt.getTime() < (subscriber.unsubscribedAt ?? 0)) return { kind: 'expired' }
      if (subscriber.status === 'active') return { kind: 'already' }
      for (const mark of [suppressions, erasures])
        tx.delete(mark).where(eq(mark.emailHash, subscriber.emailHash)).run()
      tx.update(subscribers)
        .set({
          ...AFRESH,
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
      return {
        kind: 'confirmed',
        noticeId: addNotice(tx, { kind: 'welcome', subscriberId: subscriber.id }, now),
      }
    },
    { behavior: 'immediate' },
  )
}

/** How many active readers the last edition counted; an estimate that costs the same at ten readers and a million. */
export async function readersLately(db: Db): Promise<number> {
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

/** Deletes those who signed up and did not confirm, and asked for no mail since `before` either; returns how many. */
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

/** A weekly reader to whom nothing was told: the form asks for the weekly mail, whatever was chosen before leaving. */
const AFRESH = {
  status: 'active',
  seenThrough: 0,
  cadence: 'weekly',
  lastEditionId: null,
  pausedUntil: null,
  unsubscribedAt: null,
  softBounces: 0,
} as const

const BY_SIGN_UP = inArray(notices.kind, ['confirm', 'already'])

function whyNoMail(tx: Tx, emailHash: string, subscriberId: number | undefined, limits: MailLimits) {
  if (isBarred(tx, emailHash)) return 'suppressed'
  const own = eq(notices.subscriberId, subscriberId ?? -1)
  return atLeast(tx, limits.perAddress, own) ? 'address-limit' : null
}

/** Whether `max` mails were planned since: then the one that is `max` back in the ledger is recent. */
function atLeast(tx: Tx, { max, since }: MailLimits['overall'], whose = BY_SIGN_UP): boolean {
  const nth = tx
    .select({ createdAt: notices.createdAt })
    .from(notices)
    .where(and(BY_SIGN_UP, whose))
    .orderBy(desc(notices.id))
    .limit(1)
    .offset(max - 1)
    .get()
  return nth !== undefined && nth.createdAt > since.getTime()
}

function storeForm(tx: Tx, { topics, ...form }: SignUp, now: Date): number {
  const { name, timeZone, locale, discreet } = form
  const { id } = tx
    .insert(subscribers)
    .values({ ...form, status: 'pending', createdAt: now.getTime() })
    .onConflictDoUpdate({ target: subscribers.emailHash, set: { name, timeZone, locale, discreet } })
    .returning({ id: subscribers.id })
    .get()
  setTopicsIn(tx, id, topics)
  return id
}

/** Whether even a sign-up of their own must not be mailed. Being erased was their own wish, and so is coming back. */
function isBarred(tx: Tx, emailHash: string): boolean {
  const suppression = tx.select().from(suppressions).where(eq(suppressions.emailHash, emailHash)).get()
  return suppression !== undefined && suppression.reason !== 'erased'
}

/** Does the work of `plan`, takes it back, and still writes to the disk, as the other outcomes do. */
function planInVain(tx: Pick<Db, 'transaction' | 'update'>, plan: (inner: Tx) => number): void {
  try {
    tx.transaction((inner) => {
      plan(inner)
      inner.rollback()
    })
  } catch (error) {
    if (!(error instanceof TransactionRollbackError)) throw error
  }
  tx.update(installation)
    .set({ value: sql`${installation.value}` })
    .run()
}
