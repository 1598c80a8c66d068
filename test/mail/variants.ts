import { type DigestTemplate, digestComposer, type Email } from '../../src/core/mail/digest.ts'
import { type Letterhead } from '../../src/core/mail/letterhead.ts'
import { byStranger, composeNotice, type NoticeFacts } from '../../src/core/mail/notice.ts'
import { paletteFrom } from '../../src/core/mail/palette.ts'
import { composeReviewNotice, type ReviewFacts } from '../../src/core/mail/review-notice.ts'
import type { Flag } from '../../src/core/review/flags.ts'
import { longDay } from '../../src/core/time/occurrences.ts'
import { signAddress } from '../../src/core/tokens.ts'
import { expectFacts } from '../../src/core/words/expect.ts'
import { translatorFor } from '../../src/core/words/words.ts'
import { loadTemplates, type Templates } from '../../src/templates/load.ts'
import { compileInTest } from '../mjml.ts'
import { newsOf, PUBLIC_URL, usualOffers } from './content.ts'
import type { Entered } from './header-injection.ts'
import { everyIngredients, type Ingredients, isDigest, typical } from './ingredients.ts'
import { type Kind, type Mail, messageOf } from './mail.ts'

/** Very different from our own color, and almost as pale as allowed. */
const BRAND_COLOR = '#a8326e'

/**
 * Every kind of email (`everyIngredients`) whose name `wanted` accepts, made by the product's own composers.
 */
export async function everyMail(wanted: (name: string) => boolean = () => true): Promise<Mail[]> {
  const chosen = everyIngredients().filter((one) => wanted(nameOf(one)))
  const usual = await loadTemplates({ compile: compileInTest })
  const isBranded = ({ size }: Ingredients) => size === 'branded'
  const branded = chosen.some(isBranded)
    ? await loadTemplates({ palette: paletteFrom(BRAND_COLOR), compile: compileInTest })
    : usual
  return Promise.all(chosen.map((one) => mailOf(isBranded(one) ? branded : usual, one)))
}

const nameOf = ({ kind, language, size }: Ingredients): string => `${kind}-${language}-${size}`

/** Makes one email as the worker would, and its MIME message. */
export async function mailOf(templates: Templates, made: Ingredients): Promise<Mail> {
  const { kind, language, size, letterhead, offers, mustSay } = made
  const name = nameOf(made)
  const email = emailOf(templates, made)
  return {
    name,
    kind,
    language,
    size,
    email,
    mustSay,
    eml: await messageOf(email),
    publicUrl: letterhead.publicUrl,
    practice: letterhead.practice,
    bookingUrls: offers.flatMap(({ bookingUrl }) => URL.parse(bookingUrl)?.href ?? []),
    privateNames: [...new Set(offers.flatMap(({ topic, group, therapist }) => [topic, group, therapist]))],
  }
}

/** Makes the email with the product's own composers. Throws if they refuse it. */
export function emailOf(templates: Templates, made: Ingredients): Email {
  if (made.kind === 'review') return reviewOf(templates, made)
  return isDigest(made.kind) ? digestOf(templates, made) : noticeOf(templates, made)
}

/** With nothing odd, or with everything at once. */
function reviewOf(templates: Templates, { size, language, letterhead, reader }: Ingredients): Email {
  const words = {
    words: translatorFor(templates.operatorWords, language),
    translator: translatorFor(templates.words, language),
  }
  const facts: ReviewFacts = {
    id: 'q8T0cXv1-WmZ',
    to: reader.email,
    editionId: '2026-11-30',
    at: new Date('2026-11-30T14:00:00Z'),
    timeZone: reader.timeZone,
    isDue: false,
    outlook: size === 'typical' ? 'goes' : 'waits',
    flags: size === 'typical' ? [] : flagsNaming(reader.name ?? ''),
    counts: { recipients: 211, candidates: 250, news: 9 },
    until: new Date('2026-12-02T14:00:00Z'),
    url: `${PUBLIC_URL}/`,
  }
  return composeReviewNotice(templates.notice, letterhead, facts, words)
}

