import type { Offer } from '../sessions/offers.ts'
import { toLocal } from '../time/calendar.ts'
import { dayHeading } from '../time/occurrences.ts'
import { type CrisisView, crisisView } from '../words/crisis.ts'
import type { Translator } from '../words/words.ts'
import { correctionOpening } from './digest-correction.ts'
import { type Opening, openingOf } from './digest-opening.ts'
import { byTopic, plain } from './digest-page.ts'
import { type DigestRow, digestRow, type RowReader, type ShownOffer } from './digest-row.ts'
import { type Letterhead, phoneOf, type Reader } from './letterhead.ts'

/** The values that differ between readers of the same page. */
export type Personal = { name: string; unsubscribeUrl: string; preferencesUrl: string }

/** Every variable of the digest templates. Those that may be empty (`null` or `''`) are for `{{#if}}`. */
export type DigestView = DigestPage & Personal

export type DigestPage = Opening & {
  /** For the `lang` attribute of HTML and MJML. */
  language: string
  practice: string
  logoUrl: string | null
  /** The edition on our pages, where nothing is personal. */
  viewUrl: string
  /** Days, or the topics of a reader who chose a few. */
  sections: { name: string; underline: string; sessions: DigestRow[] }[]
  /** How many did not fit, and how many there are with them. */
  more: number
  all: number
  moreUrl: string
  replyTo: string | null
  postalAddress: string
  phone: string | null
  phoneUrl: string | null
  crisis: CrisisView | null
}

/** The readers of one page: what they share, and the language they read. */
export type Readership = Pick<Reader, 'timeZone' | 'discreet' | 'shown' | 'more'> & {
  translator: Translator
  fewTopics: boolean
}

/** `id` is the local date. An edition that is `unsent`, in a preview or a test, has no page yet. */
export type ShownEdition = { id: string; unsent?: boolean }

/**
 * The words of a digest for all readers who share `readership`. Sections are days, soonest first; readers of few topics get
 * them by topic where that is shorter. Sessions with the same start keep the order of `shown`. Clock changes after the edition
 * get a note, and dates far from it carry the year. Throws if `shown` names an offer that is not in `offers`.
 */
export function digestPage(
  letterhead: Letterhead,
  offers: ReadonlyMap<number, Offer>,
  readership: Readership,
  edition: ShownEdition,
): DigestPage {
  const { translator, timeZone, more, discreet } = readership
  const { publicUrl, replyTo, logoUrl, crisisLine } = letterhead
  const shown = readership.shown.map(({ id, news, was }) => ({
    ...offerOf(offers, id),
    shownAs: news,
    ...(was !== undefined && { was }),
  }))
  const since = new Date(edition.id)
  const all = shown.length + more
  // Times that are saved from the pages of a discreet email are discreet events.
  const pageAt = (path: string) => `${publicUrl}${path}${discreet ? '?discreet=1' : ''}`
  return {
    language: translator.language,
    ...openingFor(shown, readership, since),
    practice: plain(letterhead.practice),
    logoUrl,
    viewUrl: pageAt(edition.unsent ? '/sessions' : `/editions/${edition.id}`),
    sections: sectionsOf(shown, readership, {
      timeZone,
      translator,
      since,
      fallbackUrl: pageAt('/sessions'),
    }),
    more,
    all,
    moreUrl: pageAt('/sessions'),
    replyTo,
    postalAddress: plain(letterhead.postalAddress),
    ...phoneOf(letterhead),
    crisis: crisisView(crisisLine, timeZone, translator),
  }
}

function openingFor(shown: readonly ShownOffer[], readership: Readership, since: Date): Opening {
  const [{ correction, ...offer } = { correction: undefined }] = shown
  return correction && 'id' in offer
    ? correctionOpening({ ...offer, correction }, readership, since)
    : openingOf(shown, readership, since)
}

function offerOf(offers: ReadonlyMap<number, Offer>, id: number): Offer {
  const offer = offers.get(id)
  if (!offer) throw new Error(`session ${id} is shown to a reader but was not frozen with the batch`)
  return offer
}

type Section = { name: string; offers: ShownOffer[] }

function sectionsOf(
  shown: readonly ShownOffer[],
  { fewTopics }: Readership,
  reader: Omit<RowReader, 'byTopic'>,
): DigestPage['sections'] {
  const days = byDay(shown, reader)
  const topics = fewTopics ? byTopic(shown, reader.translator) : null
  const isByTopic = topics !== null && topics.length <= days.length
  const described = new Set<string>()
  // The first row of a group, from the top of the email, says what the group is.
  const isFirst = (offer: ShownOffer): boolean => {
    const group = String(offer.groupId ?? offer.group)
    if (offer.shownAs !== 'new' || described.has(group)) return false
    described.add(group)
    return true
  }
  return (isByTopic ? topics : days).map(({ name, offers }) => ({
    name,
    underline: '-'.repeat(Math.min(name.length, 72)),
    sessions: offers.map((offer) => digestRow(offer, { ...reader, byTopic: isByTopic }, isFirst(offer))),
  }))
}

function byDay(
  shown: readonly ShownOffer[],
  { timeZone, translator: { locale }, since }: Omit<RowReader, 'byTopic'>,
): Section[] {
  // The sort is stable: sessions with the same start stay in the order of `shown`.
  const soonestFirst = shown.toSorted((a, b) => Date.parse(a.startsAt) - Date.parse(b.startsAt))
  const days = Map.groupBy(soonestFirst, ({ startsAt }) => toLocal(new Date(startsAt), timeZone).slice(0, 10))
  return [...days.values()].map((offers) => ({
    name: dayHeading(new Date(offers[0]?.startsAt ?? 0), timeZone, locale, since),
    offers,
  }))
}
