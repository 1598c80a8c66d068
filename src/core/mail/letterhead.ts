import type { News } from '../sessions/offers.ts'
import type { CrisisLine } from '../words/crisis.ts'

/** The sender, as frozen with the template. `from` and `replyTo` are mailboxes; `publicUrl` has no slash at its end. */
export type Letterhead = {
  from: string
  /** The sender's name for discreet readers; null = a neutral name in their language. */
  discreetName: string | null
  replyTo: string | null
  postalAddress: string
  publicUrl: string
  practice: string
  /** An image on our own host; null = show the practice's name instead. */
  logoUrl: string | null
  crisisLine: CrisisLine
  /** UNSUBSCRIBE_ADDRESS, where a program reads emails to unsubscribe; null = there is none. */
  unsubscribeAddress: string | null
  linkSecretId: string
}

/** One recipient, as frozen with the delivery. `timeZone` is an IANA name, `locale` is BCP 47. */
export type Reader = {
  publicId: string
  email: string
  name: string | null
  timeZone: string
  locale: string
  /** Nothing that is visible before opening the email may reveal what it is about. */
  discreet: boolean
  shown: { id: number; news: News }[]
  more: number
}
