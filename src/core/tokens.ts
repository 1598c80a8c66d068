import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'

/** What a link is for. A token for one purpose does not work for another. */
export type Purpose =
  | 'unsubscribe'
  | 'preferences'
  | 'confirm'
  | 'change-address'
  | 'undo-address'
  | 'fresh'
  | 'data-file'
  | 'not-me'
  | 'calendar'
  | 'form'

/** The key for hashes of addresses. A key object, because a buffer would be converted to one for every hash. */
export type HashKey = KeyObject

/** 144 bits in base64url. */
const MAC_CHARACTERS = 24
/** Characters of a link that are searched for its token. */
const LONGEST_LINK = 1_000

/**
 * The token in a subscriber's link: the random public id and a signature over it. The same input always gives the same
 * token. It contains no address and does not expire. It ends in a letter or digit, because email programs leave a final
 * `-` or `_` out when they turn plain text into a link.
 */
export function signToken(secret: string, purpose: Purpose, publicId: string): string {
  return `${publicId}.${withoutDashes(signatureFor(secret, purpose, publicId))}`
}

/** What a subscriber's own links need, in every email. */
export type LinkSignatures = { unsubscribe: string; preferences: string; address: string }

/**
 * The signatures in a subscriber's own links: three parts of one HMAC, as they are made for every email. The parts do not
 * overlap, so that one says nothing about another (RFC 5869 §3.2 derives keys in the same way).
 */
export function signLinks(secret: string, publicId: string): LinkSignatures {
  const whole = createHmac('sha512', secret).update(`links:${publicId}`).digest()
  const part = (from: number, bytes: number) => whole.subarray(from, from + bytes)
  return {
    unsubscribe: part(0, 18).toString('base64url'),
    preferences: part(18, 18).toString('base64url'),
    address: inDigits(part(36, 10).toString('hex'), CHECK_DIGITS),
  }
}

/** The token with this signature of `signLinks`; the same as `signToken` gives. */
export const tokenWith = (publicId: string, signature: string): string =>
  `${publicId}.${withoutDashes(signature)}`

function signatureFor(secret: string, purpose: Purpose, publicId: string): string {
  if (purpose === 'unsubscribe' || purpose === 'preferences') return signLinks(secret, publicId)[purpose]
  return mac(secret, `${purpose}:${publicId}`)
}

/**
 * The public id in a token signed by any of `secrets` for this purpose, else null. Compares signatures in constant time.
 * Ignores what an email program or copying by hand added around the token (`bareToken`).
 */
export function readToken(secrets: readonly string[], purpose: Purpose, token: string): string | null {
  const [publicId, signature] = bareToken(token).split('.')
  if (!publicId || !signature) return null
  const right = (secret: string) =>
    [signatureFor(secret, purpose, publicId), earlierSignature(secret, purpose, publicId)].some((one) =>
      same(withoutDashes(one), signature),
    )
  return secrets.some(right) ? publicId : null
}

/** As older versions signed. Links do not expire, so theirs stay good. */
const earlierSignature = (secret: string, purpose: Purpose, publicId: string): string =>
  mac(secret, `${purpose}:${publicId}`)

/** `signLinks` as older versions signed, to make the bytes of an email again that one of them froze. */
export function earlierSignLinks(secret: string, publicId: string): LinkSignatures {
  return {
    unsubscribe: earlierSignature(secret, 'unsubscribe', publicId),
    preferences: earlierSignature(secret, 'preferences', publicId),
    address: earlierAddressCheck(secret, publicId),
  }
}

/**
 * Finds the token in the text that a link was opened with; '' if there is none. Removes what links pick up on their way and
 * no token contains: percent-encoding, even double; spaces and invisible characters anywhere; punctuation and brackets at
 * either end.
 */
export function bareToken(text: string): string {
  const visible = withoutEscapes(text.slice(0, LONGEST_LINK)).replace(/[^\x21-\x7e]/g, '')
  return withoutDashes(/[\w-]+(?:~\w+)?\.[\w-]+/.exec(visible)?.[0] ?? '')
}

/** Undoes percent-encoding, up to three layers of it. Drops what does not decode. */
export function withoutEscapes(text: string): string {
  let decoded = text
  for (let times = 0; times < 3 && decoded.includes('%'); times += 1)
    decoded = decoded.replace(/(?:%[0-9a-f]{0,2})+/gi, (run) => {
      try {
        return decodeURIComponent(run)
      } catch {
        return ''
      }
    })
  return decoded
}

