import { addressWith, secretId, signLinks, tokenWith } from '../tokens.ts'
import type { Letterhead } from './letterhead.ts'

/** The URLs of one subscriber's own pages, and the address that unsubscribes them by email (null = none). */
export type PersonalLinks = {
  unsubscribe(publicId: string): string
  preferences(publicId: string): string
  unsubscribeAddress(publicId: string): string | null
}

/**
 * Makes the links of subscribers, signed with that one of `secrets` (LINK_SECRET) that the letterhead names. `sign` is how:
 * `earlierSignLinks` for what an older version froze.
 */
export function linksOf(secrets: readonly string[], letterhead: Letterhead, sign = signLinks): PersonalLinks {
  const secret = secrets.find((candidate) => secretId(candidate) === letterhead.linkSecretId) ?? ''
  const signed = forLast((publicId) => sign(secret, publicId))
  const link = (purpose: 'unsubscribe' | 'preferences') => (publicId: string) =>
    `${letterhead.publicUrl}/${purpose}/${tokenWith(publicId, signed(publicId)[purpose])}`
  const address = letterhead.unsubscribeAddress
  return {
    unsubscribe: link('unsubscribe'),
    preferences: link('preferences'),
    unsubscribeAddress: (publicId) => address && addressWith(address, publicId, signed(publicId).address),
  }
}

/** Remembers the last result, as the links of one subscriber are made together. */
function forLast<Result>(make: (input: string) => Result): (input: string) => Result {
  let last: { input: string; result: Result } | null = null
  return (input) => {
    if (last?.input !== input) last = { input, result: make(input) }
    return last.result
  }
}
