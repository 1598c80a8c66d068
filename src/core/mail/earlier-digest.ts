import { lru } from '../lru.ts'
import { isScarce, type News, type Offer } from '../sessions/offers.ts'
import { clockChangeBetween, sameWallClock, toLocal } from '../time/calendar.ts'
import { hourIn, isFar } from '../time/occurrences.ts'
import { weighed } from '../weighed.ts'
import type { MessageKey, Translator, Values } from '../words/words.ts'
import { previewOf } from './digest-opening.ts'
import { byTopic, plain, webAddress } from './digest-page.ts'
import type { Letterhead, Reader } from './letterhead.ts'

type Readers = Pick<Reader, 'timeZone' | 'discreet' | 'shown' | 'more'> & { translator: Translator }
type ShownOffer = Offer & { shownAs: News }

/** The hours of an evening. */
const EVENING = { from: 17, to: 22 }

/**
 * The variables of the digest template that was in use before sessions were listed by day. A batch that was begun with it is
 * finished with it: the same words and dates, so that it is the same request. Its messages are frozen with it, and some are in
 * no catalog any more. Change nothing here; a year after that release it can go.
 */
export function earlierDigestPage(
  letterhead: Letterhead,
  offers: ReadonlyMap<number, Offer>,
  readers: Readers,
  editionId: string,
) {
  const { translator, timeZone, more } = readers
  const { publicUrl, practice, logoUrl, replyTo, postalAddress, crisisLine } = letterhead
  const shown = readers.shown.map(({ id, news }) => ({ ...offerOf(offers, id), shownAs: news }))
  const since = new Date(editionId)
  return {
    language: translator.language,
    ...opening(shown, readers),
    practice: plain(practice),
    logoUrl,
    zone: zoneNamed(timeZone === 'UTC' ? 'long' : 'longGeneric', since, timeZone, translator.locale),
    topics: byTopic(shown, translator).map(({ name, offers }) => ({
      name,
      underline: '-'.repeat(Math.min(name.length, 72)),
      sessions: offers.map((offer) => sessionView(offer, readers, publicUrl, since)),
    })),
    more,
    moreUrl: `${publicUrl}/sessions`,
    replyTo,
    postalAddress: plain(postalAddress),
    crisisNote: crisisLine === 'off' ? null : frozen(translator, `crisis.${crisisLine}`),
  }
}

const frozen = ({ t }: Translator, key: string, values?: Values): string => t(key as MessageKey, values)

function offerOf(offers: ReadonlyMap<number, Offer>, id: number): Offer {
  const offer = offers.get(id)
  if (!offer) throw new Error(`session ${id} is shown to a reader but was not frozen with the batch`)
  return offer
}

function opening(shown: readonly ShownOffer[], { translator, timeZone, discreet, more }: Readers) {
  const { t } = translator
  if (discreet) {
    const subject = t('digest.subject.discreet')
    return { subject, heading: subject, preheader: previewOf(t('digest.preheader.discreet')) }
  }
  const fresh = shown.filter(({ shownAs }) => shownAs === 'new').length
  const kind = more > 0 ? 'unseen' : fresh > 0 ? 'new' : 'changed'
  const counted = kind === 'new' ? shown.filter(({ shownAs }) => shownAs === 'new') : shown
  const n = counted.length + more
  const fact = frozen(translator, `digest.heading.${kind}`, { n })
  return {
    subject: t(`digest.subject.${kind}`, { n }),
    heading: more > 0 ? fact : withEvenings(fact, counted, timeZone, translator),
    preheader: previewOf(t('digest.preheader')),
  }
}

function withEvenings(
  fact: string,
  shown: readonly Offer[],
  timeZone: string,
  translator: Translator,
): string {
  const n = shown.filter(({ startsAt }) => isEvening(hourIn(new Date(startsAt), timeZone))).length
  if (n === 0) return fact
  const share = n < shown.length ? 'some' : n === 1 ? 'only' : 'all'
  return frozen(translator, 'digest.heading.evening', { fact, n, share })
}

const isEvening = (hour: number): boolean => hour >= EVENING.from && hour < EVENING.to

function sessionView(offer: ShownOffer, { timeZone, translator }: Readers, publicUrl: string, since: Date) {
  const { t, locale } = translator
  const { day, time, zoneName } = written(new Date(offer.startsAt), timeZone, locale, since)
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
    reserveUrl: webAddress(offer.bookingUrl) ?? `${publicUrl}/sessions`,
    reserveLabel: t('session.reserve.label', { group, at }),
    calendarUrl: `${publicUrl}/sessions/${offer.id}.ics`,
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
  const date = written(new Date(lastStartsAt), timeZone, locale, since).dateInWords
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
  const { day, time, zoneName } = written(startsAt, offer.timeZone, locale, since)
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
    return change && written(change, zone, locale, since).dateInWords
  }
  const [date, groupDate] = [changeIn(timeZone), changeIn(groupZone)]
  if (date !== null && groupDate !== null && date !== groupDate)
    return t('session.clocks.both', { date, groupDate })
  if (date !== null) return t('session.clocks.yours', { date })
  return groupDate === null ? null : t('session.clocks.group', { date: groupDate })
}

/** A start as it was written then. */
function written(at: Date, zone: string, locale: string, reference: Date) {
  const shown = new Date(`${toLocal(at, zone)}Z`)
  const { day, dateInWords, time } = formattersOf({ locale, far: isFar(at, reference) })
  return {
    day: day.format(shown),
    dateInWords: dateInWords.format(shown),
    time: time.format(shown).replace(/[\u00a0\u202f]/g, ' '),
    zoneName: zoneNamed('short', at, zone, locale),
  }
}

type ZoneNameStyle = 'short' | 'long' | 'longGeneric'

function zoneNamed(style: ZoneNameStyle, at: Date, timeZone: string, locale: string): string {
  const parts = zoneNameFormatter({ style, timeZone, locale }).formatToParts(at)
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? timeZone
}

const ZONE_NAMES_KEPT = 30

const zoneNameFormatter = lru(
  ZONE_NAMES_KEPT,
  ({ style, timeZone, locale }: { style: ZoneNameStyle; timeZone: string; locale: string }) =>
    `${style} ${timeZone} ${locale}`,
  ({ style, timeZone, locale }) =>
    weighed(new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: style })),
)

const LOCALES_KEPT = 16

const formattersOf = lru(
  LOCALES_KEPT,
  ({ locale, far }: { locale: string; far: boolean }) => `${locale} ${far}`,
  ({ locale, far }) => {
    const inUtc = (parts: Intl.DateTimeFormatOptions) =>
      weighed(new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...parts }))
    const year = far ? ({ year: 'numeric' } as const) : {}
    return {
      day: inUtc({ weekday: 'short', month: 'short', day: 'numeric', ...year }),
      dateInWords: inUtc({ month: 'long', day: 'numeric', ...year }),
      time: inUtc({ hour: 'numeric', minute: '2-digit' }),
    }
  },
)
