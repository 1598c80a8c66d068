import type {
  AuthenticationResponseJSON,
  AuthenticatorTransport,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'
import type { Installation } from '../../app.ts'
import type { NewCredential } from '../../db/operators/credentials.ts'
import {
  findPasskey,
  keepChallenge,
  passkeysOf,
  useChallenge,
  usePasskey,
} from '../../db/operators/credentials.ts'

type Needs = Pick<Installation, 'store' | 'config' | 'now'>

// Takes 25 MB, and most processes never see a passkey.
const library = () => import('@simplewebauthn/server')

/** Whether browsers make passkeys for our origin: they need a host name, and an address is none. WebAuthn Level 3, §5.1.2. */
export const canUsePasskeys = ({ operatorOrigin }: Installation['config']): boolean =>
  !/^\d+(\.\d+){3}$|^\[/.test(new URL(operatorOrigin).hostname)

/** What the browser needs to make a passkey for this operator, as JSON. */
export async function passkeyToMake(
  { store, config, now }: Needs,
  { operatorId, email }: { operatorId: number; email: string },
) {
  const { generateRegistrationOptions } = await library()
  const options = await generateRegistrationOptions({
    rpName: config.practice,
    rpID: siteOf(config),
    userName: email,
    userID: Buffer.from(`operator:${operatorId}`),
    attestationType: 'none',
    excludeCredentials: (await passkeysOf(store, operatorId)).map(({ id }) => ({ id })),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  })
  await keepChallenge(store, { challenge: options.challenge, operatorId }, now())
  return options
}

/** The passkey that the browser made, or null if it does not fit what was asked for. `name`: the device, in a few words. */
export async function passkeyMade(
  { store, config, now }: Needs,
  { operatorId, name }: { operatorId: number; name: string },
  response: RegistrationResponseJSON,
): Promise<(NewCredential & { kind: 'passkey' }) | null> {
  const { verifyRegistrationResponse } = await library()
  const { verified, registrationInfo } = await verifyRegistrationResponse({
    response,
    expectedChallenge: (challenge) => useChallenge(store, { challenge, operatorId }, now()),
    expectedOrigin: config.operatorOrigin,
    expectedRPID: siteOf(config),
    requireUserVerification: true,
  }).catch(() => ({ verified: false as const, registrationInfo: undefined }))
  if (!verified || !registrationInfo) return null
  const { id, publicKey, counter, transports = [] } = registrationInfo.credential
  const key = Buffer.from(publicKey).toString('base64url')
  return {
    kind: 'passkey',
    passkey: { id, publicKey: key, counter, transports: JSON.stringify(transports), name },
  }
}

/** What the browser needs to sign in with a passkey, or for `operatorId` to prove again who they are, as JSON. */
export async function passkeyToAsk({ store, config, now }: Needs, operatorId: number | null) {
  const { generateAuthenticationOptions } = await library()
  const options = await generateAuthenticationOptions({
    rpID: siteOf(config),
    userVerification: 'required',
    allowCredentials: operatorId === null ? [] : (await passkeysOf(store, operatorId)).map(described),
  })
  await keepChallenge(store, { challenge: options.challenge, operatorId }, now())
  return options
}

/** Whose passkey answered; null if it is unknown, or does not answer what was asked of this operator (or of anyone). */
export async function passkeyShown(
  { store, config, now }: Needs,
  operatorId: number | null,
  response: AuthenticationResponseJSON,
): Promise<number | null> {
  const passkey = await findPasskey(store, String(response.id))
  if (passkey === null || (operatorId !== null && passkey.operatorId !== operatorId)) return null
  const { verifyAuthenticationResponse } = await library()
  const { verified, authenticationInfo } = await verifyAuthenticationResponse({
    response,
    expectedChallenge: (challenge) => useChallenge(store, { challenge, operatorId }, now()),
    expectedOrigin: config.operatorOrigin,
    expectedRPID: siteOf(config),
    requireUserVerification: true,
    // Synced passkeys do not count, and one that counts may be restored. So a counter that falls is no proof of a copy.
    credential: { ...described(passkey), publicKey: Buffer.from(passkey.publicKey, 'base64url'), counter: 0 },
  }).catch(() => ({ verified: false as const, authenticationInfo: undefined }))
  if (!verified || !authenticationInfo) return null
  await usePasskey(store, passkey.id, authenticationInfo.newCounter, now())
  return passkey.operatorId
}

const siteOf = ({ operatorOrigin }: Installation['config']): string => new URL(operatorOrigin).hostname

const described = ({ id, transports }: { id: string; transports: string }) => ({
  id,
  transports: JSON.parse(transports) as AuthenticatorTransport[],
})
