import { isScarce, type News, type Offer } from '../sessions/offers.ts'
import { topicName } from '../sessions/topic.ts'
import { clockChangeBetween } from '../time/calendar.ts'
import { formatOccurrence, nextOccurrence } from '../time/occurrences.ts'
import { languageNamed } from '../words/language-name.ts'
import type { Translator } from '../words/words.ts'
import { plain, webAddress } from './digest-page.ts'

/** One session in a digest. Lines that may be absent are null or ''. */
export type DigestRow = {
  id: number
  /** '' where the section is the topic. */
  topic: string
  /** Only for what is not simply new. */
  label: string | null
  /** The time that a reader knows it by, if it moved and that is certain: `was Wed, 9:00 PM`. */
  was: string | null
  time: string
  group: string
  rhythm: string
  minutes: number
  therapist: string
  /** The language of the group, if the reader reads another. */
  language: string | null
  /** Where it is and what it costs, as far as that is known and short. */
  facts: string
  summary: string | null
  whenForGroup: string | null
  clocks: string | null
  seats: string | null
  /** '' if there is nothing to reserve. */
  reserveUrl: string
  reserveLabel: string
}

export type ShownOffer = Offer & { shownAs: News; was?: string }

/** For whom a row is made. `since` is the edition's date, and `fallbackUrl` where to reserve without a booking link. */
export type RowReader = {
  timeZone: string
  translator: Translator
  since: Date
  fallbackUrl: string
  byTopic: boolean
}

/** The words of one session. `isFirstOfGroup`: the summary of its group is not in a row above. */
export function digestRow(offer: ShownOffer, reader: RowReader, isFirstOfGroup: boolean): DigestRow {
  const { timeZone, translator, since, byTopic } = reader
  const { t, locale, language } = translator
  const { day, time } = formatOccurrence(new Date(offer.startsAt), timeZone, locale, since)
  const group = plain(offer.group)
  const isNew = offer.shownAs === 'new'
  return {
    id: offer.id,
    topic: byTopic ? '' : plain(topicName(offer.topicNames, offer.topic, language)),
    label: offer.shownAs === 'new' ? null : t(`session.${offer.shownAs}`),
    was: wasText(offer, reader),
    time: byTopic ? `${day}, ${time}` : time,
    group,
    rhythm: rhythmOf(offer, reader),
    minutes: offer.durationMinutes,
    therapist: plain(offer.therapist),
    language: otherLanguage(offer, translator),
    facts: factsOf(offer),
    summary: isNew && isFirstOfGroup ? plain(offer.summary ?? '') || null : null,
    whenForGroup: dayForGroup(offer, day, reader),
    clocks: clocksNote(offer, reader),
    seats: offer.seatsLeft !== null && isScarce(offer) ? t('session.seats', { n: offer.seatsLeft }) : null,
    reserveUrl:
      offer.correction?.bookable === false ? '' : (webAddress(offer.bookingUrl) ?? reader.fallbackUrl),
    reserveLabel: t('session.reserve.label', { group, at: `${day}, ${time}` }),
  }
}

function rhythmOf(
  { repeats, startsAt, lastStartsAt }: Offer,
  { timeZone, translator: { t, locale }, since }: RowReader,
): string {
  if (repeats === 'once') return t('session.rhythm.once')
  if (lastStartsAt === null) return t('session.rhythm.weekly')
  if (lastStartsAt === startsAt) return t('session.rhythm.last')
  const date = formatOccurrence(new Date(lastStartsAt), timeZone, locale, since).dateInWords
  return t('session.rhythm.until', { date })
}

/** Longer ones are on the group's page; here they would push the next session off a phone's screen. */
const LONGEST_FACT = 30

const factsOf = ({ place, price }: Offer): string =>
  [plain(place ?? ''), plain(price ?? '')]
    .filter((fact) => fact !== '' && fact.length <= LONGEST_FACT)
    .join(' · ')

const otherLanguage = ({ language }: Offer, { t, language: read, locale }: Translator): string | null =>
  language && language !== read ? t('session.language', { language: languageNamed(language, locale) }) : null

/** The time by which the reader knows a session that moved, in their own zone. */
function wasText({ was, startsAt }: ShownOffer, reader: RowReader): string | null {
  const [, kind, date, clock, zone] = /^(weekly|once) (\S+) (\d\d:\d\d) (\S+)$/.exec(was ?? '') ?? []
  if (kind === undefined || date === undefined || zone === undefined) return null
  const { timeZone, translator, since } = reader
  const isWeekly = kind === 'weekly'
  // January 1, 2023 was a Sunday, and weekdays count from there.
  const startsAtLocal = `${isWeekly ? `2023-01-0${Number(date) + 1}` : date}T${clock}`
  const times = { startsAtLocal, timeZone: zone, occurrences: null, durationMinutes: 0 }
  const around = new Date(isWeekly ? Date.parse(startsAt) - HALF_WEEK_MS : 0)
  const before = nextOccurrence({ ...times, repeats: isWeekly ? 'weekly' : 'once' }, around)
  if (before === null) return null
  const { weekday, day, time } = formatOccurrence(before.at, timeZone, translator.locale, since)
  return translator.t('session.was', { at: `${isWeekly ? weekday : day}, ${time}` })
}

const HALF_WEEK_MS = 3.5 * 86_400_000

/** The group's own day and time, where its day is another than the reader's. */
function dayForGroup(
  { startsAt, timeZone: groupZone }: Offer,
  readersDay: string,
  { translator: { t, locale }, since }: RowReader,
): string | null {
  const { day, time } = formatOccurrence(new Date(startsAt), groupZone, locale, since)
  return day === readersDay ? null : t('session.forGroup', { at: `${day}, ${time}` })
}

/** Warns of a clock change before the session: readers who remember the old time would come an hour early or late. */
function clocksNote(
  { startsAt, timeZone: groupZone }: Offer,
  { timeZone, translator: { t, locale }, since }: RowReader,
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
