import { isScarce, type News, type Offer } from '../sessions/offers.ts'
import { topicName } from '../sessions/topic.ts'
import { clockChangeBetween, sameWallClock } from '../time/calendar.ts'
import { formatOccurrence } from '../time/occurrences.ts'
import { zoneTitle } from '../time/zone-titles.ts'
import { collatorOf } from '../words/collator.ts'
import type { Translator } from '../words/words.ts'
import type { Letterhead, Reader } from './letterhead.ts'

export type DigestPage = {
  zone: string
  topics: { name: string; underline: string; sessions: SessionView[] }[]
}

type SessionView = {
  id: number
  group: string
  label: string
  when: string
  whenForGroup: string | null
  clocks: string | null
  kind: 'therapy' | 'skills'
  therapist: string
  minutes: number
  seats: string | null
  reserveUrl: string
  reserveLabel: string
  calendarUrl: string
  calendarLabel: string
}

type ShownOffer = Offer & { shownAs: News }

/** For whom a list is written. */
export type ListReader = Pick<Reader, 'timeZone' | 'shown'> & { translator: Translator }

/**
 * Sessions by topic, in words, for pages. Topics are sorted by name, their sessions by start, and sessions with the same
 * start in the order of `shown`. `editionId` is a local date; clock changes after it get a note, and dates far from it carry
 * the year. Throws if `shown` names an offer that is not in `offers`.
 */
export function digestView(
  letterhead: Letterhead,
  offers: ReadonlyMap<number, Offer>,
  readership: ListReader,
  editionId: string,
): DigestPage {
  const { translator, timeZone } = readership
  const shown = readership.shown.map(({ id, news }) => ({ ...offerOf(offers, id), shownAs: news }))
  const since = new Date(editionId)
  return {
    zone: zoneTitle(timeZone, translator),
    topics: byTopic(shown, translator).map(({ name, offers }) => ({
      name,
      underline: '-'.repeat(Math.min(name.length, 72)),
      sessions: offers.map((offer) => sessionView(offer, readership, letterhead, since)),
    })),
  }
}

/**
 * Text from outside as one line that is safe to print: without control characters, line breaks, lone surrogates, and
 * bidirectional marks. Noncharacters are removed too; `mailMerge` relies on that.
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

/** Offers as they are listed: topics by name, and inside a topic soonest first. */
export function byTopic<One extends Offer>(
  shown: readonly One[],
  { locale, language }: Pick<Translator, 'locale' | 'language'>,
): { name: string; offers: One[] }[] {
  const { compare } = collatorOf(locale)
  // The sort is stable: sessions with the same start stay in the order of `shown`.
  const soonestFirst = shown.toSorted((a, b) => Date.parse(a.startsAt) - Date.parse(b.startsAt))
  const topics = Map.groupBy(soonestFirst, ({ topicId }) => topicId)
  return [...topics]
    .map(([id, offers]) => ({ id, name: nameOfTopic(offers[0], language), offers }))
    .sort((a, b) => compare(a.name, b.name) || a.id - b.id)
}

const nameOfTopic = (offer: Offer | undefined, language: string): string =>
  plain(topicName(offer?.topicNames, offer?.topic ?? '', language))

function sessionView(
  offer: ShownOffer,
  { timeZone, translator }: ListReader,
  letterhead: Letterhead,
  since: Date,
): SessionView {
  const { t, locale } = translator
  const { day, time, zoneName } = formatOccurrence(new Date(offer.startsAt), timeZone, locale, since)
  const group = plain(offer.group)
  const at = `${day}, ${time}`
  return {
    id: offer.id,
    group,
    label: t(`session.${offer.shownAs}`),
    when: whenText(offer, `${day} · ${time} ${zoneName}`, timeZone, translator, since),
    whenForGroup: timeForGroup(offer, day, timeZone, translator, since),
    clocks: clocksNote(offer, timeZone, translator, since),
    kind: offer.kind,
    therapist: plain(offer.therapist),
    minutes: offer.durationMinutes,
    seats: offer.seatsLeft !== null && isScarce(offer) ? t('session.seats', { n: offer.seatsLeft }) : null,
    reserveUrl: webAddress(offer.bookingUrl) ?? sessionsPage(letterhead),
    reserveLabel: t('session.reserve.label', { group, at }),
    calendarUrl: `${sessionsPage(letterhead)}/${offer.id}.ics`,
    calendarLabel: t('session.calendar.label', { group, at }),
  }
}

function whenText(
  { repeats, startsAt, lastStartsAt }: Offer,
  at: string,
  timeZone: string,
  { t, locale }: Translator,
  since: Date,
): string {
  if (repeats === 'once') return t('session.when.once', { at })
  if (lastStartsAt === null) return t('session.when.weekly', { at })
  if (lastStartsAt === startsAt) return t('session.when.last', { at })
  const date = formatOccurrence(new Date(lastStartsAt), timeZone, locale, since).dateInWords
  return t('session.when.until', { at, date })
}

/** The group's local time if it differs from the reader's, with its day if that differs too. */
function timeForGroup(
  offer: Offer,
  readersDay: string,
  timeZone: string,
  { t, locale }: Translator,
  since: Date,
): string | null {
  const startsAt = new Date(offer.startsAt)
  if (sameWallClock(startsAt, timeZone, offer.timeZone)) return null
  const { day, time, zoneName } = formatOccurrence(startsAt, offer.timeZone, locale, since)
  return t('session.forGroup', { at: `${day === readersDay ? '' : `${day} · `}${time} ${zoneName}` })
}

/** Warns of a clock change before the session: readers who remember the old time would come an hour early or late. */
function clocksNote(
  { startsAt, timeZone: groupZone }: Offer,
  timeZone: string,
  { t, locale }: Translator,
  since: Date,
): string | null {
  const changeIn = (zone: string): string | null => {
    const change = clockChangeBetween(zone, since, new Date(startsAt))
    return change && formatOccurrence(change, zone, locale, since).dateInWords
  }
  const [date, groupDate] = [changeIn(timeZone), changeIn(groupZone)]
  if (date !== null && groupDate !== null && date !== groupDate)
    return t('session.clocks.both', { date, groupDate })
  if (date !== null) return t('session.clocks.yours', { date })
  return groupDate === null ? null : t('session.clocks.group', { date: groupDate })
}

/** Booking links come from outside, so only http and https addresses become links. */
export function webAddress(text: string): string | null {
  const url = URL.parse(text)
  return url && /^https?:$/.test(url.protocol) ? url.href : null
}

const sessionsPage = ({ publicUrl }: Letterhead): string => `${publicUrl}/sessions`