function flagsNaming(group: string): Flag[] {
  return [
    { name: 'many-news', news: 40, usual: 9.5 },
    { name: 'fewer-people', people: 150, last: 211, lastId: '2026-11-23' },
    { name: 'new-host', hosts: ['book.sample.test'] },
    { name: 'far-date', sessions: [{ id: 1, group, date: '2028-01-01' }] },
    { name: 'shifted', moved: 5, of: 8, minutes: -300 },
  ]
}

function digestOf(
  templates: Templates,
  { kind, language, size, letterhead, offers, reader, more }: Ingredients,
): Email {
  const template: DigestTemplate = { ...templates.digest, letterhead }
  return digestComposer(
    template,
    offers,
    { id: '2026-11-30' },
    linksOf(letterhead),
  )(
    {
      publicId: PUBLIC_ID,
      ...reader,
      locale: language,
      discreet: kind === 'discreet',
      shown: offers.map(({ id, news }, index) => ({
        id,
        news: size === 'week' ? news : newsOf(index),
        ...(size === 'week' && news === 'moved' && { was: 'weekly 3 21:00 America/New_York' }),
      })),
      more,
    },
    '1z-AbCdEfGhIj',
  )
}

function noticeOf(templates: Templates, { kind, language, letterhead, reader }: Ingredients): Email {
  const translator = translatorFor(templates.words, language)
  const subscribed = kind === 'already' || kind === 'welcome'
  const facts: NoticeFacts = {
    id: 'q8T0cXv1-WmZ',
    kind: kind as NoticeFacts['kind'],
    to: reader.email,
    name: reader.name,
    timeZone: reader.timeZone,
    discreet: false,
    url: buttonOf(kind),
    unsubscribeUrl: subscribed ? links.unsubscribe(PUBLIC_ID) : null,
    unsubscribeAddress: subscribed ? linksOf(letterhead).unsubscribeAddress(PUBLIC_ID) : null,
    preferencesUrl: kind === 'welcome' ? links.preferences(PUBLIC_ID) : null,
    notMeUrl: byStranger(kind as NoticeFacts['kind']) ? linkOf('not-me', PUBLIC_ID) : null,
    expect: kind === 'welcome' ? templates.expect(expectFacts(EXPECTED), translator) : null,
    nextDate: longDay(new Date('2026-12-07T14:00:00Z'), 'America/New_York', translator.locale),
  }
  return composeNotice(templates.notice, letterhead, facts, translator)
}

function buttonOf(kind: Kind): string {
  if (kind === 'welcome') return `${PUBLIC_URL}/sessions`
  return kind === 'already' ? links.preferences(PUBLIC_ID) : linkOf(kind, PUBLIC_ID)
}

const EXPECTED = { practice: 'Harbor Groups', MAIL_REPLY_TO: 'hello@sample.test' }

const PUBLIC_ID = 'T3hJq0bnS2mYxXgW7v5c1A'

const linkOf = (page: string, publicId: string) =>
  `${PUBLIC_URL}/${page}/${publicId}.k2J9sQ0pXwVbN4mZtRcL8yHd`

/** Any secret does: it is the shape of the links that is looked at. */
const linksOf = ({ unsubscribeAddress: address }: Letterhead) => ({
  ...links,
  unsubscribeAddress: (publicId: string) => address && signAddress('gate', address, publicId),
})

const links = {
  unsubscribe: (publicId: string) => linkOf('unsubscribe', publicId),
  preferences: (publicId: string) => linkOf('preferences', publicId),
}

/** Functions that make a digest and a notice from any entered text, for the header injection gate. */
export async function composeFrom() {
  const templates = await loadTemplates({ compile: compileInTest })
  const compose = (kind: Kind) => (entered: Partial<Entered>) => {
    const base = typical(kind, 'en')
    const {
      to = base.reader.email,
      name = 'Ada',
      practice = base.letterhead.practice,
      from = base.letterhead.from,
    } = entered
    const { topic = 'Anxiety', group = 'Quiet Mornings', therapist = 'Dr. Maya Lee' } = entered
    return emailOf(templates, {
      ...base,
      letterhead: { ...base.letterhead, practice, from },
      offers: usualOffers(1, 'en').map((offer) => ({ ...offer, topic, group, therapist })),
      reader: { ...base.reader, email: to, name },
    })
  }
  return { digest: compose('digest'), notice: compose('confirm') }
}
