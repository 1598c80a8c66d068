/** How to get a new secret, for error messages. */
export const NEW_SECRET = 'the output of `openssl rand -base64 32`'

/**
 * Why others could guess this secret, or null. Finds secrets that are short, typed by hand, or copied from an example. It
 * cannot tell whether the others are random.
 */
export function guessable(secret: string): string | null {
  if (EXAMPLE.test(secret)) return 'is an example, or holds words that many use'
  return weak(Array.from(secret).map((one) => one.codePointAt(0) ?? 0))
}

/** The same for the signing secret of a webhook: `whsec_` and base64. https://docs.svix.com/receiving/verifying-payloads/how-manual */
export function guessableKey(secret: string): string | null {
  if (EXAMPLE_KEYS.has(secret)) return 'is the example of a manual'
  return weak([...Buffer.from(secret.replace(/^whsec_/, ''), 'base64')])
}

const LEAST = 24
const LEAST_DISTINCT = 12

function weak(units: readonly number[]): string | null {
  if (units.length < LEAST) return 'is too short'
  const steps = units.slice(1).filter((unit, index) => Math.abs(unit - (units[index] ?? 0)) <= 1)
  const orderly = steps.length > units.length / 2 || new Set(units).size < LEAST_DISTINCT
  return orderly || repeats(units) ? 'follows a pattern' : null
}

/** Whether the units repeat one sequence, perhaps cut off at the end. */
function repeats(units: readonly number[]): boolean {
  const periods = Array.from({ length: Math.floor(units.length / 2) }, (_, index) => index + 1)
  return periods.some((period) => units.every((unit, index) => unit === units[index % period]))
}

const EXAMPLE = /change.?me|openssl|example|passwor[dt]|your[-_ ]/i
const EXAMPLE_KEYS = new Set(['whsec_MfKQ9r8G', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'])
