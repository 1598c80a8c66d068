import { audit } from '../audit.ts'
import { and, eq, isNull } from '../drizzle.ts'
import { detachDeliveries } from '../ledger/delivery-states.ts'
import { addressChanges, erasures, subscribers, suppressions } from '../schema/people.ts'
import { clearGapsAround, emptyLog, eraseFromCopies, noteToWipe } from '../sqlite/wiping.ts'
import type { Queries, Store } from '../store.ts'
import { earlierHashIn } from './earlier-addresses.ts'

/**
 * Removes the subscriber and all that names them, here and in the copies of migrations beside the database, and from the
 * changes of address of others. The keyed hash stays in `suppressions`, so no import brings them back. Their deliveries stay
 * in the ledger without a subscriber and without Resend's id (triggers, drizzle/0012). A batch that was attempted keeps the
 * frozen reader until its outcome is known, since a retry must send the same bytes. False when the address is nowhere.
 * `leftToWipe` says what is still in the log.
 */
export async function eraseSubscriber(store: Store, emailHash: string, now: Date): Promise<boolean> {
  const erased = await store.write(async (tx) => {
    const subscriber = await tx.select().from(subscribers).where(eq(subscribers.emailHash, emailHash)).get()
    const elsewhere = await forgetElsewhere(tx, emailHash)
    if (!subscriber && !elsewhere) return null
    if (subscriber) {
      await detachDeliveries(tx, subscriber.id)
      await tx.delete(subscribers).where(eq(subscribers.id, subscriber.id)).run()
      if (store.sqlite) await clearGapsAround(tx, subscriber.id)
    }
    await tx
      .insert(suppressions)
      .values({ emailHash, reason: 'erased', createdAt: now.getTime() })
      .onConflictDoNothing()
      .run()
    const erasedAt = now.getTime()
    await tx
      .insert(erasures)
      .values({ emailHash, erasedAt })
      .onConflictDoUpdate({ target: erasures.emailHash, set: { erasedAt } })
      .run()
    await audit(tx, now, { action: 'erase', subject: 'erased' })
    if (store.sqlite) await noteToWipe(tx, now)
    return { id: subscriber?.id ?? -1, emailHash }
  })
  if (erased === null) return false
  eraseFromCopies(store, erased)
  await emptyLog(store) // another process that is reading may keep this from happening now; the sweep tries again
  return true
}

/**
 * Deletes the address from the records of other subscribers: they asked to move to it, or moved away from it and could go
 * back. They are not notified. True when there was such a record.
 */
async function forgetElsewhere(tx: Queries, emailHash: string): Promise<boolean> {
  const asked = and(eq(addressChanges.emailHash, emailHash), isNull(addressChanges.changedAt))
  const left = eq(earlierHashIn(tx), emailHash)
  const gone = (await tx.delete(addressChanges).where(asked).run()).changes
  return gone + (await tx.update(addressChanges).set({ before: null }).where(left).run()).changes > 0
}
