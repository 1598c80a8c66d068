import type { Installation } from '../../app.ts'
import { plain } from '../../core/mail/digest-page.ts'
import { type LeftOut, leftOutSessions } from '../../db/sessions/sessions.ts'
import type { Store } from '../../db/store.ts'

const MOST_NAMED = 20

/** One bad session in a line: its id, the column, and the error. */
export const leftOutLine = ({ externalId, field, message }: LeftOut): string =>
  `${plain(externalId)}: ${field} ${message}`

/** The sessions that no page or edition shows because they cannot be read: at most 20, then how many more. */
export async function namesOfLeftOut(store: Store): Promise<string[]> {
  const all = await leftOutSessions(store)
  const named = all.slice(0, MOST_NAMED).map(leftOutLine)
  return all.length > named.length ? [...named, `and ${all.length - named.length} more`] : named
}

/** Warns about each session that is left out, once per process while it stays so. */
export async function warnOfLeftOut({ store, log }: Pick<Installation, 'store' | 'log'>): Promise<void> {
  const before = warned.get(store)
  const now = new Set<string>()
  for (const one of await leftOutSessions(store)) {
    const line = leftOutLine(one)
    now.add(line)
    if (!before?.has(line))
      log.warn(
        { session: one.externalId, field: one.field },
        `a session is left out of every page and edition: its ${one.field} ${one.message}`,
      )
  }
  warned.set(store, now)
}

const warned = new WeakMap<Store, ReadonlySet<string>>()
