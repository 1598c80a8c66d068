import type { Installation } from '../../app.ts'
import { type Passwords, passwordProblem } from '../../core/operators/password.ts'
import {
  addCredential,
  changePasswordOf,
  codesLeft,
  type NewCredential,
  passkeysOf,
  removePasskey,
} from '../../db/operators/credentials.ts'
import { operatorById } from '../../db/operators/operators.ts'
import { endSignIn, endSignIns, type SignIn, signInsOf } from '../../db/operators/sign-ins.ts'
import { demand } from './acting.ts'
import { newCodesFor } from './enrol.ts'

type Needs = Pick<Installation, 'store' | 'now' | 'config' | 'actor'>
type Own = Pick<SignIn, 'id' | 'operatorId' | 'email'>

/** How someone signs in, and where they are signed in. */
export async function ownAccount(app: Needs, { operatorId }: Own) {
  demand(app, 'sign-ins.own')
  return {
    signIns: await signInsOf(app.store, operatorId),
    keys: await passkeysOf(app.store, operatorId),
    codesLeft: await codesLeft(app.store, operatorId),
    hasPassword: (await operatorById(app.store, operatorId))?.passwordHash != null,
  }
}

/** Ends one of someone's own sign-ins; another's stays. */
export async function endOneSignIn(app: Needs, { operatorId }: Own, id: number): Promise<void> {
  demand(app, 'sign-ins.own')
  await endSignIn(app.store, { operatorId, id })
}

/** Ends all of someone's own sign-ins but this one. */
export async function endAllSignIns(app: Needs, { operatorId, id }: Own): Promise<void> {
  demand(app, 'sign-ins.own')
  await endSignIns(app.store, { operatorId, keep: id }, app.now())
}

/** Adds a passkey to someone's own ways to sign in. Needs a fresh proof, as a stolen cookie would last with it. */
export async function addPasskey(app: Needs, { operatorId }: Own, passkey: NewCredential): Promise<void> {
  demand(app, 'credentials.own')
  await addCredential(app.store, operatorId, passkey, app.now())
}

/** Removes one of someone's own passkeys. False: it is the only way they have to sign in. */
export async function removeOwnPasskey(app: Needs, { operatorId }: Own, id: string): Promise<boolean> {
  demand(app, 'credentials.own')
  return removePasskey(app.store, operatorId, id, app.now())
}

/** Makes ten new recovery codes, which end the old ones. */
export async function renewOwnCodes(app: Needs, { operatorId }: Own): Promise<string[]> {
  demand(app, 'credentials.own')
  return newCodesFor(app, operatorId)
}

/** Changes someone's own password and ends their other sign-ins. Returns what is wrong with the new one, or null. */
export async function changePassword(
  app: Needs,
  passwords: Passwords,
  { operatorId, id, email }: Own,
  password: string,
): Promise<'short' | 'long' | 'common' | null> {
  demand(app, 'credentials.own')
  const problem = passwordProblem(password, { practice: app.config.practice, email })
  if (problem !== null) return problem
  const passwordHash = await passwords.hash(password)
  await changePasswordOf(app.store, { signInId: id, operatorId, passwordHash }, app.now())
  return null
}
