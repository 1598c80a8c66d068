import type { Installation } from '../../app.ts'
import { normalizeEmail } from '../../core/intake/email-address.ts'
import type { Role } from '../../core/operators/actor.ts'
import {
  allOperators,
  changeRoleOf,
  findOperator,
  type OperatorAtWork,
  removeOperatorFrom,
} from '../../db/operators/operators.ts'
import { endSignIns } from '../../db/operators/sign-ins.ts'
import { demand } from './acting.ts'

type Needs = Pick<Installation, 'store' | 'now' | 'actor'>

/** Everyone who may sign in. */
export async function listOperators(app: Needs): Promise<OperatorAtWork[]> {
  demand(app, 'people.see')
  return allOperators(app.store)
}

/** Changes someone's role and ends their sign-ins. `refused`: they are the last owner, or gone. */
export async function changeRole(app: Needs, id: number, role: Role): Promise<'done' | 'refused'> {
  demand(app, 'people.change')
  return (await changeRoleOf(app.store, id, role, app.now())) ? 'done' : 'refused'
}

/** Takes someone's way in. `refused`: they are the last owner, or gone. */
export async function removeOperator(app: Needs, id: number): Promise<'done' | 'refused'> {
  demand(app, 'people.change')
  return (await removeOperatorFrom(app.store, id, app.now())) ? 'done' : 'refused'
}

/** `removeOperator` by address, as it was typed. */
export async function removeOperatorAt(app: Needs, typed: string): Promise<'done' | 'refused' | 'unknown'> {
  demand(app, 'people.change')
  const read = normalizeEmail(typed)
  const operator = 'email' in read ? await findOperator(app.store, read.email) : null
  return operator === null ? 'unknown' : removeOperator(app, operator.id)
}

/** Ends everything that someone is signed in on. */
export async function signOutOperator(app: Needs, id: number): Promise<void> {
  demand(app, 'people.change')
  await endSignIns(app.store, { operatorId: id }, app.now())
}