/** The most characters before the @ of UNSUBSCRIBE_ADDRESS, so that a token fits after them (RFC 5321 §4.5.3.1.1). */
export const LONGEST_UNSUBSCRIBE_NAME = 19
const [ID_DIGITS, CHECK_DIGITS] = [28, 16]

/**
 * The address that unsubscribes this subscriber by email: `leave+TOKEN@in.practice.org`. The token is the public id and 80
 * bits of a signature, in `a-z0-9`, because email programs may lowercase an address. Null if the public id is not one of
 * ours, or the address is too long.
 */
export function signAddress(secret: string, address: string, publicId: string): string | null {
  return addressWith(address, publicId, signLinks(secret, publicId).address)
}

/** The address with this signature of `signLinks`; the same as `signAddress` gives. */
export function addressWith(address: string, publicId: string, signature: string): string | null {
  const [name = '', domain = ''] = address.split('@')
  if (!/^[\w-]{22}$/.test(publicId) || name.length > LONGEST_UNSUBSCRIBE_NAME) return null
  // Two more characters make it a whole number of bytes, so that no bit is lost.
  const id = inDigits(Buffer.from(`${publicId}AA`, 'base64url').toString('hex'), ID_DIGITS)
  return `${name}+${id}${signature}@${domain}`
}

/** The public id in an address that `signAddress` made with any of `secrets`, in upper or lower case; else null. */
export function readAddress(secrets: readonly string[], address: string): string | null {
  const token = /\+([a-z\d]+)@[^@]+$/.exec(address.trim().toLowerCase())?.[1]
  if (token?.length !== ID_DIGITS + CHECK_DIGITS) return null
  let id = 0n
  for (const digit of token.slice(0, ID_DIGITS)) id = id * 36n + BigInt(Number.parseInt(digit, 36))
  const [, publicId] = /^(.{22})AA$/.exec(bytesOf(id).toString('base64url')) ?? []
  if (publicId === undefined) return null
  const right = (secret: string) =>
    [signLinks(secret, publicId).address, earlierAddressCheck(secret, publicId)].some((one) =>
      same(one, token.slice(ID_DIGITS)),
    )
  return secrets.some(right) ? publicId : null
}

/** The token of a link that expires: the id and the instant it was made (ms UTC), signed together. */
export function signDatedToken(secret: string, purpose: Purpose, publicId: string, at: Date): string {
  return signToken(secret, purpose, `${publicId}~${at.getTime().toString(36)}`)
}

/** The id and the instant in a dated token signed by any of `secrets` for this purpose, else null. */
export function readDatedToken(
  secrets: readonly string[],
  purpose: Purpose,
  token: string,
): { publicId: string; at: Date } | null {
  const [publicId, at] = readToken(secrets, purpose, token)?.split('~') ?? []
  return publicId && at ? { publicId, at: new Date(Number.parseInt(at, 36)) } : null
}

type DeliveryOf = { editionId: string; generation: number }

const TAG_CIPHER = 'aes-256-ecb'

/**
 * Returns a function that gives the opaque name of a delivery for an email's tags and headers. It is one AES block, which
 * hides how many emails there were. Inside are the row id and a check value; without the check, a restored database would
 * apply an old report to a new delivery. `[A-Za-z0-9_-]`, as Resend requires of tags. One function serves a whole generation
 * of an edition.
 */
export function deliveryTagger(hashKey: HashKey, edition: DeliveryOf): (deliveryId: number) => string {
  const check = deliveryCheck(hashKey, edition)
  // In ECB mode blocks are independent, so one cipher serves them all.
  const cipher = createCipheriv(TAG_CIPHER, tagKey(hashKey), null).setAutoPadding(false)
  return (deliveryId) => {
    const block = Buffer.alloc(16)
    block.writeUIntBE(deliveryId, 0, 6)
    check(deliveryId).copy(block, 6)
    return cipher.update(block).toString('base64url')
  }
}

/** The tag as older versions made it. Their emails are still reported on, and a retry must send the same bytes. */
export function earlierDeliveryTagger(hashKey: HashKey, edition: DeliveryOf): (deliveryId: number) => string {
  const check = deliveryCheck(hashKey, edition)
  return (deliveryId) => `${deliveryId.toString(36)}-${check(deliveryId).toString('base64url').slice(0, 10)}`
}

