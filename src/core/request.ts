import Handlebars from 'handlebars'
import type { Offer } from './content.ts'
import {
  type DigestTemplate,
  digestPages,
  type Email,
  type PersonalLinks,
  pageKey,
  personalOf,
  type Reader,
} from './email.ts'
import { mailMerge } from './mail-merge.ts'
import { recent } from './recent.ts'
import { fold } from './wrap.ts'

const PAGES_KEPT = 200

/** One mail in the JSON of `POST /emails/batch`. https://resend.com/docs/api-reference/emails/send-batch-emails */
export function requestJson(email: Email): string {
  const { from, to, replyTo, subject, html, text, headers, tags } = email
  return JSON.stringify({ from, to: [to], reply_to: replyTo, subject, html, text, headers, tags })
}

/** One mail in JSON, UTF-8, in pieces, and what tells it from every other: the same fingerprint, the same bytes. */
export type RequestPart = { pieces: Buffer[]; fingerprint: string }

/** The body of `POST /emails/batch`, from mails in pieces of JSON, which are joined here for the first time. */
export function batchBody(mails: readonly (readonly Buffer[])[]): Buffer<ArrayBuffer> {
  return Buffer.concat([
    OPEN,
    ...mails.flatMap((mail, place) => (place === 0 ? mail : [COMMA, ...mail])),
    CLOSE,
  ])
}

/**
 * Returns what makes the digest of one reader as `requestJson` would, in UTF-8: the JSON of a page is made once, and a
 * reader's own few values are put in. Escaping 25 kB anew for every reader would be most of the cost of a mail.
 * Throws when the address has a line break in it, and when a reader is shown an offer that is not in `offers`.
 */
export function requestComposer(
  template: DigestTemplate,
  offers: readonly Offer[],
  edition: { id: string },
  links: PersonalLinks,
): (reader: Reader, deliveryTag: string) => RequestPart {
  const pages = digestPages(template, offers, edition)
  const pageOf = recent(PAGES_KEPT, pageKey, (reader: Reader) => {
    const page = pages(reader)
    const named = pageKey(reader) === pageKey({ ...reader, name: 'named' })
    return mailMerge(PRINTS, (values) => requestJson(page(blanksFrom(values, named))))
  })
  return (reader, deliveryTag) => {
    if (/[\r\n]/.test(reader.email)) throw new Error('the to of a mail has a line break in it')
    const { name, unsubscribeUrl, preferencesUrl } = personalOf(reader, links)
    const values = {
      to: reader.email,
      deliveryTag,
      name: fold(name),
      unsubscribeUrl,
      preferencesUrl,
      htmlName: name,
      htmlUnsubscribeUrl: unsubscribeUrl,
      htmlPreferencesUrl: preferencesUrl,
    }
    const page = pageOf(reader)
    return { pieces: page.fill(values), fingerprint: `${page.fingerprint} ${JSON.stringify(values)}` }
  }
}

const [OPEN, COMMA, CLOSE] = [Buffer.from('['), Buffer.from(','), Buffer.from(']')]

const inJson = (value: string): string => JSON.stringify(value).slice(1, -1)
const inHtmlInJson = (value: string): string => inJson(Handlebars.escapeExpression(value))

const PRINTS = {
  to: inJson,
  deliveryTag: inJson,
  name: inJson,
  unsubscribeUrl: inJson,
  preferencesUrl: inJson,
  htmlName: inHtmlInJson,
  htmlUnsubscribeUrl: inHtmlInJson,
  htmlPreferencesUrl: inHtmlInJson,
}

function blanksFrom(values: Record<keyof typeof PRINTS, string>, named: boolean) {
  const { to, deliveryTag, name, unsubscribeUrl, preferencesUrl } = values
  const { htmlName, htmlUnsubscribeUrl, htmlPreferencesUrl } = values
  return {
    to,
    deliveryTag,
    text: { name: named ? name : '', unsubscribeUrl, preferencesUrl },
    html: {
      name: named ? htmlName : '',
      unsubscribeUrl: htmlUnsubscribeUrl,
      preferencesUrl: htmlPreferencesUrl,
    },
  }
}
