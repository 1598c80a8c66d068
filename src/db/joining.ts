import { and, desc, eq, exists, gte, inArray, lt, not, sql } from 'drizzle-orm'
import type { TopicChoice } from '../core/topic-choice.ts'
import { changeFact, establishFact } from './installation.ts'
import { addNotice, noticesSince } from './notices.ts'
import type { Db } from './open.ts'
import { editions, editionTally, installation, notices, subscribers, subscriberTopics, suppressions } from './schema.ts'
import { setTopicsIn } from './subscribers.ts'

/** A filled form. `email` is normalised, `emailHash` its keyed hash, `publicId` the id it gets if it is new. */
export type SignUp = {
  publicId: string
  email: string
  emailHash: string
  name: string | null
  timeZone: string
  discreet: boolean
  topics: TopicChoice
}

/** How many mails sign-ups may cause: to one address since an instant, and to all together since another. */
export type MailLimits = { perAddress: { max: number; since: Date }; overall: { max: number; since: Date } }

export type SignUpTaken =
  | { kind: 'confirm' | 'already'; noticeId: number }
  | { kind: 'suppressed' | 'address-limit' | 'overall-limit' }

/**
 * Takes a sign-up and plans the mail it asks for, all or nothing. A new address becomes `pending`; for a pending or
 * unsubscribed one the newest form counts, its status stays; an active one stays as it is, and is told so. A suppressed
 * address is left alone: it bounced, complained or was erased, and only an operator, asked by the person, lifts that.
 * Over a limit nothing is stored. Whatever the outcome, exactly one transaction is committed.
 */
export async function takeSignUp(db: Db, form: SignUp, limits: MailLimits, now: Date): Promise<SignUpTaken> {
  return db.transaction(
    (tx) => {
      const known = tx.select().from(subscribers).where(eq(subscribers.emailHash, form.emailHash)).get()
      const barred = barredBy(tx, form, known?.id, limits)
      if (barred) {
        writeNothing(tx)
        return { kind: barred }
      }
      const kind = known?.status === 'active' ? 'already' : 'confirm'
      const subscriberId = kind === 'already' && known ? known.id : storeForm(tx, form, known?.id, now)
      return { kind, noticeId: addNotice(tx, { kind, subscriberId }, now) }
    },
    { behavior: 'immediate' },
  )
}
