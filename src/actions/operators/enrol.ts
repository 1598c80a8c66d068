import type { Installation } from '../../app.ts'
import { stepOfCode } from '../../core/operators/app-code.ts'
import { type Passwords, passwordProblem } from '../../core/operators/password.ts'
import { newRecoveryCodes, recoveryHash } from '../../core/operators/recovery.ts'
import { seal, unseal } from '../../core/operators/sealed.ts'
import { enrolWith, type NewCredential, renewCodes } from '../../db/operators/credentials.ts'
import type { SignIn } from '../../db/operators/sign-ins.ts'
import { actingAs } from './acting.ts'

type Needs = Pick<Installation, 'store' | 'config' | 'now' | 'actor'>

/**
 * A password and an authenticator app as someone's way to sign in, once the code shows that the app has the secret that was
 * offered. Otherwise what is wrong with the password, or `code`.
 */
export async function passwordWay(
  { config, now }: Needs,
  passwords: Passwords,
  { enrolling, email }: Pick<SignIn, 'enrolling' | 'email'>,
  { password, code }: { password: string; code: string },
): Promise<(NewCredential & { kind: 'password' }) | { kind: 'short' | 'long' | 'common' | 'code' }> {
  const problem = passwordProblem(password, { practice: config.practice, email })
  if (problem !== null) return { kind: problem }
  const secret = unseal(config.LINK_SECRET, enrolling ?? '')
  const totpStep = secret === null ? null : stepOfCode(secret, code, now())
  if (secret === null || totpStep === null) return { kind: 'code' }
  const passwordHash = await passwords.hash(password)
  return { kind: 'password', passwordHash, totpSecret: seal(config.LINK_SECRET, secret), totpStep }
}

/**
 * Ends enrolling with this way to sign in, which replaces all they had. Returns their new recovery codes, to be shown once;
 * null if the sign-in is not enrolling any more.
 */
export async function chooseWay(
  app: Needs,
  { id: signInId, operatorId, role, network }: SignIn,
  way: NewCredential,
): Promise<string[] | null> {
  const codes = newRecoveryCodes()
  const actor = { kind: 'operator', id: operatorId, role, network, signInId, provenAt: null } as const
  const mine = { signInId, operatorId, codes: hashed(codes) }
  return (await enrolWith(actingAs(app, actor).store, mine, way, app.now())) ? codes : null
}

/** Makes ten new recovery codes for someone, which end the old ones. To be shown once. */
export async function newCodesFor({ store, now }: Needs, operatorId: number): Promise<string[]> {
  const codes = newRecoveryCodes()
  await renewCodes(store, operatorId, hashed(codes), now())
  return codes
}

const hashed = (codes: readonly string[]): string[] => codes.map((code) => recoveryHash(code) ?? '')
