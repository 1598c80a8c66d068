import type { FastifyReply } from 'fastify'
import { openTimes } from '../actions/open-times.ts'
import type { App } from '../app.ts'
import { consentWording } from '../core/consent-wording.ts'
import { plain } from '../core/digest-view.ts'
import type { Mistake } from '../core/fields.ts'
import { formatOccurrence, zoneTitle } from '../core/occurrences.ts'
import type { Voice, WordKey } from '../core/words.ts'
import { canonicalZone } from '../core/zone-names.ts'
import { allTopics } from '../db/sessions.ts'
import { isStamp, LEAST_FILL_MS, stampFor, type Typed } from './join-form.ts'
import { sayMistakes } from './mistakes.ts'
import { zoneGroups } from './zone-choice.ts'

type Needs = Pick<App, 'config' | 'db' | 'now'>

/** What the reader had filled in, what is wrong with it, and what else kept us from taking it. */
export type Filled = { typed?: Typed; mistakes?: readonly Mistake[]; trouble?: WordKey }

/** So many topics are shown a time of. */
const TASTE = 4

/** The first page: what the mail is, a taste of what is open now, and the form as far as it was filled in. */
export async function showForm(app: Needs, reply: FastifyReply, { typed, mistakes = [], trouble }: Filled) {
  const { config, db } = app
  const chosen = new Set(typed?.topics)
  const wrong = trouble !== undefined || mistakes.length > 0
  const { say } = reply.voice
  // Its script only guesses the time zone.
  const policy = `${String(reply.getHeader('content-security-policy'))};script-src 'self'`
  return reply.header('content-security-policy', policy).view('home', {
    title: say(wrong ? 'page.home.title.wrong' : 'page.home.title'),
    ...(await taste(app, reply.voice)),
    consent: consentWording(config.practice, reply.voice),
    wrong,
    trouble: trouble ? say(trouble) : null,
    problems: sayMistakes(['email', 'name', 'tz', 'topics'], mistakes, reply.voice),
    email: typed?.email ?? '',
    name: typed?.name ?? '',
    zones: zoneGroups(canonicalZone(typed?.tz ?? '') ?? config.DIGEST_TIME_ZONE, reply.voice),
    kept: typed !== undefined,
    topics: (await allTopics(db)).map(({ slug, name }) => ({ slug, name, chosen: chosen.has(slug) })),
    someTopics: chosen.size > 0,
    discreet: typed?.discreet ?? false,
    discreetSubject: say('digest.subject.discreet'),
    stamp: typed && isStamp(config.LINK_SECRET, typed.stamp) ? typed.stamp : newStamp(app, trouble),
  })
}

/** The next time of each of a few topics, those that meet soonest. */
async function taste({ config, db, now }: Needs, { locale }: Voice) {
  const timeZone = config.DIGEST_TIME_ZONE
  const { offers } = await openTimes({ db, now })
  const soonest = [...Map.groupBy(offers, ({ topicId }) => topicId).values()].flatMap(
    ([first]) => first ?? [],
  )
  return {
    zone: zoneTitle(timeZone, now(), locale),
    taste: soonest.slice(0, TASTE).map(({ startsAt, group, topic }) => {
      const { day, time } = formatOccurrence(new Date(startsAt), timeZone, locale, now())
      return { when: `${day} · ${time}`, group: plain(group), topic: plain(topic) }
    }),
  }
}

/** Whoever left the page open may press the button at once; what was not from our page waits like any other. */
function newStamp({ config, now }: Needs, trouble: WordKey | undefined): string {
  const credit = trouble === 'page.home.stale' ? LEAST_FILL_MS : 0
  return stampFor(config.LINK_SECRET, new Date(now().getTime() - credit))
}
