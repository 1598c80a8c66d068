import { and, eq, isNull } from '../drizzle.ts'
import type { Db } from '../open.ts'
import { addressChanges, refusals, subscribers } from '../schema/people.ts'

/**
 * Notes that the holder of an address wants no email that somebody else can cause, and forgets a sign-up or a change of
 * address from there that nobody confirmed. A subscription stays as it is.
 */
export async function refuse(db: Db, emailHash: string, now: Date): Promise<void> {
  db.transaction(
    (tx) => {
      tx.insert(refusals).values({ emailHash, createdAt: now.getTime() }).onConflictDoNothing().run()
      tx.delete(subscribers)
        .where(and(eq(subscribers.emailHash, emailHash), eq(subscribers.status, 'pending')))
        .run()
      tx.delete(addressChanges)
        .where(and(eq(addressChanges.emailHash, emailHash), isNull(addressChanges.changedAt)))
        .run()
    },
    { behavior: 'immediate' },
  )
}

/** Takes `refuse` back; also when there is nothing to take back. */
export async function liftRefusal(db: Db, emailHash: string): Promise<void> {
  liftRefusalIn(db, emailHash)
}

/** `liftRefusal` within a transaction that is open already, for the files of `db/` only; false: there was nothing to take back. */
export function liftRefusalIn(tx: Pick<Db, 'delete'>, emailHash: string): boolean {
  return tx.delete(refusals).where(eq(refusals.emailHash, emailHash)).run().changes === 1
}
