import { millisecondsInWeek } from 'date-fns/constants'
import { lru } from '../lru.ts'
import type { News, Offer } from '../sessions/offers.ts'
import { dayAndTime, hourIn, shortTime } from '../time/occurrences.ts'
import { zoneTitle } from '../time/zone-titles.ts'
import { weighed } from '../weighed.ts'
import type { Translator } from '../words/words.ts'

export type Opening = { subject: string; preheader: string; heading: string; lead: string }

type Shown = Pick<Offer, 'startsAt'> & { shownAs: News }
type Readers = { translator: Translator; timeZone: string; discreet: boolean; more: number }

/** The hour from which it is evening, in the reader's local time. */
const EVENING = 17

/**
 * What stands before the sessions. Subject, preheader, and heading name no topic and no therapist: they show on lock screens
 * and over shoulders. The heading counts all, and the lead says of what they are the sum.
 */
export function openingOf(shown: readonly Shown[], readers: Readers, since: Date): Opening {
  const { translator, timeZone, discreet, more } = readers
  const { t } = translator
  const all = shown.length + more
  const lead = leadOf(shown, readers, zoneTitle(timeZone, translator))
  if (discreet) {
    const subject = t('digest.subject.discreet')
    return { subject, heading: subject, lead, preheader: previewOf(t('digest.preheader.discreet')) }
  }
  const fresh = shown.filter(({ shownAs }) => shownAs === 'new').length
  const kind = more > 0 ? 'unseen' : fresh > 0 ? 'new' : 'changed'
  return {
    subject: t(`digest.subject.${kind}`, { n: kind === 'new' ? fresh : all }),
    heading: t('digest.heading', { n: all }),
    lead,
    preheader: previewOf(whenOf(shown, readers, since)),
  }
}

/** Pads the preheader with invisible characters. Without them, inboxes go on to show names and topics from the email. */
export const previewOf = (text: string): string => text + '\u200c\u00a0'.repeat(120)

function leadOf(shown: readonly Shown[], { translator, more }: Readers, zone: string): string {
  const { t, locale } = translator
  const counts = (['new', 'reopened', 'moved'] as const)
    .map((news) => ({ news, n: shown.filter(({ shownAs }) => shownAs === news).length }))
    .filter(({ n }) => n > 0)
  const [only] = counts
  if (counts.length === 1 && only?.news === 'new')
    return t(more > 0 ? 'digest.lead.first.new' : 'digest.lead.new', { n: only.n, zone })
  const listed = listIn(locale).format(counts.map(({ news, n }) => t(`digest.count.${news}`, { n })))
  return more > 0
    ? t('digest.lead.first', { n: shown.length, counts: listed, zone })
    : t('digest.lead', { counts: listed, zone })
}

/** The preheader. Those that did not fit are later, and it does not speak for them. */
function whenOf(shown: readonly Shown[], readers: Readers, since: Date): string {
  const said = when(shown, readers, since)
  return readers.more > 0
    ? readers.translator.t('digest.preheader.first', { n: shown.length, when: said })
    : said
}

/** When the sessions are, which tells nobody what they are: `Friday 11 AM to Thursday 9:30 PM; 6 at 5 PM or later.` */
function when(
  shown: readonly Shown[],
  { translator: { t, locale }, timeZone }: Readers,
  since: Date,
): string {
  const starts = shown.map(({ startsAt }) => new Date(startsAt)).sort((a, b) => a.getTime() - b.getTime())
  const [first = new Date(0)] = starts
  const last = starts.at(-1) ?? first
  const reference = first.getTime() - since.getTime() < millisecondsInWeek ? first : since
  const [from, to] = [first, last].map((at) => dayAndTime(at, timeZone, locale, reference))
  const span =
    first.getTime() === last.getTime()
      ? t('digest.preheader.at', { from: from ?? '' })
      : t('digest.preheader.span', { from: from ?? '', to: to ?? '' })
  const n = starts.filter((at) => hourIn(at, timeZone) >= EVENING).length
  if (n === 0 || starts.length === 1) return t('digest.preheader', { span })
  const hour = shortTime(new Date(Date.UTC(2000, 0, 1, EVENING)), 'UTC', locale)
  const share = n === starts.length ? 'all' : 'some'
  return t('digest.preheader.evening', { span, n, share, hour })
}

const LOCALES_KEPT = 16

const listIn = lru(
  LOCALES_KEPT,
  (locale: string) => locale,
  (locale) => weighed(new Intl.ListFormat(locale, { type: 'unit', style: 'short' })),
)
