import { Secret, TOTP } from 'otpauth'

/** Bytes of a secret: as many as of the hash (RFC 4226 §4, R6). */
const SECRET_BYTES = 20
const STEP_S = 30

/** A new secret for an authenticator app, in base32. */
export const newAppSecret = (): string => new Secret({ size: SECRET_BYTES }).base32

/** The address that an app reads from the QR code. */
export const appAddress = (
  secret: string,
  { practice, email }: { practice: string; email: string },
): string => totp(secret, practice, email).toString()

/**
 * The step of the code (RFC 6238), or null if it is not one of this minute. Only a step after the last that was used may
 * count, so that a code that was looked at works once.
 */
export function stepOfCode(secret: string, code: string, now: Date): number | null {
  const timestamp = now.getTime()
  const delta = totp(secret).validate({ token: code.replace(/\s/g, ''), timestamp, window: 1 })
  return delta === null ? null : Math.floor(timestamp / 1000 / STEP_S) + delta
}

const totp = (secret: string, issuer = '', label = ''): TOTP =>
  new TOTP({ issuer, label, secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: 6, period: STEP_S })
