import { z } from 'zod'
import { readAddress } from '../tokens.ts'

/** The public ids of subscribers whom a received email unsubscribes. `toUs`: it was sent to UNSUBSCRIBE_ADDRESS. */
export type Leaving = { publicIds: string[]; toUs: boolean }

/**
 * Reads the body of a verified `email.received`; null for any other event. Looks only at the recipients, in any field: the
 * sender can be forged, and some programs send no subject. Accepts a token at any address, so that emails from before
 * UNSUBSCRIBE_ADDRESS changed still work.
 * https://resend.com/docs/webhooks/emails/received
 */
export function readLeaving(
  event: unknown,
  secrets: readonly string[],
  unsubscribeAddress: string | undefined,
): Leaving | null {
  const received = Received.safeParse(event)
  if (!received.success) return null
  const { to, cc, bcc, received_for: receivedFor } = received.data.data
  const addresses = [...to, ...cc, ...bcc, ...receivedFor].map(bare)
  const publicIds = addresses.flatMap((address) => readAddress(secrets, address) ?? [])
  return {
    publicIds: [...new Set(publicIds)],
    toUs: addresses.some((address) => isOurs(address, unsubscribeAddress)),
  }
}

const list = z.array(z.string()).catch([])
const Received = z.object({
  type: z.literal('email.received'),
  data: z
    .object({ to: list, cc: list, bcc: list, received_for: list })
    .catch({ to: [], cc: [], bcc: [], received_for: [] }),
})

const bare = (mailbox: string): string =>
  (/<([^<>]*)>\s*$/.exec(mailbox)?.[1] ?? mailbox).trim().toLowerCase()

function isOurs(address: string, ours: string | undefined): boolean {
  const [name, domain] = ours?.split('@') ?? []
  return domain !== undefined && address.endsWith(`@${domain}`) && /^[^+@]*/.exec(address)?.[0] === name
}
