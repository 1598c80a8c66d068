import type { Role } from '../../core/operators/actor.ts'
import { audit } from '../audit.ts'
import { and, asc, eq, inArray, isNull, ne, sql } from '../drizzle.ts'
import { entryLinks, operators, passkeys, recoveryCodes, signIns } from '../schema/operators.ts'
import type { Queries, Store } from '../store.ts'

export type Operator = typeof operators.$inferSelect

/** Someone who may sign in, and how they do. Instants are ms UTC. */
export type OperatorAtWork = Pick<Operator, 'id' | 'email' | 'role' | 'createdAt'> & {
  passkeys: number
  hasPassword: boolean
  signIns: number
  seenAt: number | null
}

/** The operator with this address, who was not removed; or null. */
export async function findOperator(store: Store, email: string): Promise<Operator | null> {
  const found = and(eq(operators.email, email), isNull(operators.removedAt))
  return (await store.read.select().from(operators).where(found).get()) ?? null
}

/** The operator with this number, who was not removed; or null. */
export async function operatorById(store: Store, id: number): Promise<Operator | null> {
  const found = and(eq(operators.id, id), isNull(operators.removedAt))
  return (await store.read.select().from(operators).where(found).get()) ?? null
}

/** The operator with this number, also one who was removed; or null. */
export async function findAnyOperator(store: Store, id: number): Promise<Operator | null> {
  return (await store.read.select().from(operators).where(eq(operators.id, id)).get()) ?? null
}

/** All who may sign in, in the order in which they came. */
export async function allOperators(store: Store): Promise<OperatorAtWork[]> {
  const rows = await store.read
    .select({
      id: operators.id,
      email: operators.email,
      role: operators.role,
      createdAt: operators.createdAt,
      passkeys: sql<number>`(select count(*) from passkeys p where p.operator_id = operators.id)`,
      hasPassword: sql<number>`case when ${operators.passwordHash} is null then 0 else 1 end`,
      signIns: sql<number>`(select count(*) from sign_ins s where s.operator_id = operators.id and s.enrolling is null)`,
      seenAt: sql<number | null>`(select max(s.seen_at) from sign_ins s where s.operator_id = operators.id)`,
    })
    .from(operators)
    .where(isNull(operators.removedAt))
    .orderBy(asc(operators.id))
    .all()
  return rows.map((row) => ({ ...row, hasPassword: row.hasPassword === 1 }))
}

/** Whether someone has chosen how to sign in. */
export const CAN_SIGN_IN = sql`(${operators.passwordHash} is not null
  or exists (select 1 from passkeys p where p.operator_id = ${operators.id}))`

/** Those who have chosen how to sign in, with one of these roles: who could stop an edition. */
export async function readyOperators(
  store: Store,
  roles: readonly Role[],
): Promise<Pick<Operator, 'id' | 'email' | 'role'>[]> {
  return store.read
    .select({ id: operators.id, email: operators.email, role: operators.role })
    .from(operators)
    .where(and(isNull(operators.removedAt), inArray(operators.role, [...roles]), CAN_SIGN_IN))
    .orderBy(asc(operators.id))
    .all()
}

/**
 * Inside a transaction: the operator with this address, made or let in again if need be, with this role if one is given.
 * `last-owner`: they are the only owner, and would not be one any more.
 */
export async function keepOperator(
  tx: Queries,
  { email, role }: { email: string; role: Role | null },
  now: Date,
): Promise<{ kind: 'kept' | 'new'; id: number; role: Role } | { kind: 'last-owner' }> {
  const known = await tx.select().from(operators).where(eq(operators.email, email)).get()
  if (known === undefined || known.removedAt !== null) {
    const fresh = { email, role: role ?? ('operator' as const), createdAt: now.getTime() }
    const again = { role: fresh.role, removedAt: null }
    const [row] = await tx
      .insert(operators)
      .values(fresh)
      .onConflictDoUpdate({ target: operators.email, set: again })
      .returning({ id: operators.id })
      .all()
    const id = row?.id ?? 0
    await audit(tx, now, { action: 'operator added', subject: `operator:${id}`, detail: fresh.role })
    return { kind: 'new', id, role: fresh.role }
  }
  if (role === null || role === known.role) return { kind: 'kept', id: known.id, role: known.role }
  if (!(await giveRole(tx, known.id, role, now))) return { kind: 'last-owner' }
  return { kind: 'kept', id: known.id, role }
}

/** Changes a role and ends their sign-ins. False: they are the last owner, or gone. The same role changes nothing. */
export async function changeRoleOf(store: Store, id: number, role: Role, now: Date): Promise<boolean> {
  return store.write((tx) => giveRole(tx, id, role, now))
}

async function giveRole(tx: Queries, id: number, role: Role, now: Date): Promise<boolean> {
  const mine = and(eq(operators.id, id), isNull(operators.removedAt))
  const may = role === 'owner' ? mine : and(mine, NOT_LAST_OWNER)
  const changed = await tx
    .update(operators)
    .set({ role })
    .where(and(may, ne(operators.role, role)))
    .run()
  if (changed.changes === 0) {
    const same = and(mine, eq(operators.role, role))
    return (await tx.select({ id: operators.id }).from(operators).where(same).get()) !== undefined
  }
  await tx.delete(signIns).where(eq(signIns.operatorId, id)).run()
  await audit(tx, now, { action: 'role changed', subject: `operator:${id}`, detail: role })
  return true
}

/** Takes someone's way in, all of it. False: they are the last owner, or gone already. */
export async function removeOperatorFrom(store: Store, id: number, now: Date): Promise<boolean> {
  return store.write(async (tx) => {
    const gone = { removedAt: now.getTime(), passwordHash: null, totpSecret: null }
    const may = and(eq(operators.id, id), isNull(operators.removedAt), NOT_LAST_OWNER)
    if ((await tx.update(operators).set(gone).where(may).run()).changes === 0) return false
    for (const table of [signIns, passkeys, recoveryCodes, entryLinks])
      await tx.delete(table).where(eq(table.operatorId, id)).run()
    await audit(tx, now, { action: 'operator removed', subject: `operator:${id}` })
    return true
  })
}

/** Without an owner nobody could let anyone in from the pages. One statement, so that of two removals one fails. */
const NOT_LAST_OWNER = sql`(${operators.role} <> 'owner' or exists (
  select 1 from operators other where other.role = 'owner' and other.removed_at is null and other.id <> ${operators.id}))`
