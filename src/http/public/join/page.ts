import { randomUUID } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import { type OpenTimes, openTimes } from '../../../actions/sessions/open-times.ts'
import type { App } from '../../../app.ts'
import type { Mistake } from '../../../core/intake/fields.ts'
import { plain } from '../../../core/mail/digest-page.ts'
import { formatOccurrence, zoneTitle } from '../../../core/time/occurrences.ts'
import { canonicalZone } from '../../../core/time/zone-names.ts'
import { consentWording } from '../../../core/words/consent.ts'
import type { MessageKey, Translator } from '../../../core/words/words.ts'
import { sayMistakes } from '../form-errors.ts'
import { keptPages } from '../kept-pages.ts'
import { zoneGroups } from '../zone-choice.ts'
import { isStamp, LEAST_FILL_MS, stampFor, type Typed } from './form.ts'

type Needs = Pick<App, 'config' | 'db' | 'now'>

/** What the reader had filled in, what is wrong with it, and what else kept us from taking it. */
export type Filled = { typed?: Typed; mistakes?: readonly Mistake[]; trouble?: MessageKey }

/** So many topics are shown a time of. */
const TASTE = 4

/**
 * Shows the first page: what the mail is, a taste of what is open now, and the form. While it is empty, only its stamp differs
 * between visitors.
 */
export function firstPage(app: Needs): (reply: FastifyReply) => Promise<FastifyReply> {
  const kept = keptPages()
  const blank = randomUUID()
  return async (reply) => {
    const times = await openTimes(app)
    const write = () => reply.written('home', formView(app, times, reply.voice, { stamp: blank }))
    const html = kept(times, { reply, write })
    return withScript(reply).page(html.toString().replaceAll(blank, newStamp(app, undefined)))
  }
}

/** The first page with the form as far as it was filled in. */
export async function showForm(app: Needs, reply: FastifyReply, filled: Filled) {
  const { typed, trouble } = filled
  const stamp = typed && isStamp(app.config.LINK_SECRET, typed.stamp) ? typed.stamp : newStamp(app, trouble)
  return withScript(reply).view(
    'home',
    formView(app, await openTimes(app), reply.voice, { ...filled, stamp }),
  )
}

/** Its script only guesses the time zone. */
function withScript(reply: FastifyReply): FastifyReply {
  const policy = `${String(reply.getHeader('content-security-policy'))};script-src 'self'`
  return reply.header('content-security-policy', policy)
}

function formView(
  { config, now }: Needs,
  times: OpenTimes,
  voice: Translator,
  { typed, mistakes = [], trouble, stamp }: Filled & { stamp: string },
) {
  const chosen = new Set(typed?.topics)
  const wrong = trouble !== undefined || mistakes.length > 0
  const { say } = voice
  return {
    title: say(wrong ? 'page.home.title.wrong' : 'page.home.title'),
    ...taste(config.DIGEST_TIME_ZONE, times, now(), voice),
    consent: consentWording(config.practice, voice),
    wrong,
    trouble: trouble ? say(trouble) : null,
    problems: sayMistakes(['email', 'name', 'tz', 'topics'], mistakes, voice),
    email: typed?.email ?? '',
    name: typed?.name ?? '',
    zones: zoneGroups(canonicalZone(typed?.tz ?? '') ?? config.DIGEST_TIME_ZONE, voice),
    kept: typed !== undefined,
    topics: times.topics.map(({ slug, name }) => ({ slug, name, chosen: chosen.has(slug) })),
    someTopics: chosen.size > 0,
    discreet: typed?.discreet ?? false,
    discreetSubject: say('digest.subject.discreet'),
    stamp,
  }
}

/** The next time of each of a few topics, those that meet soonest. */
function taste(timeZone: string, { offers }: OpenTimes, now: Date, { locale }: Translator) {
  const soonest = [...Map.groupBy(offers, ({ topicId }) => topicId).values()].flatMap(
    ([first]) => first ?? [],
  )
  return {
    zone: zoneTitle(timeZone, now, locale),
    taste: soonest.slice(0, TASTE).map(({ startsAt, group, topic }) => {
      const { day, time } = formatOccurrence(new Date(startsAt), timeZone, locale, now)
      return { when: `${day} · ${time}`, group: plain(group), topic: plain(topic) }
    }),
  }
}

/** Whoever left the page open may press the button at once; what was not from our page waits like any other. */
function newStamp({ config, now }: Needs, trouble: MessageKey | undefined): string {
  const credit = trouble === 'page.home.stale' ? LEAST_FILL_MS : 0
  return stampFor(config.LINK_SECRET, new Date(now().getTime() - credit))
}
