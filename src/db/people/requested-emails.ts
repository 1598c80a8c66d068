import { and, desc, eq, gt, lte } from '../drizzle.ts'
import { refusals, requestedEmails } from '../schema/people.ts'
import type { Queries, Store } from '../store.ts'

/**
 * How many emails strangers may cause: to one address since an instant, and in total since another instant. `fromNetwork`:
 * the number of this request among those of its network in the last hour, from 1.
 */
export type RequestLimits = {
  perAddress: { max: number; since: Date }
  overall: { max: number; since: Date }
  fromNetwork: number
}

/** `busy`: the total is spent. `often`: this address had its share. `refused`: its holder wants none. */
export type Requested = 'counted' | 'busy' | 'often' | 'refused'

/**
 * Whether the total is used up. The second half of it is reserved for networks with their first request in the hour, so
 * that a few networks cannot use it up for everyone.
 */
export async function isBusy(tx: Queries, { overall, fromNetwork }: RequestLimits): Promise<boolean> {
  const share = fromNetwork > 1 ? Math.ceil(overall.max / 2) : overall.max
  return await atLeast(tx, gt(requestedEmails.createdAt, overall.since.getTime()), share)
}

/** Inside a transaction: counts one more email to this address, unless a limit is reached or its holder refused. */
export async function countRequest(
  tx: Queries,
  emailHash: string,
  limits: RequestLimits,
  now: Date,
): Promise<Requested> {
  if (await isBusy(tx, limits)) return 'busy'
  const { max, since } = limits.perAddress
  const own = and(eq(requestedEmails.emailHash, emailHash), gt(requestedEmails.createdAt, since.getTime()))
  const refused = await isRefused(tx, emailHash)
  if (await atLeast(tx, own, max)) return 'often'
  if (refused) return 'refused'
  await tx.insert(requestedEmails).values({ emailHash, createdAt: now.getTime() }).run()
  return 'counted'
}

/** Deletes the requests that no longer count. */
export async function forgetRequests(store: Store, until: Date): Promise<void> {
  await store.write((tx) =>
    tx.delete(requestedEmails).where(lte(requestedEmails.createdAt, until.getTime())).run(),
  )
}

/** Whether the holder of this address wants no email that someone else can cause. */
export async function isRefused(tx: Queries, emailHash: string): Promise<boolean> {
  return (await tx.select().from(refusals).where(eq(refusals.emailHash, emailHash)).get()) !== undefined
}

async function atLeast(tx: Queries, which: ReturnType<typeof and>, max: number): Promise<boolean> {
  const nth = await tx
    .select({ id: requestedEmails.id })
    .from(requestedEmails)
    .where(which)
    .orderBy(desc(requestedEmails.createdAt))
    .limit(1)
    .offset(max - 1)
    .get()
  return nth !== undefined
}
