import type { Role } from '../../core/operators/actor.ts'
import { and, eq, gt, isNull, lt, sql } from '../drizzle.ts'
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
}

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

/** Starts a sign-in and returns its id. They have just proved who they are. */
export async function startSignIn(
  store: Store,
  signIn: { operatorId: number; tokenHash: string; network: string; device: string },
  now: Date,
): Promise<number> {
  const at = now.getTime()
  return store.write(async (tx) => {
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
