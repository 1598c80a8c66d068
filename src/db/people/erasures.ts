import { audit } from '../audit.ts'
import { and, eq, isNull } from '../drizzle.ts'
import { detachDeliveries } from '../ledger/delivery-states.ts'
import type { Db } from '../open.ts'
import { clearGapsAround, emptyLog, eraseFromCopies, noteToWipe } from '../retention/wiping.ts'
import { addressChanges, earlierHash, erasures, subscribers, suppressions } from '../schema/people.ts'

/**
 * Removes the subscriber and all that names them, here and in the copies of migrations beside the database, and from the
 * changes of address of others. The keyed hash stays in `suppressions`, so no import brings them back. Their deliveries stay
 * in the ledger without a subscriber and without Resend's id (triggers, drizzle/0012). A batch that was attempted keeps the
 * frozen reader until its outcome is known, since a retry must send the same bytes. False when the address is nowhere.
 * `leftToWipe` says what is still in the log.
 */
export async function eraseSubscriber(db: Db, emailHash: string, now: Date): Promise<boolean> {
  const erased = db.transaction(
    (tx) => {
      const subscriber = tx.select().from(subscribers).where(eq(subscribers.emailHash, emailHash)).get()
      const elsewhere = forgetElsewhere(tx, emailHash)
      if (!subscriber && !elsewhere) return null
      if (subscriber) {
        detachDeliveries(tx, subscriber.id)
        tx.delete(subscribers).where(eq(subscribers.id, subscriber.id)).run()
        clearGapsAround(db, subscriber.id)
      }
      tx.insert(suppressions)
        .values({ emailHash, reason: 'erased', createdAt: now.getTime() })
        .onConflictDoNothing()
        .run()
      const erasedAt = now.getTime()
      tx.insert(erasures)
        .values({ emailHash, erasedAt })
        .onConflictDoUpdate({ target: erasures.emailHash, set: { erasedAt } })
        .run()
      audit(tx, now, { action: 'erase', subject: 'erased' })
      noteToWipe(db, now)
      return { id: subscriber?.id ?? -1, emailHash }
    },
    { behavior: 'immediate' },
  )
  if (erased === null) return false
  eraseFromCopies(db, erased)
  await emptyLog(db) // another process that is reading may keep this from happening now; the sweep tries again
  return true
}

/**
 * Forgets the address where it stands with somebody else: they asked to move to it, or have moved from it and could go
 * back. Whoever asked does not hear of it. True when it stood there.
 */
function forgetElsewhere(tx: Pick<Db, 'update' | 'delete'>, emailHash: string): boolean {
  const asked = and(eq(addressChanges.emailHash, emailHash), isNull(addressChanges.changedAt))
  const left = eq(earlierHash, emailHash)
  const gone = tx.delete(addressChanges).where(asked).run().changes
  return gone + tx.update(addressChanges).set({ before: null }).where(left).run().changes > 0
}
