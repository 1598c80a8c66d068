import { and, eq, inArray, isNull } from '../drizzle.ts'
import { operators } from '../schema/operators.ts'
import type { Queries, Store } from '../store.ts'
import { CAN_SIGN_IN } from './operators.ts'

/** An operator who may let an edition go and can sign in to do it; they hear of each coming one. */
export type Approver = { id: number; email: string }

/** Inside a transaction: everyone who may let an edition go. Editors may not. */
export async function approversIn(queries: Queries): Promise<Approver[]> {
  return await queries.select(APPROVER).from(operators).where(MAY_APPROVE).orderBy(operators.id).all()
}

/** The operator of this id who may let an edition go; null if there is none. */
export async function findApprover({ read }: Store, id: number): Promise<Approver | null> {
  const found = and(eq(operators.id, id), MAY_APPROVE)
  return (await read.select(APPROVER).from(operators).where(found).get()) ?? null
}

const APPROVER = { id: operators.id, email: operators.email }
const MAY_APPROVE = and(
  inArray(operators.role, ['owner', 'operator']),
  isNull(operators.removedAt),
  CAN_SIGN_IN,
)

/** Whether there is anyone for whom an edition could wait. */
export async function hasApprovers({ read }: Store): Promise<boolean> {
  return (await approversIn(read)).length > 0
}
