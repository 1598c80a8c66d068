import Handlebars from 'handlebars'
import { lru } from '../lru.ts'
import type { Offer } from '../sessions/offers.ts'
import { fold } from '../text/wrap.ts'
import { type DigestTemplate, digestPages, type Email, pageKey, personalOf, wayByEmail } from './digest.ts'
import type { ShownEdition } from './digest-view.ts'
import { type Reader } from './letterhead.ts'
import type { PersonalLinks } from './links.ts'
import { mailMerge } from './mail-merge.ts'

const PAGES_KEPT = 200

/** One email as JSON for `POST /emails/batch`. https://resend.com/docs/api-reference/emails/send-batch-emails */
export function requestJson(email: Email): string {
  const { from, to, replyTo, subject, html, text, headers, tags } = email
  return JSON.stringify({ from, to: [to], reply_to: replyTo, subject, html, text, headers, tags })
}

/** One email as UTF-8 JSON, in pieces. The same fingerprint means the same bytes. */
export type RequestPart = { pieces: Buffer[]; fingerprint: string }

/** The body of `POST /emails/batch`: joins the pieces of all its emails. */
export function batchBody(mails: readonly (readonly Buffer[])[]): Buffer<ArrayBuffer> {
  return Buffer.concat([
    OPEN,
    ...mails.flatMap((mail, place) => (place === 0 ? mail : [COMMA, ...mail])),
    CLOSE,
  ])
}

/**
 * Returns a function that composes the digest of one reader: the same bytes as `requestJson` gives. The JSON of a page is
 * made once, and only the reader's own values are filled in. Rendering and escaping 25 kB per reader would be most of the
 * cost of an email. The function throws if the address contains a line break, or if the reader is shown an offer that is
 * not in `offers`.
 */
export function requestComposer(
  template: DigestTemplate,
  offers: readonly Offer[],
  edition: ShownEdition,
  links: PersonalLinks,
): (reader: Reader, deliveryTag: string) => RequestPart {
  const pages = digestPages(template, offers, edition)
  const pageOf = lru(PAGES_KEPT, pageKey, (reader: Reader) => {
    const page = pages(reader)
    const named = pageKey(reader) === pageKey({ ...reader, name: 'named' })
    return mailMerge(PRINTS, (values) => requestJson(page(blanksFrom(values, named))))
  })
  return (reader, deliveryTag) => {
    if (/[\r\n]/.test(reader.email)) throw new Error('the recipient address contains a line break')
    const { name, unsubscribeUrl, preferencesUrl } = personalOf(reader, links)
    const values = {
      to: reader.email,
      deliveryTag,
      byEmail: wayByEmail(links.unsubscribeAddress(reader.publicId)),
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
  byEmail: inJson,
  name: inJson,
  unsubscribeUrl: inJson,
  preferencesUrl: inJson,
  htmlName: inHtmlInJson,
  htmlUnsubscribeUrl: inHtmlInJson,
  htmlPreferencesUrl: inHtmlInJson,
}

function blanksFrom(values: Record<keyof typeof PRINTS, string>, named: boolean) {
  const { to, deliveryTag, byEmail, name, unsubscribeUrl, preferencesUrl } = values
  const { htmlName, htmlUnsubscribeUrl, htmlPreferencesUrl } = values
  return {
    to,
    deliveryTag,
    byEmail,
    text: { name: named ? name : '', unsubscribeUrl, preferencesUrl },
    html: {
      name: named ? htmlName : '',
      unsubscribeUrl: htmlUnsubscribeUrl,
      preferencesUrl: htmlPreferencesUrl,
    },
  }
}
