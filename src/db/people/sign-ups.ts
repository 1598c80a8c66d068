import type { TopicChoice } from '../../core/audience/seen.ts'
import { and, desc, eq, exists, gte, inArray, lt, not, notInArray, sql } from '../drizzle.ts'
import { undone } from '../queries.ts'
import { installation } from '../schema/installation.ts'
import { editions, editionTally, notices } from '../schema/ledger.ts'
import { erasures, subscribers, subscriberTopics, suppressions } from '../schema/people.ts'
import type { Queries, Store } from '../store.ts'
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

/** `suppressed`, `often` and `refused` plan nothing. The person who asked gets the same answer. */
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
  store: Store,
  form: SignUp,
  limits: RequestLimits,
  { now, dueAt }: { now: Date; dueAt: Date | null },
): Promise<SignUpTaken> {
  return store.write(async (tx) => {
    // First and for everyone alike, so that a flood costs next to nothing.
    if (await isBusy(tx, limits)) return { kind: 'busy' }
    const suppressed = await mustNotEmail(tx, form.emailHash)
    const counted = await countRequest(tx, form.emailHash, limits, now)
    const known = await tx.select().from(subscribers).where(eq(subscribers.emailHash, form.emailHash)).get()
    const kind: 'already' | 'confirm' = known?.status === 'active' ? 'already' : 'confirm'
    const plan = async () => {
      const own = { ...form, emailHash: known ? form.publicId : form.emailHash }
      if (known) await undone(tx, () => storeForm(tx, own, now))
      const subscriberId = known?.id ?? (await storeForm(tx, own, now))
      const text = formAsText(form)
      const notice = {
        kind,
        form: kind === 'confirm' ? text : null,
        nextAttemptAt: dueAt?.getTime() ?? null,
      }
      return addNotice(tx, { ...notice, subscriberId }, now)
    }
    if (!suppressed && counted === 'counted') return { kind, noticeId: await plan() }
    await undone(tx, plan)
    // Still writes to the disk, as the other outcomes do.
    await tx
      .update(installation)
      .set({ value: sql`${installation.value}` })
      .run()
    return { kind: suppressed || counted === 'counted' ? 'suppressed' : counted }
  })
}

/**
 * Makes the subscriber active with their consent and with the form that this link confirms, and starts them afresh: nothing
 * counts as seen, so the next edition brings all that can be booked. Plans the email that welcomes them. `askedAt` is when
 * their link was made: one from before they last unsubscribed is `expired`, as is one whose subscriber is gone or suppressed.
 */
export async function confirmSignUp(
  store: Store,
  publicId: string,
  askedAt: Date,
  consent: Consent,
  now: Date,
): Promise<SignUpConfirmed> {
  return store.write(async (tx) => {
    const subscriber = await tx.select().from(subscribers).where(eq(subscribers.publicId, publicId)).get()
    if (!subscriber || (await mustNotEmail(tx, subscriber.emailHash))) return { kind: 'expired' }
    if (askedAt.getTime() < (subscriber.unsubscribedAt ?? 0)) return { kind: 'expired' }
    if (subscriber.status === 'active') return { kind: 'already' }
    // This is what the holder of the address wants now. An earlier refusal or erasure no longer counts.
    await liftRefusalIn(tx, subscriber.emailHash)
    for (const mark of [suppressions, erasures])
      await tx.delete(mark).where(eq(mark.emailHash, subscriber.emailHash)).run()
    await tx
      .update(subscribers)
      .set({
        ...AFRESH,
        ...(await applyForm(tx, subscriber, askedAt)),
        consentText: consent.text,
        consentSource: consent.source,
        consentedAt: now.getTime(),
      })
      .where(eq(subscribers.id, subscriber.id))
      .run()
    const own = eq(subscriberTopics.subscriberId, subscriber.id)
    await tx
      .delete(subscriberTopics)
      .where(and(own, eq(subscriberTopics.chosen, false)))
      .run()
    await tx.update(subscriberTopics).set({ seenThrough: null }).where(own).run()
    await tx.update(notices).set({ form: null }).where(eq(notices.subscriberId, subscriber.id)).run()
    return {
      kind: 'confirmed',
      noticeId: await addNotice(tx, { kind: 'welcome', subscriberId: subscriber.id }, now),
    }
  })
}

/** How many active readers the last edition counted; an estimate that costs the same at ten readers and a million. */
export async function estimateReaders(store: Store): Promise<number> {
  const last = store.read
    .select({ id: editions.id })
    .from(editions)
    .where(inArray(editions.state, ['submitting', 'submitted']))
    .orderBy(desc(editions.id))
    .limit(1)
  const { editionId, generation, reason } = editionTally
  const left = ['pending', 'unsubscribed', 'suppressed', 'erased']
  return (
    (
      await store.read
        .select({ n: sql<number>`coalesce(sum(${editionTally.count}), 0)` })
        .from(editionTally)
        .where(and(inArray(editionId, last), eq(generation, 0), notInArray(reason, left)))
        .get()
    )?.n ?? 0
  )
}

/** Deletes those who signed up and did not confirm, and asked for no emails since `before` either; returns how many. */
export async function deleteUnconfirmed(store: Store, before: Date): Promise<number> {
  const askedSince = store.read
    .select({ id: notices.id })
    .from(notices)
    .where(and(eq(notices.subscriberId, subscribers.id), gte(notices.createdAt, before.getTime())))
  const old = and(eq(subscribers.status, 'pending'), lt(subscribers.createdAt, before.getTime()))
  return (
    await store.write((tx) =>
      tx
        .delete(subscribers)
        .where(and(old, not(exists(askedSince))))
        .run(),
    )
  ).changes
}

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

/** The language and discretion for the email about this unconfirmed form. */
export function manner(form: string): Pick<SignUp, 'locale' | 'discreet'> {
  return JSON.parse(form) as Kept
}

/**
 * The values of the confirmed form, after its topics are stored; empty for a link from before forms were kept. A subscriber
 * with discreet emails keeps them: only their preferences can end that.
 */
async function applyForm(tx: Queries, { id, discreet }: typeof subscribers.$inferSelect, askedAt: Date) {
  const asked = and(
    eq(notices.subscriberId, id),
    eq(notices.kind, 'confirm'),
    eq(notices.createdAt, askedAt.getTime()),
  )
  const text = (await tx.select().from(notices).where(asked).orderBy(desc(notices.id)).get())?.form ?? null
  if (text === null) return {}
  const { topics, ...form } = JSON.parse(text) as Kept
  await setTopicsIn(tx, id, topics === null ? 'all' : new Set(topics))
  return { ...form, discreet: form.discreet || discreet }
}

async function storeForm(tx: Queries, { topics, ...form }: SignUp, now: Date): Promise<number> {
  const { id } = await tx
    .insert(subscribers)
    .values({ ...form, status: 'pending', createdAt: now.getTime() })
    .returning({ id: subscribers.id })
    .get()
  await setTopicsIn(tx, id, topics)
  return id
}

/** Whether this address must not be emailed even if its holder signs up. Someone who was erased may come back. */
async function mustNotEmail(tx: Queries, emailHash: string): Promise<boolean> {
  const suppression = await suppressionIn(tx, emailHash)
  return suppression !== null && suppression.reason !== 'erased'
}
