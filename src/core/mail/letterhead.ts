import { phoneLink } from '../intake/phone.ts'
import type { Shown } from '../sessions/offers.ts'
import { secretId } from '../tokens.ts'
import type { CrisisLine } from '../words/crisis.ts'

/** The sender, as frozen with the template. `from` and `replyTo` are mailboxes; `publicUrl` has no slash at its end. */
export type Letterhead = {
  from: string
  /** The sender's name for discreet readers; null = a neutral name in their language. */
  discreetName: string | null
  replyTo: string | null
  postalAddress: string
  /** PRACTICE_PHONE; null = there is none. Absent in letterheads of an older release. */
  phone?: string | null
  publicUrl: string
  practice: string
  /** An image on our own host; null = show the practice's name instead. */
  logoUrl: string | null
  crisisLine: CrisisLine
  /** UNSUBSCRIBE_ADDRESS, where a program reads emails to unsubscribe; null = there is none. */
  unsubscribeAddress: string | null
  linkSecretId: string
}

/** The settings of which a letterhead is made. */
export type LetterheadSettings = {
  MAIL_FROM: string
  DISCREET_FROM_NAME?: string | undefined
  MAIL_REPLY_TO?: string | undefined
  POSTAL_ADDRESS: string
  PRACTICE_PHONE?: string | undefined
  PUBLIC_URL: string
  practice: string
  BRAND_LOGO_URL?: string | undefined
  CRISIS_LINE: CrisisLine
  UNSUBSCRIBE_ADDRESS?: string | undefined
  LINK_SECRET: readonly string[]
}

/** The letterhead of emails and pages, by the settings as they are now. */
export function letterheadOf(settings: LetterheadSettings): Letterhead {
  return {
    from: settings.MAIL_FROM,
    discreetName: settings.DISCREET_FROM_NAME ?? null,
    replyTo: settings.MAIL_REPLY_TO ?? null,
    postalAddress: settings.POSTAL_ADDRESS,
    phone: settings.PRACTICE_PHONE ?? null,
    publicUrl: settings.PUBLIC_URL,
    practice: settings.practice,
    logoUrl: settings.BRAND_LOGO_URL ?? null,
    crisisLine: settings.CRISIS_LINE,
    unsubscribeAddress: settings.UNSUBSCRIBE_ADDRESS ?? null,
    linkSecretId: secretId(settings.LINK_SECRET[0] ?? ''),
  }
}

/** The practice's phone in an email: as it is written, and as it is called. Null where there is none. */
export function phoneOf({ phone }: Letterhead): { phone: string | null; phoneUrl: string | null } {
  return { phone: phone ?? null, phoneUrl: phoneLink(phone ?? '') }
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
  shown: Shown[]
  more: number
  /** The topics of their choice; null = all. */
  covered?: readonly number[] | null
}
