import { auditLog } from './schema/installation.ts'
import type { Queries, Store } from './store.ts'

/**
 * Inside a transaction: records what someone did. `subject` is an edition id, the number of a session, or a subscriber's public
 * id; neither it nor `detail` ever holds an address.
 */
export async function audit(
  tx: Queries,
  now: Date,
  entry: { action: string; subject: string; detail?: string },
): Promise<void> {
  await tx
    .insert(auditLog)
    .values({ at: now.getTime(), ...entry })
    .run()
}

/** Records what someone did that changed nothing here, such as looking at a person. */
export async function recordOf(
  store: Store,
  now: Date,
  entry: { action: string; subject: string; detail?: string },
): Promise<void> {
  await store.write((tx) => audit(tx, now, entry))
}
