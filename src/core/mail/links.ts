import { secretId, signAddress, signToken } from '../tokens.ts'
import type { Letterhead } from './letterhead.ts'

/** The URLs of one subscriber's own pages, and the address that unsubscribes them by email (null = none). */
export type PersonalLinks = {
  unsubscribe(publicId: string): string
  preferences(publicId: string): string
  unsubscribeAddress(publicId: string): string | null
}

/** Makes the links of subscribers, signed with that one of `secrets` (LINK_SECRET) that the letterhead names. */
export function linksOf(secrets: readonly string[], letterhead: Letterhead): PersonalLinks {
  const secret = secrets.find((candidate) => secretId(candidate) === letterhead.linkSecretId) ?? ''
  const link = (purpose: 'unsubscribe' | 'preferences') => (publicId: string) =>
    `${letterhead.publicUrl}/${purpose}/${signToken(secret, purpose, publicId)}`
  const address = letterhead.unsubscribeAddress
  return {
    unsubscribe: link('unsubscribe'),
    preferences: link('preferences'),
    unsubscribeAddress: (publicId) => address && signAddress(secret, address, publicId),
  }
}
