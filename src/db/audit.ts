import type { Db } from './open.ts'
import { auditLog } from './schema/installation.ts'

/**
 * Inside a transaction: records what someone did. `subject` is an edition id or a subscriber's public id; neither it nor
 * `detail` ever holds an address.
 */
export function audit(
  tx: Pick<Db, 'insert'>,
  now: Date,
  entry: { action: string; subject: string; detail?: string },
): void {
  tx.insert(auditLog)
    .values({ at: now.getTime(), ...entry })
    .run()
}
