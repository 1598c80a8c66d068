import type { Role } from '../../core/operators/actor.ts'
import { audit } from '../audit.ts'
import { and, eq, gt, isNull } from '../drizzle.ts'
import { entryLinks, operators, signIns } from '../schema/operators.ts'
import type { Queries, Store } from '../store.ts'
import { keepOperator } from './operators.ts'

/** How long a link works, in ms. */
const LINK_MS = 30 * 60_000

/**
 * Keeps a link for this address, which makes whoever has it the operator; older links of theirs end. Returns when it
 * expires. `last-owner`: the role would leave the practice without one.
 */
export async function keepEntryLink(
  store: Store,
  link: { email: string; role: Role | null; tokenHash: string },
  now: Date,
): Promise<{ kind: 'made'; operatorId: number; role: Role; expires: Date } | { kind: 'last-owner' }> {
  return store.write(async (tx) => {
    const operator = await keepOperator(tx, link, now)
    if (operator.kind === 'last-owner') return operator
    const { id, role } = operator
    const expires = new Date(now.getTime() + LINK_MS)
    await tx.delete(entryLinks).where(eq(entryLinks.operatorId, id)).run()
    await tx
      .insert(entryLinks)
      .values({
        tokenHash: link.tokenHash,
        operatorId: id,
        createdAt: now.getTime(),
        expiresAt: expires.getTime(),
      })
      .run()
    await audit(tx, now, { action: 'entry link made', subject: `operator:${id}` })
    return { kind: 'made', operatorId: id, role, expires }
  })
}

/** Whose link this is, while it works; or null. Changes nothing. */
export async function ownerOfLink(
  store: Store,
  tokenHash: string,
  now: Date,
): Promise<{ operatorId: number; email: string; role: Role } | null> {
  return (await linkIn(store.read, tokenHash, now)) ?? null
}

/**
 * Uses a link up: ends their sign-ins and starts one in which they choose how to sign in, with the offered secret of an app
 * (`enrolling`). Returns whose it is, or null if the link does not work.
 */
export async function useEntryLink(
  store: Store,
  tokenHash: string,
  signIn: { tokenHash: string; network: string; device: string; enrolling: string },
  now: Date,
): Promise<number | null> {
  const at = now.getTime()
  return store.write(async (tx) => {
    const link = await linkIn(tx, tokenHash, now)
    const unused = and(eq(entryLinks.tokenHash, tokenHash), isNull(entryLinks.usedAt))
    const used = await tx.update(entryLinks).set({ usedAt: at }).where(unused).run()
    if (!link || used.changes === 0) return null
    const { operatorId } = link
    await tx.delete(signIns).where(eq(signIns.operatorId, operatorId)).run()
    await tx
      .insert(signIns)
      .values({ ...signIn, operatorId, createdAt: at, seenAt: at })
      .run()
    await audit(tx, now, { action: 'entry link used', subject: `operator:${operatorId}` })
    return operatorId
  })
}

const linkIn = (queries: Queries, tokenHash: string, now: Date) =>
  queries
    .select({ operatorId: operators.id, email: operators.email, role: operators.role })
    .from(entryLinks)
    .innerJoin(operators, eq(operators.id, entryLinks.operatorId))
    .where(
      and(
        eq(entryLinks.tokenHash, tokenHash),
        isNull(entryLinks.usedAt),
        gt(entryLinks.expiresAt, now.getTime()),
        isNull(operators.removedAt),
      ),
    )
    .get()
