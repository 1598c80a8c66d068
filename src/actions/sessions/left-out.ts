import type { Store } from '../../app.ts'
import { plain } from '../../core/mail/digest-page.ts'
import type { Db } from '../../db/open.ts'
import { type LeftOut, leftOutSessions } from '../../db/sessions/sessions.ts'

const MOST_NAMED = 20

/** One bad session in a line: its id, the column, and the error. */
export const leftOutLine = ({ externalId, field, message }: LeftOut): string =>
  `${plain(externalId)}: ${field} ${message}`

/** The sessions that no page or edition shows because they cannot be read: at most 20, then how many more. */
export async function namesOfLeftOut(db: Db): Promise<string[]> {
  const all = await leftOutSessions(db)
  const named = all.slice(0, MOST_NAMED).map(leftOutLine)
  return all.length > named.length ? [...named, `and ${all.length - named.length} more`] : named
}

/** Warns about each session that is left out, once per process while it stays so. */
export async function warnOfLeftOut({ db, log }: Pick<Store, 'db' | 'log'>): Promise<void> {
  const before = warned.get(db)
  const now = new Set<string>()
  for (const one of await leftOutSessions(db)) {
    const line = leftOutLine(one)
    now.add(line)
    if (!before?.has(line))
      log.warn(
        { session: one.externalId, field: one.field },
        `a session is left out of every page and edition: its ${one.field} ${one.message}`,
      )
  }
  warned.set(db, now)
}

const warned = new WeakMap<Db, ReadonlySet<string>>()
