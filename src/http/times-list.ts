import type { App } from '../app.ts'
import type { Offer } from '../core/content.ts'
import { type DigestPage, digestView } from '../core/digest-view.ts'
import type { Standing } from '../core/told.ts'
import { basePath } from './pages.ts'
import { zoneGroups } from './zone-choice.ts'

/** An offer as a page lists it. */
export type Listed = { offer: Offer; standing: Standing }

/** Which part of which list is asked for; `path` below PUBLIC_URL, `page` from 1, `slugs` of the chosen topics. */
export type Asked = { path: string; tz: string; page: number; slugs: readonly string[] }

/** A page has at most so many, to stay under 50 KB with its stylesheet. */
const SESSIONS_PER_PAGE = 25

/** One page of a list for `times.hbs`, by topic, and inside soonest first; a page beyond the last is the last. */
export function timesList(config: App['config'], listed: readonly Listed[], asked: Asked) {
  const standing = new Map(listed.map(({ offer, standing }) => [offer.id, standing]))
  const { topics, place } = inWords(
    config,
    listed.map(({ offer }) => offer),
    asked.tz,
  )
  const rows = topics.flatMap(({ name, sessions }) => sessions.map((session) => ({ topic: name, session })))
  const pages = Math.max(1, Math.ceil(rows.length / SESSIONS_PER_PAGE))
  const page = Math.min(asked.page, pages)
  const onPage = rows.slice((page - 1) * SESSIONS_PER_PAGE, page * SESSIONS_PER_PAGE)
  return {
    place,
    action: basePath(config) + asked.path,
    zones: zoneGroups(asked.tz),
    topics: [...Map.groupBy(onPage, ({ topic }) => topic)].map(([name, rows], index) => ({
      name,
      anchor: `topic-${index + 1}`,
      sessions: rows.map(({ session }) => ({
        ...session,
        moved: standing.get(session.id) === 'moved',
        gone: standing.get(session.id) === 'gone',
      })),
    })),
    pages: pages > 1 ? `Page ${page} of ${pages}` : null,
    previous: page > 1 ? linkTo(config, { ...asked, page: page - 1 }) : null,
    next: page < pages ? linkTo(config, { ...asked, page: page + 1 }) : null,
  }
}

/** Offers in the words of the mail, for anyone: by topic, and inside soonest first. */
export function inWords(config: App['config'], offers: readonly Offer[], timeZone: string): DigestPage {
  const letterhead = {
    from: config.MAIL_FROM,
    discreetFrom: config.discreetFrom,
    replyTo: config.MAIL_REPLY_TO ?? null,
    postalAddress: config.POSTAL_ADDRESS,
    publicUrl: config.PUBLIC_URL,
    practice: config.practice,
    crisisNote: null,
    unsubscribeMailto: null,
    linkSecretId: '',
  }
  const byId = new Map(offers.map((offer) => [offer.id, offer]))
  const shown = offers.map(({ id, news }) => ({ id, news }))
  return digestView(letterhead, byId, { timeZone, locale: 'en', discreet: false, shown, more: 0 })
}

function linkTo(config: App['config'], { path, tz, page, slugs }: Asked): string {
  const query = new URLSearchParams({ tz, page: String(page) })
  for (const slug of slugs) query.append('topic', slug)
  return `${basePath(config)}${path}?${query.toString()}`
}
