import { sameWallClock } from './calendar.ts'
import type { News, Offer } from './content.ts'
import type { Letterhead, Reader } from './email.ts'
import { formatOccurrence } from './occurrences.ts'

/** What differs between two readers of the same page. */
export type Personal = { name: string; unsubscribeUrl: string; preferencesUrl: string }

/** All that the digest's templates may name. Empty (`null` or `''`) is what `{{#if}}` is for. */
export type DigestView = DigestPage & Personal

export type DigestPage = {
  subject: string
  preheader: string
  heading: string
  practice: string
  place: string
  topics: { name: string; underline: string; sessions: SessionView[] }[]
  more: string | null
  moreUrl: string
  replyTo: string | null
  postalAddress: string
  crisisNote: string | null
}

type SessionView = {
  id: number
  group: string
  label: string
  when: string
  whenForGroup: string | null
  therapist: string
  length: string
  kind: string
  seats: string | null
  reserveUrl: string
  reserveLabel: string
  calendarUrl: string
  calendarLabel: string
}

type ShownOffer = Offer & { shownAs: News }

const LABELS: Record<News, string> = { new: 'New', reopened: 'Place reopened', moved: 'New time' }
const FEW_SEATS = 3

/**
 * The words of a digest, for all readers alike in `reader`: topics by name, and inside soonest first.
 * Throws when the reader is shown an offer that is not among `offers`.
 */
export function digestView(
  letterhead: Letterhead,
  offers: ReadonlyMap<number, Offer>,
  reader: Omit<Reader, 'publicId' | 'email' | 'name'>,
): DigestPage {
  const shown = reader.shown.map(({ id, news }) => ({ ...offerOf(offers, id), shownAs: news }))
  const subject = reader.discreet ? 'Your weekly update' : headline(shown, reader.more)
  return {
    subject,
    preheader: previewOf(
      reader.discreet
        ? 'Here is your update for this week.'
        : 'In your own time zone, each with a link to reserve a place.',
    ),
    // The opening words show beside the subject in an inbox, so they are as discreet as it is.
    heading: subject,
    practice: plain(letterhead.practice),
    place: placeOf(reader.timeZone),
    topics: byTopic(shown).map(({ name, offers }) => ({
      name,
      underline: '-'.repeat(name.length),
      sessions: offers.map((offer) => sessionView(offer, reader, letterhead)),
    })),
    more: reader.more === 0 ? null : `and ${count(reader.more, 'more time')}`,
    moreUrl: sessionsPage(letterhead),
    replyTo: letterhead.replyTo,
    postalAddress: plain(letterhead.postalAddress),
    crisisNote: letterhead.crisisNote,
  }
}

/** The text beside the subject in an inbox, filled up with nothing visible: else names and topics from below follow it. */
export const previewOf = (text: string): string => text + '\u200c\u00a0'.repeat(120)

/**
 * Foreign text as one line that is safe to print: without control characters, line breaks, half characters,
 * and the marks that turn the direction of what follows. Noncharacters go too; `mailMerge` relies on that.
 */
export function plain(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069\ufdd0-\ufdef]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

function offerOf(offers: ReadonlyMap<number, Offer>, id: number): Offer {
  const offer = offers.get(id)
  if (!offer) throw new Error(`session ${id} is shown to a reader but was not frozen with the batch`)
  return offer
}

/** Names no topic and no therapist: a subject is read over shoulders and on lock screens. */
function headline(shown: readonly ShownOffer[], more: number): string {
  const fresh = shown.filter(({ shownAs }) => shownAs === 'new').length
  if (more > 0) return `${count(shown.length + more, 'group time')} you have not seen yet`
  if (fresh > 0) return `${count(fresh, 'new group time')} this week`
  return `${count(shown.length, 'group time')} changed this week`
}

function byTopic(shown: readonly ShownOffer[]): { name: string; offers: ShownOffer[] }[] {
  const { compare } = new Intl.Collator('en')
  const soonestFirst = shown.toSorted(
    (a, b) => Date.parse(a.startsAt) - Date.parse(b.startsAt) || a.id - b.id,
  )
  const topics = Map.groupBy(soonestFirst, ({ topicId }) => topicId)
  return [...topics]
    .map(([id, offers]) => ({ id, name: plain(offers[0]?.topic ?? ''), offers }))
    .sort((a, b) => compare(a.name, b.name) || a.id - b.id)
}

function sessionView(
  offer: ShownOffer,
  { timeZone, locale }: Pick<Reader, 'timeZone' | 'locale'>,
  letterhead: Letterhead,
): SessionView {
  const at = new Date(offer.startsAt)
  const { weekday, date, time, zoneName } = formatOccurrence(at, timeZone, locale)
  const group = plain(offer.group)
  return {
    id: offer.id,
    group,
    label: LABELS[offer.shownAs],
    when: `${weekday}, ${date} · ${time} ${zoneName}, ${rhythm(offer, timeZone, locale)}`,
    whenForGroup: sameWallClock(at, timeZone, offer.timeZone) ? null : timeForGroup(offer, date, locale),
    therapist: plain(offer.therapist),
    length: count(offer.durationMinutes, 'minute'),
    kind: offer.kind === 'skills' ? 'Skills group' : 'Group',
    seats:
      offer.seatsLeft !== null && offer.seatsLeft <= FEW_SEATS
        ? `${count(offer.seatsLeft, 'place')} left`
        : null,
    reserveUrl: webAddress(offer.bookingUrl) ?? sessionsPage(letterhead),
    reserveLabel: `Reserve a place in ${group}, ${weekday} ${date} ${time}`,
    calendarUrl: `${sessionsPage(letterhead)}/${offer.id}.ics`,
    calendarLabel: `Add to calendar: ${group}, ${weekday} ${date} ${time}`,
  }
}

function rhythm({ repeats, startsAt, lastStartsAt }: Offer, timeZone: string, locale: string): string {
  if (repeats === 'once') return 'once'
  if (lastStartsAt === null) return 'weekly'
  if (lastStartsAt === startsAt) return 'for the last time'
  return `weekly until ${formatOccurrence(new Date(lastStartsAt), timeZone, locale).date}`
}

/** The organiser's time, with the day where theirs is another than the reader's. */
function timeForGroup(offer: Offer, readersDate: string, locale: string): string {
  const { weekday, date, time, zoneName } = formatOccurrence(new Date(offer.startsAt), offer.timeZone, locale)
  const day = date === readersDate ? '' : `${weekday}, ${date} · `
  return `${day}${time} ${zoneName} for the group`
}

/** Bookings come from elsewhere: anything but a web address is not made a link. */
export function webAddress(text: string): string | null {
  const url = URL.parse(text)
  return url && /^https?:$/.test(url.protocol) ? url.href : null
}

const sessionsPage = ({ publicUrl }: Letterhead): string => `${publicUrl}/sessions`

/** `America/New_York` is New York to the people there. */
const placeOf = (timeZone: string): string => (timeZone.split('/').at(-1) ?? timeZone).replaceAll('_', ' ')

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`
