import type { App } from '../../../app.ts'
import { plain } from '../../../core/mail/digest-page.ts'
import { type DigestRow, digestRow } from '../../../core/mail/digest-row.ts'
import type { OfferStatus } from '../../../core/sessions/listed.ts'
import type { Offer } from '../../../core/sessions/offers.ts'
import { toLocal } from '../../../core/time/calendar.ts'
import { dayHeading, formatOccurrence } from '../../../core/time/occurrences.ts'
import { languageNamed } from '../../../core/words/language-name.ts'
import type { Translator } from '../../../core/words/words.ts'
import { basePath } from '../pages.ts'

/** An offer in the list of a page. */
export type Listed = { offer: Offer; status: OfferStatus }

/** For whom a list is written; `lang` if they chose a language on the page, `discreet` if a discreet email led there. */
export type ListReader = {
  translator: Translator
  timeZone: string
  lang: string | null
  discreet: boolean
  now: Date
}

/** A session as `times.hbs` shows it. Lines that may be absent are null or ''. */
export type TimeRow = DigestRow & {
  /** Language, place and price, as far as they are known. */
  known: string
  pageUrl: string | null
  movedUrl: string
  calendarUrl: string
  saveLabel: string
  moved: boolean
  gone: boolean
}

/** Offers by day, soonest first, in the words of the emails. */
export function byDay(config: App['config'], listed: readonly Listed[], reader: ListReader) {
  const { timeZone, translator, now } = reader
  const since = new Date(toLocal(now, timeZone).slice(0, 10))
  const days = Map.groupBy(listed, ({ offer }) => toLocal(new Date(offer.startsAt), timeZone).slice(0, 10))
  const described = new Set<string>()
  return [...days].map(([day, rows]) => ({
    anchor: `day-${day}`,
    name: dayHeading(new Date(rows[0]?.offer.startsAt ?? 0), timeZone, translator.locale, since),
    sessions: rows.map((one): TimeRow => {
      const group = String(one.offer.groupId ?? one.offer.group)
      const isFirst = !described.has(group)
      described.add(group)
      return timeRow(config, one, { ...reader, since, isFirst })
    }),
  }))
}

function timeRow(
  config: App['config'],
  { offer, status }: Listed,
  { translator, timeZone, lang, discreet, since, isFirst }: ListReader & { since: Date; isFirst: boolean },
): TimeRow {
  const base = basePath(config)
  const asHere = queryOf({ lang, discreet })
  const reader = { timeZone, translator, since, fallbackUrl: `${base}/sessions`, byTopic: false }
  const row = digestRow({ ...offer, shownAs: 'new' }, reader, isFirst)
  const pageUrl = typeof offer.groupId === 'number' ? `${base}/groups/${offer.groupId}${asHere}` : null
  const { day, time } = formatOccurrence(new Date(offer.startsAt), timeZone, translator.locale, since)
  return {
    ...row,
    known: knownOf(offer, translator).join('\u00a0· '),
    pageUrl,
    movedUrl: pageUrl ?? `${base}/sessions${asHere}`,
    calendarUrl: `${base}/sessions/${offer.id}.ics${asHere}`,
    saveLabel: translator.t('page.times.save.label', { group: row.group, at: `${day}, ${time}` }),
    moved: status === 'moved',
    gone: status === 'gone',
  }
}

/** What a link to another page keeps of this one: the language, and that it began in a discreet email. */
export function queryOf({ lang, discreet }: Pick<ListReader, 'lang' | 'discreet'>): string {
  const query = new URLSearchParams({ ...(lang !== null && { lang }), ...(discreet && { discreet: '1' }) })
  return query.size === 0 ? '' : `?${query.toString()}`
}

/** What is known of the group; pages have room for all of it, unlike emails. Offers of an older release lack it. */
function knownOf({ language, place, price }: Offer, { t, language: read, locale }: Translator): string[] {
  const spoken = language && language !== read ? languageNamed(language, locale) : null
  return [
    spoken === null ? '' : t('session.language', { language: spoken }),
    plain(place ?? ''),
    plain(price ?? ''),
  ].filter((fact) => fact !== '')
}
