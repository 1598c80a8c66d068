import { z } from 'zod'
import { readAddress } from '../tokens.ts'

/** Who asks to leave by an email that arrived, by their public ids; `toUs`: it went to UNSUBSCRIBE_ADDRESS at any rate. */
export type Leaving = { publicIds: string[]; toUs: boolean }

/**
 * Reads the body of a verified `email.received`; null for any other event. Only the addresses that the email went to
 * count, in whatever field they stand: not the sender, whom anyone can name, and no subject, as some programs send none.
 * A token counts at any address, so that emails keep working that were sent before UNSUBSCRIBE_ADDRESS changed.
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
