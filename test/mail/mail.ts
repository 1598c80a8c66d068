import type { Email } from '../../src/core/mail/digest.ts'
import { mailFile } from '../../src/files/eml.ts'

export const KINDS = [
  ...(['digest', 'discreet', 'confirm', 'welcome', 'already', 'change-address'] as const),
  ...(['address-changed', 'fresh-data', 'fresh-links'] as const),
]
export const LANGUAGES = ['en', 'es'] as const

/** `review` is for operators, in English. */
export type Kind = (typeof KINDS)[number] | 'review'
export type Language = (typeof LANGUAGES)[number]
/**
 * How much content it has. `week` is thirteen sessions with a sentence about each group. `branded` is typical in other colors. `longest` is largest with names of 300 characters.
 * `hostile-…` has a trap in every field.
 */
export type Size = 'smallest' | 'typical' | 'branded' | 'week' | 'largest' | 'longest' | `hostile-${string}`

/** One email, as the gates check it. */
export type Mail = {
  /** `digest-es-typical`; unique. */
  name: string
  kind: Kind
  language: Language
  size: Size
  email: Email
  /** The whole message as in a mailbox, with CRLF line ends. */
  eml: Buffer
  /** The address of our own pages, without a final slash. */
  publicUrl: string
  /** Other addresses that links may lead to. */
  bookingUrls: string[]
  /** Topics, groups, and therapists; no header may name them. */
  privateNames: string[]
  /** The practice; sender and subject of a discreet email must not name it. */
  practice: string
  /** Texts that must appear in both parts, unchanged, and as often as they are listed here. */
  mustSay: string[]
}

/** The date of all messages, so that every run makes the same bytes. */
const SENT_AT = new Date('2026-11-30T14:00:00Z')

/** Looks like Resend's, since SpamAssassin checks the format. */
const MESSAGE_ID = '<010f019ad5b3c2e1-7c0e2f7a-3f0d-4c57-9a55-6d8f3b1e90aa-000000@us-east-2.amazonses.com>'

/** A real multipart message. */
export async function messageOf(email: Email): Promise<Buffer> {
  const message = await mailFile(email, SENT_AT)
  const withTheirs = message
    .toString('latin1')
    .replace(/^Message-ID:\s+\S+/m, `Message-ID:\r\n ${MESSAGE_ID}`)
  return Buffer.from(withTheirs, 'latin1')
}

/** The texts that a part of the email contains less often than it must. Line breaks do not matter. */
export function unsaidIn(part: string, mustSay: readonly string[]): string[] {
  const said = dense(part)
  return [...Map.groupBy(mustSay, dense)].flatMap(([words, all]) => {
    const times = said.split(words).length - 1
    return times >= all.length ? [] : [`says ${times} of ${all.length} times: ${all[0]}`]
  })
}

/** The text without whitespace. */
export const dense = (text: string): string => text.replace(/\s+/g, '')
