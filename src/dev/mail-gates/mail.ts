import type { Email } from '../../core/email.ts'
import { mailFile } from '../../mail-file.ts'

export const KINDS = [
  ...(['digest', 'discreet', 'confirm', 'welcome', 'already', 'change-address'] as const),
  ...(['address-changed', 'fresh-data', 'fresh-links'] as const),
]
export const LANGUAGES = ['en', 'es'] as const

export type Kind = (typeof KINDS)[number]
export type Language = (typeof LANGUAGES)[number]
/**
 * How much is in it; `branded` = the usual in other colours, `longest` = that many with names of 300 characters;
 * a `hostile-…` one is full of traps.
 */
export type Size = 'smallest' | 'typical' | 'branded' | 'largest' | 'longest' | `hostile-${string}`

/** One mail as the gates look at it. */
export type Mail = {
  /** `digest-es-typical`; unique. */
  name: string
  kind: Kind
  language: Language
  size: Size
  email: Email
  /** The whole message as it would lie in a mailbox, with line ends of mail. */
  eml: Buffer
  /** Our own pages; without a slash at the end. */
  publicUrl: string
  /** Where else a link may lead. */
  bookingUrls: string[]
  /** Topics, groups and therapists: what no header may name. */
  privateNames: string[]
  /** The practice, which a discreet reader's sender and subject do not name. */
  practice: string
  /** What must stand in both parts, letter for letter, and as often as it is here. */
  mustSay: string[]
}

/** All messages bear this date, so that a run today and one next year see the same bytes. */
const SENT_AT = new Date('2026-11-30T14:00:00Z')

/** As Resend makes them; SpamAssassin looks at the shape. */
const MESSAGE_ID = '<010f019ad5b3c2e1-7c0e2f7a-3f0d-4c57-9a55-6d8f3b1e90aa-000000@us-east-2.amazonses.com>'

/** A real multipart message. */
export async function messageOf(email: Email): Promise<Buffer> {
  const message = await mailFile(email, SENT_AT)
  const withTheirs = message
    .toString('latin1')
    .replace(/^Message-ID:\s+\S+/m, `Message-ID:\r\n ${MESSAGE_ID}`)
  return Buffer.from(withTheirs, 'latin1')
}

/** The words that a part of the mail says less often than it must; where lines break does not matter. */
export function unsaidIn(part: string, mustSay: readonly string[]): string[] {
  const said = dense(part)
  return [...Map.groupBy(mustSay, dense)].flatMap(([words, all]) => {
    const times = said.split(words).length - 1
    return times >= all.length ? [] : [`says ${times} of ${all.length} times: ${all[0]}`]
  })
}

/** Without blanks and line breaks. */
export const dense = (text: string): string => text.replace(/\s+/g, '')
