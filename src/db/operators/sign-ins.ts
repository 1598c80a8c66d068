import type { Role } from '../../core/operators/actor.ts'
import { audit } from '../audit.ts'
import { and, desc, eq, gt, isNull, lt, ne, sql } from '../drizzle.ts'
import { operators, signIns } from '../schema/operators.ts'
import { prepared, type Store } from '../store.ts'

/** A signed-in browser, and whose it is. Instants are ms UTC. */
export type SignIn = {
  id: number
  operatorId: number
  email: string
  role: Role
  network: string
  seenAt: number
  provenAt: number | null
  said: string | null
  /** Set while they have not chosen how to sign in: the offered secret of an app, encrypted. */
  enrolling: string | null
}

/** One of someone's signed-in browsers, as they see them. */
export type OwnSignIn = Pick<
  typeof signIns.$inferSelect,
  'id' | 'createdAt' | 'seenAt' | 'network' | 'device'
>

/** How long a sign-in lasts, however busy, in ms. */
const LONGEST_MS = 12 * 3_600_000
/** `seen_at` is written this often, so that reading a page seldom writes. */
const SEEN_EVERY_MS = 60_000

/** The sign-in with this hash that has neither ended nor been idle for `idleMs`; null if there is none. */
export async function findSignIn(
  store: Store,
  tokenHash: string,
  { now, idleMs }: { now: Date; idleMs: number },
): Promise<SignIn | null> {
  const at = now.getTime()
  const values = { tokenHash, seenAfter: at - idleMs, createdAfter: at - LONGEST_MS }
  const found = (await byToken(store.read).get(values)) ?? null
  if (found !== null && at - found.seenAt >= SEEN_EVERY_MS) await see(store, found.id, at)
  return found
}

const byToken = prepared((read) =>
  read
    .select({
      id: signIns.id,
      operatorId: signIns.operatorId,
      email: operators.email,
      role: operators.role,
      network: signIns.network,
      seenAt: signIns.seenAt,
      provenAt: signIns.provenAt,
      said: signIns.said,
      enrolling: signIns.enrolling,
    })
    .from(signIns)
    .innerJoin(operators, eq(operators.id, signIns.operatorId))
    .where(
      and(
        eq(signIns.tokenHash, sql.placeholder('tokenHash')),
        gt(signIns.seenAt, sql.placeholder('seenAfter')),
        gt(signIns.createdAt, sql.placeholder('createdAfter')),
        isNull(operators.removedAt),
      ),
    )
    .prepare(),
)

async function see(store: Store, id: number, at: number): Promise<void> {
  const earlier = and(eq(signIns.id, id), lt(signIns.seenAt, at))
  await store.write((tx) => tx.update(signIns).set({ seenAt: at }).where(earlier).run(), { durable: false })
}

/**
 * Starts a sign-in and returns its id. They have just proved who they are, by `how`. The one that the browser had before,
 * `instead`, ends.
 */
export async function startSignIn(
  store: Store,
  {
    how,
    instead = null,
    ...signIn
  }: {
    operatorId: number
    tokenHash: string
    network: string
    device: string
    how: string
    instead?: number | null
  },
  now: Date,
): Promise<number> {
  const at = now.getTime()
  return store.write(async (tx) => {
    if (instead !== null) await tx.delete(signIns).where(eq(signIns.id, instead)).run()
    const { operatorId, device } = signIn
    const like = and(
      eq(signIns.operatorId, operatorId),
      eq(signIns.device, device),
      isNull(signIns.enrolling),
    )
    const known = await tx.select({ id: signIns.id }).from(signIns).where(like).get()
    const detail = known ? how : `${how}, from a new device`
    await audit(tx, now, { action: 'signed in', subject: `operator:${operatorId}`, detail })
    const row = { ...signIn, createdAt: at, seenAt: at, provenAt: at }
    const [started] = await tx.insert(signIns).values(row).returning({ id: signIns.id }).all()
    return started?.id ?? 0
  })
}

/** Keeps one line for the next page of a sign-in; null takes it away. */
export async function keepSaid(store: Store, id: number, said: string | null): Promise<void> {
  await store.write((tx) => tx.update(signIns).set({ said }).where(eq(signIns.id, id)).run(), {
    durable: false,
  })
}

/** Notes that they have just proved again who they are. */
export async function proveSignIn(store: Store, id: number, now: Date): Promise<void> {
  const proven = { provenAt: now.getTime() }
  await store.write((tx) => tx.update(signIns).set(proven).where(eq(signIns.id, id)).run())
}

/** Someone's signed-in browsers, the last used first. */
export async function signInsOf(store: Store, operatorId: number): Promise<OwnSignIn[]> {
  return store.read
    .select({
      id: signIns.id,
      createdAt: signIns.createdAt,
      seenAt: signIns.seenAt,
      network: signIns.network,
      device: signIns.device,
    })
    .from(signIns)
    .where(and(eq(signIns.operatorId, operatorId), isNull(signIns.enrolling)))
    .orderBy(desc(signIns.seenAt))
    .all()
}

/** Ends one of someone's sign-ins. */
export async function endSignIn(store: Store, { operatorId, id }: { operatorId: number; id: number }) {
  const mine = and(eq(signIns.id, id), eq(signIns.operatorId, operatorId))
  await store.write((tx) => tx.delete(signIns).where(mine).run())
}

/** Ends all sign-ins of someone, but `keep`. */
export async function endSignIns(
  store: Store,
  { operatorId, keep = 0 }: { operatorId: number; keep?: number },
  now: Date,
): Promise<void> {
  await store.write(async (tx) => {
    const theirs = and(eq(signIns.operatorId, operatorId), ne(signIns.id, keep))
    await tx.delete(signIns).where(theirs).run()
    await audit(tx, now, { action: 'sign-ins ended', subject: `operator:${operatorId}` })
  })
}
