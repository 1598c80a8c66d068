import type { Offer } from '../sessions/offers.ts'
import { fold, wrap } from '../text/wrap.ts'
import { type Catalogs, type Translator, translatorFor } from '../words/words.ts'
import { plain } from './digest-page.ts'
import {
  type DigestPage,
  type DigestView,
  digestPage,
  type Personal,
  type Readership,
  type ShownEdition,
} from './digest-view.ts'
import { earlierDigestPage } from './earlier-digest.ts'
import type { Letterhead, Reader } from './letterhead.ts'
import type { PersonalLinks } from './links.ts'
import { compileTemplate } from './mail-merge.ts'
import { formatMailbox } from './mailbox.ts'

/**
 * Handlebars sources from `loadTemplates`, with the letterhead and the messages of every language. Without a `layout` an
 * earlier release froze them, which listed sessions by topic.
 */
export type DigestTemplate = {
  html: string
  text: string
  letterhead: Letterhead
  words: Catalogs
  layout?: 'days'
}

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

/**
 * The values that differ between readers of the same page, once for HTML and once for text, which escape them differently.
 * `byEmail` is the second way to unsubscribe, from `wayByEmail`.
 */
export type Blanks = { to: string; deliveryTag: string; byEmail: string; html: Personal; text: Personal }

/**
 * Returns a function that composes the digest of one reader. It depends only on its arguments: the same rows give the same
 * bytes anywhere and at any time, so a retry of a batch is the same request. The function throws if a header would contain
 * a line break, or if a reader is shown an offer that is not in `offers`.
 */
export function digestComposer(
  template: DigestTemplate,
  offers: readonly Offer[],
  edition: ShownEdition,
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
 * Gmail hides everything after about 102 KB of HTML, including the unsubscribe link, and other programs get slow before that.
 * With the reader's name and links a digest stays under 60 KB. If names and links are long, it shows fewer sessions.
 */
const LARGEST_PAGE = 58_000
const NOBODY: Personal = { name: '', unsubscribeUrl: '', preferencesUrl: '' }

/** Renders the page that readers with the same zone, language, and choices share. `Blanks` make it one reader's email. */
export function digestPages(
  template: DigestTemplate,
  offers: readonly Offer[],
  edition: ShownEdition,
): (reader: Reader) => (blanks: Blanks) => Email {
  const { letterhead, words } = template
  const byId = new Map(offers.map((offer) => [offer.id, offer]))
  const html = compileTemplate<DigestView>(template.html, 'html')
  const text = compileTemplate<DigestView>(template.text, 'text')
  // An earlier template uses other variables, which only it knows.
  const pageOf = (readers: Readership): DigestPage =>
    template.layout === 'days'
      ? digestPage(letterhead, byId, readers, edition)
      : (earlierDigestPage(letterhead, byId, readers, edition.id) as unknown as DigestPage)
  const pageFor = (reader: Reader, translator: Translator) => {
    for (let { shown, more } = reader; ; ) {
      const readers = { ...reader, shown, more, translator, fewTopics: choseFew(reader) }
      const page = pageOf(readers)
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
        // Different in each email, so that Gmail does not group each week's edition with the last one.
        'X-Entity-Ref-ID': deliveryTag,
      },
      tags: [
        { name: 'edition', value: edition.id },
        { name: 'delivery', value: deliveryTag },
      ],
    })
  }
}

/** Everything that a page depends on. Readers who differ only in `Blanks` share a page. */
export function pageKey(reader: Reader): string {
  const { timeZone, locale, discreet, shown, more } = reader
  return JSON.stringify([timeZone, locale, discreet, nameOf(reader) !== '', more, choseFew(reader), shown])
}

/** So few topics that the reader knows them all, and may get the sessions by topic. */
const FEW_TOPICS = 3

const choseFew = ({ covered }: Reader): boolean =>
  covered !== null && covered !== undefined && covered.length <= FEW_TOPICS

/** The values of one reader for a page. The name is made safe to print, and may be ''. */
export function personalOf(reader: Reader, links: PersonalLinks): Personal {
  return {
    name: nameOf(reader),
    unsubscribeUrl: links.unsubscribe(reader.publicId),
    preferencesUrl: links.preferences(reader.publicId),
  }
}

/** The From header. A discreet reader sees the same address with a neutral name. */
export function senderOf({ from, discreetName }: Letterhead, discreet: boolean, { t }: Translator): string {
  const name = discreetName ?? t('mail.discreet.sender')
  return discreet ? formatMailbox({ name, address: addressIn(from) }) : from
}

const nameOf = ({ name }: Reader): string => plain(name ?? '')

/**
 * The headers for unsubscribing (RFC 8058 on top of RFC 2369), the https link first. Offer unsubscribing by email only if
 * a program reads that address: some email programs use nothing else, and then report that the reader is unsubscribed.
 */
export function unsubscribeHeaders(url: string, byEmail: string) {
  return {
    'List-Unsubscribe': `<${url}>${byEmail}`,
    'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
  }
}

/** The second way to unsubscribe, to append to the first. It needs no subject, because Apple Mail sends none. */
export const wayByEmail = (address: string | null): string =>
  address === null ? '' : `, <mailto:${address}>`

const addressIn = (mailbox: string): string => /<([^<>]*)>$/.exec(mailbox)?.[1] ?? mailbox

/** Returns the email unchanged. Throws if a header value contains a line break, which could add another header. */
export function checked(email: Email): Email {
  const { from, to, replyTo, subject, headers } = email
  for (const [name, value] of Object.entries({ from, to, 'reply-to': replyTo ?? '', subject, ...headers }))
    if (/[\r\n]/.test(value)) throw new Error(`the ${name} of an email contains a line break`)
  return email
}
