import { createHash, randomInt } from 'node:crypto'

const CODES = 10
/** Without letters and digits that look alike. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
const ONLY_LETTERS = new RegExp(`^[${LETTERS}]*$`)
const GROUPS = 4
const IN_GROUP = 4

/** Ten codes like `k7pm-x2aq-9wde-hf3t`, of 79 bits each. */
export const newRecoveryCodes = (): string[] => Array.from({ length: CODES }, newCode)

const newCode = (): string =>
  Array.from({ length: GROUPS }, () =>
    Array.from({ length: IN_GROUP }, () => LETTERS[randomInt(LETTERS.length)]).join(''),
  ).join('-')

/** What is stored of a code, however it was typed; null if it cannot be one. A random code needs no slow hash. */
export function recoveryHash(typed: string): string | null {
  const letters = typed.toLowerCase().replace(/[\s-]/g, '')
  if (letters.length !== GROUPS * IN_GROUP || !ONLY_LETTERS.test(letters)) return null
  return createHash('sha256').update(`openseat:recovery:${letters}`).digest('base64url')
}
