import type { News } from '../sessions/offers.ts'
import type { CrisisLine } from '../words/crisis.ts'

/** Who writes, as frozen with the template. `from` and `replyTo` are mailboxes, `publicUrl` has no slash at its end. */
export type Letterhead = {
  from: string
  /** The sender's name for discreet readers; null = a neutral one in their language. */
  discreetName: string | null
  replyTo: string | null
  postalAddress: string
  publicUrl: string
  practice: string
  /** An image on our own host instead of the practice's name; null = the name. */
  logoUrl: string | null
  /** Where to turn in a crisis. */
  crisisLine: CrisisLine
  /** UNSUBSCRIBE_ADDRESS, where emails to unsubscribe are read; null = they are not. */
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
  /** Nothing that shows before the mail is opened may say what it is about. */
  discreet: boolean
  shown: { id: number; news: News }[]
  more: number
}
