import { createHmac } from 'node:crypto'
import type { Installation } from '../../app.ts'
import { normalizeEmail } from '../../core/intake/email-address.ts'
import { stepOfCode } from '../../core/operators/app-code.ts'
import type { Passwords } from '../../core/operators/password.ts'
import { recoveryHash } from '../../core/operators/recovery.ts'
import { unseal } from '../../core/operators/sealed.ts'
import { hashOf, newToken } from '../../core/operators/token.ts'
import { useAppStep, useRecoveryCode } from '../../db/operators/credentials.ts'
import { findOperator, type Operator, operatorById } from '../../db/operators/operators.ts'
import { proveSignIn, startSignIn } from '../../db/operators/sign-ins.ts'
import { countTry, forgetTries, type TryLimit } from '../../db/operators/tries.ts'
import { actingAs } from './acting.ts'

type Needs = Pick<Installation, 'store' | 'config' | 'now' | 'hashKey' | 'actor'>

/** Where a sign-in comes from; `instead` is the sign-in that the browser had before. */
export type From = { network: string; device: string; instead: number | null }

export type SignInOutcome = { kind: 'in'; cookie: string } | { kind: 'wrong' } | { kind: 'too-often' }

const [HOUR_MS, DAY_MS] = [3_600_000, 24 * 3_600_000]
const PER_NETWORK_AN_HOUR = 60
const PER_ACCOUNT_AND_NETWORK = { anHour: 10, aDay: 20 }
/** Wrong codes after the right password; only someone who has that can use these up. Passkeys and links stay open. */
const CODES_A_DAY = 96

/**
 * Signs in with a password and a code of the app, or a recovery code instead of the code. Who has no password signs in with a
 * recovery code alone. `wrong` says nothing about which part was, or whether the address is known, and takes as long.
 * Tries count for an account only together with the network they come from, so that no stranger can lock anyone out.
 */
export async function signInWithPassword(
  app: Needs,
  passwords: Passwords,
  typed: { email: string; password: string; code: string },
  from: From,
): Promise<SignInOutcome> {
  const read = normalizeEmail(typed.email)
  const email = 'email' in read ? read.email : typed.email.trim().toLowerCase()
  if (!(await countTry(app.store, limitsOf(app, email, from), app.now()))) return { kind: 'too-often' }
  const operator = await findOperator(app.store, email)
  if (!(await isProof(app, passwords, operator, typed)) || operator === null) return { kind: 'wrong' }
  await forgetTries(app.store, bucket(app, `account:${email}:${from.network}`))
  return signIn(app, operator, from, 'password')
}

/** Lets someone who is signed in prove again who they are, with the same limits. */
export async function proveWithPassword(
  app: Needs,
  passwords: Passwords,
  { operatorId, signInId }: { operatorId: number; signInId: number },
  typed: { password: string; code: string },
  network: string,
): Promise<'proven' | 'wrong' | 'too-often'> {
  const operator = await operatorById(app.store, operatorId)
  if (!(await countTry(app.store, limitsOf(app, operator?.email ?? '', { network }), app.now())))
    return 'too-often'
  if (!(await isProof(app, passwords, operator, typed))) return 'wrong'
  await proveSignIn(app.store, signInId, app.now())
  return 'proven'
}

/** Starts a sign-in of someone who has proved who they are, and returns its cookie. */
export async function signIn(
  app: Needs,
  { id, role }: Pick<Operator, 'id' | 'role'>,
  { network, device, instead }: From,
  how: string,
): Promise<{ kind: 'in'; cookie: string }> {
  const now = app.now()
  const actor = { kind: 'operator', id, role, network, signInId: 0, provenAt: now.getTime() } as const
  const cookie = newToken()
  const row = { operatorId: id, tokenHash: hashOf(cookie), network, device, instead, how }
  await startSignIn(actingAs(app, actor).store, row, now)
  return { kind: 'in', cookie }
}

/** Whether the password and the code are this operator's. Uses the code up. Takes as long for nobody. */
async function isProof(
  app: Needs,
  passwords: Passwords,
  operator: Operator | null,
  { password, code }: { password: string; code: string },
): Promise<boolean> {
  const isRight = await passwords.matches(password, operator?.passwordHash ?? null)
  if (operator === null) return false
  const recovery = recoveryHash(code)
  if (operator.passwordHash === null)
    return recovery !== null && useRecoveryCode(app.store, operator.id, recovery, app.now())
  if (!isRight) return false
  const codes = { bucket: bucket(app, `code:${operator.id}`), most: CODES_A_DAY, perMs: DAY_MS }
  if (!(await countTry(app.store, [codes], app.now()))) return false
  if (recovery !== null) return useRecoveryCode(app.store, operator.id, recovery, app.now())
  const secret = unseal(app.config.LINK_SECRET, operator.totpSecret ?? '')
  const step = secret === null ? null : stepOfCode(secret, code, app.now())
  return step !== null && useAppStep(app.store, operator.id, step)
}

function limitsOf(app: Needs, email: string, { network }: Pick<From, 'network'>): TryLimit[] {
  const account = bucket(app, `account:${email}:${network}`)
  return [
    { bucket: bucket(app, `network:${network}`), most: PER_NETWORK_AN_HOUR, perMs: HOUR_MS },
    { bucket: account, most: PER_ACCOUNT_AND_NETWORK.anHour, perMs: HOUR_MS },
    { bucket: account, most: PER_ACCOUNT_AND_NETWORK.aDay, perMs: DAY_MS },
  ]
}

/** What tries are stored under: neither an address nor a network. */
const bucket = ({ hashKey }: Pick<Needs, 'hashKey'>, what: string): string =>
  createHmac('sha256', hashKey).update(`try:${what}`).digest('base64url')
