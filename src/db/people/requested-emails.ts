import { and, desc, eq, gt, lte } from '../drizzle.ts'
import type { Db } from '../open.ts'
import { refusals, requestedEmails } from '../schema/people.ts'

/**
 * How many emails anybody may cause who is not signed in: to one address since an instant, and to all together since
 * another. `fromNetwork`: which request of its network in the last hour this is, counted from 1.
 */
export type RequestLimits = {
  perAddress: { max: number; since: Date }
  overall: { max: number; since: Date }
  fromNetwork: number
}

/** `busy`: the total is spent. `often`: this address had its share. `refused`: its holder wants none. */
export type Requested = 'counted' | 'busy' | 'often' | 'refused'

type Tx = Pick<Db, 'select' | 'insert' | 'delete'>

/**
 * Whether the total is spent. The second half of it is kept for networks that ask for the first time in the hour, so
 * that a handful of them cannot spend it for all others.
 */
export function isBusy(tx: Tx, { overall, fromNetwork }: RequestLimits): boolean {
  const share = fromNetwork > 1 ? Math.ceil(overall.max / 2) : overall.max
  return atLeast(tx, gt(requestedEmails.createdAt, overall.since.getTime()), share)
}

/** Inside a transaction: counts one more email to this address, unless a limit or its holder is against it. */
export function countRequest(tx: Tx, emailHash: string, limits: RequestLimits, now: Date): Requested {
  if (isBusy(tx, limits)) return 'busy'
  const { max, since } = limits.perAddress
  const own = and(eq(requestedEmails.emailHash, emailHash), gt(requestedEmails.createdAt, since.getTime()))
  const refused = isRefused(tx, emailHash)
  if (atLeast(tx, own, max)) return 'often'
  if (refused) return 'refused'
  tx.insert(requestedEmails).values({ emailHash, createdAt: now.getTime() }).run()
  return 'counted'
}

/** Forgets the requests that count no more. */
export async function forgetRequests(db: Db, until: Date): Promise<void> {
  db.delete(requestedEmails).where(lte(requestedEmails.createdAt, until.getTime())).run()
}

/** Whether the holder of this address wants no email that somebody else can cause. */
export function isRefused(tx: Pick<Db, 'select'>, emailHash: string): boolean {
  return tx.select().from(refusals).where(eq(refusals.emailHash, emailHash)).get() !== undefined
}

function atLeast(tx: Tx, which: ReturnType<typeof and>, max: number): boolean {
  const nth = tx
    .select({ id: requestedEmails.id })
    .from(requestedEmails)
    .where(which)
    .orderBy(desc(requestedEmails.createdAt))
    .limit(1)
    .offset(max - 1)
    .get()
  return nth !== undefined
}
