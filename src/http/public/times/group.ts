import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type OpenTimes, openTimes } from '../../../actions/sessions/open-times.ts'
import type { App } from '../../../app.ts'
import { topicName } from '../../../core/sessions/topic.ts'
import { zoneTitle } from '../../../core/time/zone-titles.ts'
import { languageNamed } from '../../../core/words/language-name.ts'
import type { Translator } from '../../../core/words/words.ts'
import { findGroup, type Group } from '../../../db/sessions/groups.ts'
import { keptPages } from '../kept-pages.ts'
import { basePath } from '../pages.ts'
import { publicly } from '../publicly.ts'
import { nearZones, zoneGroups } from '../zone-choice.ts'
import { byDay, type Listed, queryOf } from './rows.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'templates'>

/** What a visitor asks for, and the script that asks for the zone of their browser. */
type Asks = { zoneScript: string; asked: (request: FastifyRequest, reply: FastifyReply) => Asked }
type Asked = {
  tz: string
  everyZone: boolean
  discreet: boolean
  lang: string | null
  translator: Translator
}

/** `/groups/ID`: what a reader needs to know of a group, and its times that can be reserved. */
export function addGroupRoute(server: FastifyInstance, app: Needs, { zoneScript, asked }: Asks): void {
  const kept = keptPages()
  server.get<{ Params: { id: string } }>('/groups/:id(^\\d{1,15}$)', async (request, reply) => {
    // Read before the times: a change in between is read again with them.
    const group = await findGroup(app.store, Number(request.params.id))
    if (group === null) return reply.callNotFound()
    const times = await openTimes(app)
    const write = () =>
      reply.written('group', { ...groupPage(app, group, times, asked(request, reply)), zoneScript })
    const page = kept(times, { reply, write })
    const isOpen = times.offers.some(({ groupId }) => groupId === group.id)
    // A group without times may be a former one: nothing for a search engine to list.
    return (isOpen ? publicly(reply) : publicly(reply).header('x-robots-tag', 'noindex')).page(page)
  })
}

function groupPage(
  { config, now }: Needs,
  group: Group,
  { offers }: OpenTimes,
  { tz, everyZone, discreet, lang, translator }: Asked,
) {
  const { t, language, locale } = translator
  const theirs = offers.filter(({ groupId }) => groupId === group.id)
  const action = `${basePath(config)}/groups/${group.id}`
  const listed = theirs.map((offer): Listed => ({ offer, status: 'bookable' }))
  const spoken = group.language && languageNamed(group.language, locale)
  return {
    title: group.title,
    about: [
      topicName(group.topicNames, group.topicName, language),
      t('page.group.kind', { kind: group.kind }),
      ...(spoken ? [t('page.group.language', { language: spoken })] : []),
    ].join(' · '),
    summary: group.summary,
    groupUrl: group.groupUrl,
    facts: [
      ...(group.place === null ? [] : [{ name: t('page.group.place'), value: group.place }]),
      ...(group.price === null ? [] : [{ name: t('page.group.price'), value: group.price }]),
    ],
    zone: zoneTitle(tz, translator),
    days: byDay(config, listed, { translator, timeZone: tz, lang, discreet, now: now() }),
    lang,
    discreet,
    timesUrl: `${basePath(config)}/sessions${queryOf({ lang, discreet })}`,
    action,
    zones: everyZone ? zoneGroups(tz, translator) : nearZones(tz, translator),
    everyZone,
    moreZones: `${action}?${new URLSearchParams({ tz, zones: 'all', ...(lang !== null && { lang }), ...(discreet && { discreet: '1' }) }).toString()}`,
  }
}