/** The row id in a delivery tag of either kind, not yet verified: find the row, make its tag again, and compare. */
export function deliveryIdIn(hashKey: HashKey, tag: string): number | null {
  const [, id] = /^([0-9a-z]{1,11})-[A-Za-z0-9_-]{10}$/.exec(tag) ?? []
  if (/^[A-Za-z0-9_-]{22}$/.test(tag)) {
    const decipher = createDecipheriv(TAG_CIPHER, tagKey(hashKey), null).setAutoPadding(false)
    return decipher.update(Buffer.from(tag, 'base64url')).readUIntBE(0, 6)
  }
  return id === undefined ? null : Number.parseInt(id, 36)
}

function deliveryCheck(hashKey: HashKey, { editionId, generation }: DeliveryOf) {
  const key = mac(hashKey, `delivery:${editionId}:${generation}`)
  return (deliveryId: number): Buffer => hash('sha256', `${key}:${deliveryId}`, 'buffer').subarray(0, 10)
}

const tagKey = (hashKey: HashKey): Buffer => createHmac('sha256', hashKey).update('delivery-tag').digest()

/** A new random public id of a subscriber: 128 bits. */
export function newPublicId(): string {
  return randomBytes(16).toString('base64url')
}

/** The keyed hash that stands for an address in lookups, and after it is erased. Expects a normalized address. */
export function hashEmail(hashKey: HashKey, email: string): string {
  return createHmac('sha256', hashKey).update(email.toLowerCase()).digest('base64url')
}

/** Identifies a link secret without revealing it, so that a frozen batch can be signed with the same one again. */
export function secretId(secret: string): string {
  return createHash('sha256').update(`openseat:secret-id:${secret}`).digest('base64url').slice(0, 12)
}

/** Identifies this installation, so that two of them on one Redis do not wake each other. */
export function installationId(hashKey: HashKey): string {
  return mac(hashKey, 'installation').slice(0, 8)
}

/** An epoch, signed for Redis. Others may write there too, and `readEpoch` accepts only what this installation wrote. */
export function signEpoch(hashKey: HashKey, epoch: number): string {
  return `${epoch}.${mac(hashKey, `epoch:${epoch}`)}`
}

/** The epoch that `signEpoch` wrote with this key; null if there is none, or someone else wrote it. */
export function readEpoch(hashKey: HashKey, text: string | null): number | null {
  const [, epoch = '', signature = ''] = /^(\d{1,15})\.([\w-]+)$/.exec(text ?? '') ?? []
  return epoch !== '' && same(mac(hashKey, `epoch:${epoch}`), signature) ? Number(epoch) : null
}

/** A new key for `hashEmail`. */
export function newHashKey(): HashKey {
  return createSecretKey(randomBytes(32))
}

/**
 * Encrypts the hash key for storage in the database. With the file alone, no one can test addresses against the
 * suppressions. LINK_SECRET can be rotated without losing them.
 */
export function wrapKey(secret: string, key: HashKey): string {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', wrappingKey(secret), iv)
  const sealed = Buffer.concat([cipher.update(key.export()), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')
}

/** The key that `wrapKey` encrypted with this secret; null if it was another secret. */
export function unwrapKey(secret: string, wrapped: string): HashKey | null {
  const bytes = Buffer.from(wrapped, 'base64url')
  try {
    const decipher = createDecipheriv('aes-256-gcm', wrappingKey(secret), bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(12, 28))
    return createSecretKey(Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]))
  } catch {
    return null
  }
}

function wrappingKey(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'openseat:wrap', 32))
}

function mac(key: string | HashKey, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, MAC_CHARACTERS)
}

function earlierAddressCheck(secret: string, publicId: string): string {
  const signed = createHmac('sha256', secret).update(`unsubscribe-address:${publicId}`).digest('hex')
  return inDigits(signed.slice(0, 20), CHECK_DIGITS)
}

const bytesOf = (number: bigint): Buffer => Buffer.from(number.toString(16).padStart(36, '0'), 'hex')

const inDigits = (hex: string, digits: number): string =>
  BigInt(`0x${hex}`).toString(36).padStart(digits, '0')

const withoutDashes = (text: string): string => text.replace(/[-_]+$/, '')

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
