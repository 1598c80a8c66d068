import { argon2, randomBytes, timingSafeEqual } from 'node:crypto'

// OWASP: argon2id with 19 MiB, two passes, one lane. Takes about 60 ms.
// https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
const COST = { memory: 19_456, passes: 2, parallelism: 1 }
const AT_ONCE = 2
const MOST_WAITING = 40

const SHORTEST_PASSWORD = 12
const LONGEST_PASSWORD = 200

const COMMON = /^(.)\1*$|^(123456789|qwertyuiop|passwor[dt]|letmein|iloveyou|welcome|changeme|admin)/i

/** What is wrong with a new password, or null. No rules about its characters: length is what counts (NIST SP 800-63B §3.1.1). */
export function passwordProblem(
  password: string,
  { practice, email }: { practice: string; email: string },
): 'short' | 'long' | 'common' | null {
  const { length } = Array.from(password)
  if (length < SHORTEST_PASSWORD) return 'short'
  if (length > LONGEST_PASSWORD) return 'long'
  const plain = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
  const name = email.split('@')[0] ?? ''
  const rest = [practice, email, name].map(plain).reduce(without, plain(password))
  return COMMON.test(plain(password)) || rest.length < SHORTEST_PASSWORD / 2 ? 'common' : null
}

const without = (text: string, part: string): string => (part.length < 4 ? text : text.replaceAll(part, ''))

/** Hashes and checks passwords, two at a time: each takes 19 MiB. */
export type Passwords = {
  /** A PHC string, `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`. */
  hash(password: string): Promise<string>
  /**
   * Whether the password is the one that was hashed. With null it takes as long and is false, so that nobody learns who
   * has a password. Throws `Busy` while too many others wait.
   */
  matches(password: string, hashed: string | null): Promise<boolean>
}

/** Thrown when passwords are being guessed faster than they can be checked. */
class Busy extends Error {
  override name = 'Busy'
  readonly statusCode = 503
}

export function openPasswords(): Passwords {
  const inTurn = turns()
  return {
    hash: (password) =>
      inTurn(async () => {
        const nonce = randomBytes(16)
        return phc(nonce, await derive(password, nonce))
      }),
    async matches(password, hashed) {
      const { nonce, tag } = readPhc(hashed) ?? { nonce: Buffer.alloc(16), tag: null }
      const found = await inTurn(() => derive(password, nonce))
      return tag !== null && tag.length === found.length && timingSafeEqual(tag, found)
    },
  }
}

// Normalized, a password is the same from every keyboard (NIST SP 800-63B §3.1.1.2).
const derive = (password: string, nonce: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const input = { message: password.normalize('NFKC'), nonce, tagLength: 32, ...COST }
    argon2('argon2id', input, (error, tag) => (error ? reject(error) : resolve(tag)))
  })

const base64 = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')

const phc = (nonce: Buffer, tag: Buffer): string =>
  `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${base64(nonce)}$${base64(tag)}`

function readPhc(hashed: string | null): { nonce: Buffer; tag: Buffer } | null {
  const [, nonce, tag] = /^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$([^$]+)\$([^$]+)$/.exec(hashed ?? '') ?? []
  return nonce && tag ? { nonce: Buffer.from(nonce, 'base64'), tag: Buffer.from(tag, 'base64') } : null
}

function turns(): <Result>(work: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (work) => {
    if (waiting.length >= MOST_WAITING) throw new Busy('too many passwords at once')
    if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
    else running += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}
