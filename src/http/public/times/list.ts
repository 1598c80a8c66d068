import type { App } from '../../../app.ts'
import { type DigestPage, digestView } from '../../../core/mail/digest-page.ts'
import { letterheadOf } from '../../../core/mail/letterhead.ts'
import type { Offer } from '../../../core/sessions/offers.ts'
import { toLocal } from '../../../core/time/calendar.ts'
import { zoneTitle } from '../../../core/time/zone-titles.ts'
import type { Translator } from '../../../core/words/words.ts'
import { basePath } from '../pages.ts'
import { nearZones, zoneGroups } from '../zone-choice.ts'
import { byDay, type Listed, queryOf } from './rows.ts'

/**
 * The requested part of a list: `path` below PUBLIC_URL, `page` from 1, `slugs` of the chosen topics, and `lang` if the visitor
 * chose a language on the page.
 */
export type Asked = {
  path: string
  tz: string
  page: number
  slugs: readonly string[]
  /** Of groups; `lang` is that of the page. */
  language: string | null
  lang: string | null
  /** Whether they came from a discreet email. */
  discreet: boolean
  /** Whether the visitor looks for a zone that is not nearby: then there is only that choice, and no list. */
  everyZone: boolean
  translator: Translator
}

/** The most offers on a page, to stay under 50 KB with the stylesheet. */
const SESSIONS_PER_PAGE = 20

/** One page of a list for `times.hbs`, by day, soonest first. A page after the last one is the last one. */
export function timesList(config: App['config'], listed: readonly Listed[], asked: Asked, now: Date) {
  const { tz, lang, language, discreet, translator } = asked
  const soonestFirst = listed.toSorted((a, b) => Date.parse(a.offer.startsAt) - Date.parse(b.offer.startsAt))
  const pages = Math.max(1, Math.ceil(soonestFirst.length / SESSIONS_PER_PAGE))
  const page = Math.min(asked.page, pages)
  // Cut first: formatting a thousand sessions to show twenty would take most of the time.
  const onPage = soonestFirst.slice((page - 1) * SESSIONS_PER_PAGE, page * SESSIONS_PER_PAGE)
  return {
    width: 'wide',
    zone: zoneTitle(tz, translator),
    lang,
    groupLanguage: language,
    discreet,
    timesUrl: `${basePath(config)}/sessions${queryOf(asked)}`,
    action: basePath(config) + asked.path,
    zones: asked.everyZone ? zoneGroups(tz, translator) : nearZones(tz, translator),
    everyZone: asked.everyZone,
    moreZones: `${linkTo(config, { ...asked, page: 1 })}&zones=all`,
    days: byDay(config, asked.everyZone ? [] : onPage, { translator, timeZone: tz, lang, discreet, now }),
    pages: pages > 1 && !asked.everyZone ? translator.t('page.times.page', { page, pages }) : null,
    previous: page > 1 ? linkTo(config, { ...asked, page: page - 1 }) : null,
    next: page < pages ? linkTo(config, { ...asked, page: page + 1 }) : null,
  }
}

type Public = { translator: Translator; timeZone: string; now: Date }

/** Offers in the words of the emails, for anyone: by topic, soonest first. */
export function inWords(
  config: App['config'],
  offers: readonly Offer[],
  { translator, timeZone, now }: Public,
): DigestPage {
  const byId = new Map(offers.map((offer) => [offer.id, offer]))
  const shown = offers.map(({ id, news }) => ({ id, news }))
  const today = toLocal(now, timeZone).slice(0, 10)
  return digestView(letterheadOf(config), byId, { translator, timeZone, shown }, today)
}

/** The same list, with what is different in `asked`. */
export function linkTo(
  config: App['config'],
  { path, tz, page, slugs, language, lang, discreet }: Asked,
): string {
  const query = new URLSearchParams({
    tz,
    ...(page > 1 && { page: String(page) }),
    ...(lang !== null && { lang }),
    ...(discreet && { discreet: '1' }),
  })
  for (const slug of slugs) query.append('topic', slug)
  if (language !== null) query.set('language', language)
  return `${basePath(config)}${path}?${query.toString()}`
}
