import { and, eq, isNull } from '../drizzle.ts'
import { addressChanges, refusals, subscribers } from '../schema/people.ts'
import type { Queries, Store } from '../store.ts'

/**
 * Records that the holder of an address wants no email that someone else can cause, and deletes an unconfirmed sign-up or
 * change of address for it. A subscription stays as it is.
 */
export async function refuse(store: Store, emailHash: string, now: Date): Promise<void> {
  await store.write(async (tx) => {
    await tx.insert(refusals).values({ emailHash, createdAt: now.getTime() }).onConflictDoNothing().run()
    await tx
      .delete(subscribers)
      .where(and(eq(subscribers.emailHash, emailHash), eq(subscribers.status, 'pending')))
      .run()
    await tx
      .delete(addressChanges)
      .where(and(eq(addressChanges.emailHash, emailHash), isNull(addressChanges.changedAt)))
      .run()
  })
}

/** Takes `refuse` back; also when there is nothing to take back. */
export async function liftRefusal(store: Store, emailHash: string): Promise<void> {
  await liftRefusalIn(store.read, emailHash)
}

/** `liftRefusal` within a transaction that is open already, for the files of `db/` only; false: there was nothing to take back. */
export async function liftRefusalIn(tx: Queries, emailHash: string): Promise<boolean> {
  return (await tx.delete(refusals).where(eq(refusals.emailHash, emailHash)).run()).changes === 1
}
