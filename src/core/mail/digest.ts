import type { Offer } from '../sessions/offers.ts'
import { fold, wrap } from '../text/wrap.ts'
import { type Catalogs, type Translator, translatorFor } from '../words/words.ts'
import { type DigestView, digestView, type Personal, plain } from './digest-page.ts'
import type { Letterhead, Reader } from './letterhead.ts'
import { compileTemplate } from './mail-merge.ts'
import { formatMailbox } from './mailbox.ts'

/** Handlebars sources, as `loadTemplates` compiled them, with the letterhead and the words of every language. */
export type DigestTemplate = { html: string; text: string; letterhead: Letterhead; words: Catalogs }

export type Email = {
  from: string
  to: string
  replyTo?: string
  subject: string
  html: string
  text: string
  headers: Record<string, string>
  tags: { name: string; value: string }[]
}

/** Absolute addresses of one subscriber's own pages, and where an email unsubscribes them; null = nowhere. */
export type PersonalLinks = {
  unsubscribe(publicId: string): string
  preferences(publicId: string): string
  unsubscribeAddress(publicId: string): string | null
}

/**
 * What differs between two readers of one page. HTML and text escape it each in its way. `byEmail` is the second way to
 * unsubscribe, as `wayByEmail` writes it.
 */
export type Blanks = { to: string; deliveryTag: string; byEmail: string; html: Personal; text: Personal }

/**
 * Returns what makes the digest of one reader. It depends on its arguments alone: the same rows give the same bytes
 * anywhere and at any time, so a retry of a batch is the same request.
 * Throws when a header would hold a line break, and when a reader is shown an offer that is not in `offers`.
 */
export function digestComposer(
  template: DigestTemplate,
  offers: readonly Offer[],
  edition: { id: string },
  links: PersonalLinks,
): (reader: Reader, deliveryTag: string) => Email {
  const pageOf = digestPages(template, offers, edition)
  return (reader, deliveryTag) => {
    const personal = personalOf(reader, links)
    const text = { ...personal, name: fold(personal.name) }
    const leave = wayByEmail(links.unsubscribeAddress(reader.publicId))
    return checked(pageOf(reader)({ to: reader.email, deliveryTag, byEmail: leave, html: personal, text }))
  }
}

/**
 * Gmail hides what comes after some 102 KB of HTML, the way to unsubscribe with it, and other programs are slow with less.
 * With a reader's own name and links a digest stays under 60 KB: where names and links are long, fewer sessions are shown.
 */
const LARGEST_PAGE = 58_000
const NOBODY: Personal = { name: '', unsubscribeUrl: '', preferencesUrl: '' }

/** The digest as readers of the same zone, language and choice share it; the blanks make it one reader's. */
export function digestPages(
  template: DigestTemplate,
  offers: readonly Offer[],
  edition: { id: string },
): (reader: Reader) => (blanks: Blanks) => Email {
  const { letterhead, words } = template
  const byId = new Map(offers.map((offer) => [offer.id, offer]))
  const html = compileTemplate<DigestView>(template.html, 'html')
  const text = compileTemplate<DigestView>(template.text, 'text')
  const pageFor = (reader: Reader, translator: Translator) => {
    for (let { shown, more } = reader; ; ) {
      const page = digestView(letterhead, byId, { ...reader, shown, more, translator }, edition.id)
      const size = Buffer.byteLength(html({ ...page, ...NOBODY }, translator))
      if (size <= LARGEST_PAGE || shown.length === 1) return page
      const over = Math.ceil((shown.length * (size - LARGEST_PAGE)) / size)
      shown = shown.slice(0, Math.max(1, shown.length - over))
      more = reader.more + reader.shown.length - shown.length
    }
  }
  return (reader) => {
    const translator = translatorFor(words, reader.locale)
    const page = pageFor(reader, translator)
    return ({ to, deliveryTag, byEmail, ...personal }) => ({
      from: senderOf(letterhead, reader.discreet, translator),
      to,
      ...(letterhead.replyTo !== null && { replyTo: letterhead.replyTo }),
      subject: page.subject,
      html: html({ ...page, ...personal.html }, translator),
      text: wrap(text({ ...page, ...personal.text }, translator)),
      headers: {
        ...unsubscribeHeaders(personal.text.unsubscribeUrl, byEmail),
        'List-Id': `<weekly.${new URL(letterhead.publicUrl).hostname}>`,
        // Distinct per mail, so that Gmail does not fold each week's edition into the last one.
        'X-Entity-Ref-ID': deliveryTag,
      },
      tags: [
        { name: 'edition', value: edition.id },
        { name: 'delivery', value: deliveryTag },
      ],
    })
  }
}

/** All that a page depends on, so that readers who differ only in `Blanks` share one. */
export function pageKey(reader: Reader): string {
  const { timeZone, locale, discreet, shown, more } = reader
  return JSON.stringify([timeZone, locale, discreet, nameOf(reader) !== '', more, shown])
}

/** What a page prints of one reader alone. The name is made safe to print, and may be empty. */
export function personalOf(reader: Reader, links: PersonalLinks): Personal {
  return {
    name: nameOf(reader),
    unsubscribeUrl: links.unsubscribe(reader.publicId),
    preferencesUrl: links.preferences(reader.publicId),
  }
}

/** Who a mail is from. A discreet reader sees the same address under a neutral name. */
export function senderOf({ from, discreetName }: Letterhead, discreet: boolean, { t }: Translator): string {
  const name = discreetName ?? t('mail.discreet.sender')
  return discreet ? formatMailbox({ name, address: addressIn(from) }) : from
}

const nameOf = ({ name }: Reader): string => plain(name ?? '')

/**
 * The headers that unsubscribe (RFC 8058 on top of RFC 2369), the https address first. An email is offered only where a
 * program reads it: some mail programs use that way alone, and then say that the reader is unsubscribed.
 */
export function unsubscribeHeaders(url: string, byEmail: string) {
  return {
    'List-Unsubscribe': `<${url}>${byEmail}`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  }
}

/** The second way to unsubscribe, for behind the first one; it needs no subject, as Apple's Mail sends none. */
export const wayByEmail = (address: string | null): string =>
  address === null ? '' : `, <mailto:${address}>`

const addressIn = (mailbox: string): string => /<([^<>]*)>$/.exec(mailbox)?.[1] ?? mailbox

/** The mail as it is; throws when a line break in a header value could add a header of someone else's choosing. */
export function checked(email: Email): Email {
  const { from, to, replyTo, subject, headers } = email
  for (const [name, value] of Object.entries({ from, to, 'reply-to': replyTo ?? '', subject, ...headers }))
    if (/[\r\n]/.test(value)) throw new Error(`the ${name} of a mail has a line break in it`)
  return email
}
