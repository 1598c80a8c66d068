import { randomUUID } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import { type OpenTimes, openTimes } from '../../../actions/sessions/open-times.ts'
import type { App } from '../../../app.ts'
import type { FormError } from '../../../core/intake/fields.ts'
import { plain } from '../../../core/mail/digest-page.ts'
import { topicName, topicsIn } from '../../../core/sessions/topic.ts'
import { formatOccurrence } from '../../../core/time/occurrences.ts'
import { canonicalZone } from '../../../core/time/zone-names.ts'
import { zoneTitle } from '../../../core/time/zone-titles.ts'
import { consentWording } from '../../../core/words/consent.ts'
import type { MessageKey, Translator } from '../../../core/words/words.ts'
import { formMessages, formSummary } from '../form-errors.ts'
import { keptPages } from '../kept-pages.ts'
import { zoneGroups } from '../zone-choice.ts'
import { LEAST_FILL_MS, LEAST_READ_MS, stampedAt, stampFor, type Typed } from './form.ts'

type Needs = Pick<App, 'config' | 'store' | 'now'>

/** What the reader filled in, its errors, and what else kept us from taking it. */
export type Filled = { typed?: Typed; errors?: readonly FormError[]; trouble?: MessageKey }

/** The number of topics in the teaser. */
const TEASER_TOPICS = 4

/**
 * Shows the first page: what the emails are, a teaser of what is open now, and the form. While the form is empty, only its
 * stamp differs between visitors.
 */
export function firstPage(app: Needs): (reply: FastifyReply) => Promise<FastifyReply> {
  const kept = keptPages()
  const blank = randomUUID()
  return async (reply) => {
    const times = await openTimes(app)
    const write = () => reply.written('home', formView(app, times, reply.translator, { stamp: blank }))
    const html = kept(times, { reply, write })
    return withScript(reply).page(html.toString().replaceAll(blank, nextStamp(app, undefined, undefined)))
  }
}

/** The first page with the form as far as it was filled in. */
export async function showForm(app: Needs, reply: FastifyReply, filled: Filled) {
  const { typed, trouble } = filled
  const stamp = nextStamp(app, typed, trouble)
  return withScript(reply).view(
    'home',
    formView(app, await openTimes(app), reply.translator, { ...filled, stamp }),
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
  translator: Translator,
  { typed, errors = [], trouble, stamp }: Filled & { stamp: string },
) {
  const chosen = new Set(typed?.topics)
  const { t } = translator
  const problems = formMessages(['email', 'name', 'tz', 'topics'], errors, translator)
  const wrongInMore = [problems.name, problems.tz, problems.topics].some((problem) => problem !== null)
  const discreet = typed?.discreet ?? false
  return {
    title: t(errors.length > 0 ? 'page.home.title.wrong' : 'page.home.title'),
    width: 'wide',
    ...teaser(config.DIGEST_TIME_ZONE, times, now(), translator),
    consent: consentWording(config.practice, translator),
    wrong: trouble !== undefined || errors.length > 0,
    trouble: trouble ? t(trouble) : null,
    write: trouble !== undefined && !ASK_AGAIN.has(trouble),
    summary: formSummary(errors, translator),
    problems,
    email: typed?.email ?? '',
    name: typed?.name ?? '',
    zones: zoneGroups(canonicalZone(typed?.tz ?? '') ?? config.DIGEST_TIME_ZONE, translator),
    kept: typed !== undefined,
    topics: topicsIn(times.topics, translator).map(({ slug, name }) => ({
      slug,
      name,
      chosen: chosen.has(slug),
    })),
    openMore: wrongInMore || chosen.size > 0 || discreet || (typed?.name ?? '') !== '',
    discreet,
    discreetSender: config.DISCREET_FROM_NAME ?? t('mail.discreet.sender'),
    discreetSubject: t('digest.subject.discreet'),
    stamp,
  }
}

/** The next time in each of a few topics, soonest first. */
function teaser(timeZone: string, { offers }: OpenTimes, now: Date, translator: Translator) {
  const soonest = [...Map.groupBy(offers, ({ topicId }) => topicId).values()].flatMap(
    ([first]) => first ?? [],
  )
  return {
    zone: zoneTitle(timeZone, translator),
    taste: soonest.slice(0, TEASER_TOPICS).map(({ groupId, startsAt, group, topic, topicNames }) => {
      const { day, time } = formatOccurrence(new Date(startsAt), timeZone, translator.locale, now)
      return {
        groupId,
        when: `${day} · ${time}`,
        group: plain(group),
        topic: plain(topicName(topicNames, topic, translator.language)),
      }
    }),
  }
}

/** Troubles of the form itself: to send it again is all there is to do. */
const ASK_AGAIN = new Set<MessageKey>(['page.home.again', 'page.home.stale'])

/**
 * The stamp of a form that is shown again. Who left the page open may select the button at once, and who was fast may after a
 * second; no one reads what is asked in less. A form that was not from our page waits like any other.
 */
function nextStamp(
  { config, now }: Needs,
  typed: Typed | undefined,
  trouble: MessageKey | undefined,
): string {
  const { LINK_SECRET: secrets } = config
  const madeBefore = (ms: number) => stampFor(secrets, new Date(now().getTime() - ms))
  if (trouble === 'page.home.stale') return madeBefore(LEAST_FILL_MS)
  const made = stampedAt(secrets, typed?.stamp ?? '')
  if (typed === undefined || made === null) return madeBefore(0)
  const credit = LEAST_FILL_MS - LEAST_READ_MS
  const isFast = trouble === 'page.home.again' && now().getTime() - made.getTime() < credit
  return isFast ? madeBefore(credit) : typed.stamp
}
