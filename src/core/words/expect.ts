import { plain } from '../mail/digest-page.ts'
import { parseMailbox } from '../mail/mailbox.ts'

/** What the text about what to expect may name; '' if the practice has none. */
export type ExpectFacts = { practice: string; replyTo: string; phone: string }

type Settings = {
  practice: string
  MAIL_REPLY_TO?: string | undefined
  PRACTICE_PHONE?: string | undefined
}

/** The facts by the settings. */
export const expectFacts = ({ practice, MAIL_REPLY_TO, PRACTICE_PHONE }: Settings): ExpectFacts => ({
  practice,
  replyTo: parseMailbox(MAIL_REPLY_TO ?? '')?.address ?? '',
  phone: PRACTICE_PHONE ?? '',
})

/** One part of what to expect: a heading, and its text below it. */
export type ExpectPart = { heading: string; text: string }

/** What readers can expect of a group, in the practice's words and in `language`. */
export type Expectations = { language: string; parts: readonly ExpectPart[] }

/** The parts of a text: each begins with its heading on a line of its own, and ends with an empty line. */
export function partsIn(text: string): ExpectPart[] {
  return text
    .trim()
    .split(/\r?\n\s*\n/)
    .map((part) => {
      const [heading = '', ...lines] = part.trim().split('\n')
      return { heading: plain(heading), text: plain(lines.join(' ')) }
    })
    .filter(({ heading }) => heading !== '')
}
