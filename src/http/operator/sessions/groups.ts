import type { FastifyInstance, FastifyReply } from 'fastify'
import type { App } from '../../../app.ts'
import { languageNamed } from '../../../core/words/language-name.ts'
import { type ListedGroup, listedGroups } from '../../../db/sessions/groups.ts'
import { allTopics, type Topic } from '../../../db/sessions/sessions.ts'

type Words = FastifyReply['words']

const PER_PAGE = 50

/** Adds `/groups`: all groups, a page at a time, and all topics. */
export function addGroups(server: FastifyInstance, app: App): void {
  server.get('/groups', { config: { may: 'sessions.see' } }, async (request, reply) => {
    const { words } = reply
    const groups = await listedGroups(app.store)
    const topics = await allTopics(app.store)
    const pages = Math.max(1, Math.ceil(groups.length / PER_PAGE))
    const { page: asked } = request.query as { page?: unknown }
    const page = Math.min(Math.max(Number.parseInt(String(asked), 10) || 1, 1), pages)
    return reply.show('groups', {
      title: words.t('groups.title'),
      groups: groups.slice((page - 1) * PER_PAGE, page * PER_PAGE).map((group) => groupView(words, group)),
      pager: pages === 1 ? null : pagerView(words, page, pages),
      topics: topics.map((topic) => topicView(words, topic, groups)),
    })
  })
}

function groupView({ t, locale }: Words, group: ListedGroup) {
  const { id, title, topicName, sessions, kind, language, place, price, summary } = group
  const about = [t(`sessions.kind.${kind}`), language && languageNamed(language, locale), place, price]
  return { id, title, topic: topicName, sessions, summary, about: about.filter(Boolean).join(' · ') }
}

function topicView({ locale }: Words, { slug, name, names }: Topic, groups: readonly ListedGroup[]) {
  const others = Object.entries(names).map(
    ([language, called]) => `${languageNamed(language, locale)}: ${called}`,
  )
  return {
    ...{ slug, name, others: others.join(', ') },
    groups: groups.filter(({ topicSlug }) => topicSlug === slug).length,
  }
}

const pagerView = ({ t }: Words, page: number, pages: number) => ({
  before: page > 1 ? `/groups?page=${page - 1}` : null,
  after: page < pages ? `/groups?page=${page + 1}` : null,
  where: t('sessions.pager', { page, pages }),
})
