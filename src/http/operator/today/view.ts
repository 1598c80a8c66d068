import type { Coming } from '../../../actions/editions/coming.ts'
import type { App } from '../../../app.ts'
import type { Offer } from '../../../core/sessions/offers.ts'
import { formatOccurrence } from '../../../core/time/occurrences.ts'
import type { Translator } from '../../../core/words/words.ts'
import type { OperatorKey } from '../../../templates/operator.ts'
import { excludedIn, reasonsOf, sumOf } from '../editions/sum.ts'
import { dayOf, whenIn } from '../when.ts'

type Words = Translator<OperatorKey>

const MOST_SHOWN = 30
const [HOUR_MS, DAY_MS] = [3_600_000, 24 * 3_600_000]

/** The coming edition in words, in the practice's time zone. `offers`: what is new in it, soonest first. */
export function comingView(
  { slotRule }: App['config'],
  coming: Coming,
  offers: readonly Offer[],
  words: Words,
  now: Date,
) {
  const { timeZone } = slotRule
  const { id, at, counts, asOf, last, state, waits } = coming
  const { time, zoneName } = formatOccurrence(at, timeZone, words.locale)
  const weekday = new Intl.DateTimeFormat(words.locale, { weekday: 'long', timeZone }).format(at)
  const when = words.t('today.when', { weekday, time, zone: zoneName })
  const facts = counts && { recipients: counts.recipients, candidates: counts.candidates, news: counts.news }
  return {
    id,
    lead: words.t('today.lead', { when, away: awayIn(at, now, words) }),
    reach: facts
      ? words.t(facts.candidates === 0 ? 'today.reach.nobody' : 'today.reach', facts)
      : words.t('today.reach.uncounted'),
    recipients: counts?.recipients ?? 0,
    isCounted: counts !== null,
    asOf:
      asOf && asOf.getTime() < now.getTime() - HOUR_MS
        ? words.t('today.as-of', { when: whenIn(asOf, timeZone, words) })
        : null,
    outlook: words.t(`today.state.${state}`),
    next: waits
      ? words.t('today.waits', { until: whenIn(coming.waitsUntil, timeZone, words) })
      : words.t('today.goes'),
    skipped:
      counts && excludedIn(counts) > 0 ? { n: excludedIn(counts), reasons: reasonsOf(counts, words) } : null,
    offers: offers
      .slice(0, MOST_SHOWN)
      .map(({ id: session, group, topic, therapist, startsAt, timeZone: own, seatsLeft, news }) => ({
        url: `/sessions/${session}`,
        group,
        topic,
        therapist,
        when: whenIn(startsAt, own, words),
        zone: formatOccurrence(new Date(startsAt), own, words.locale).zoneName,
        seats: seatsLeft === null ? null : words.t('today.seats', { n: seatsLeft }),
        label: news === 'new' ? null : words.t(`today.news.${news}`),
      })),
    more: Math.max(0, offers.length - MOST_SHOWN),
    last: last && { url: `/editions/${last.id}`, day: dayOf(last.id, words), ...sumOf(last.tally, words) },
  }
}

function awayIn(at: Date, now: Date, words: Words): string {
  const ms = at.getTime() - now.getTime()
  if (ms <= 0) return words.t('today.due')
  if (ms < HOUR_MS) return words.t('today.in.minutes', { n: Math.max(1, Math.round(ms / 60_000)) })
  if (ms < 2 * DAY_MS) return words.t('today.in.hours', { n: Math.round(ms / HOUR_MS) })
  return words.t('today.in.days', { n: Math.round(ms / DAY_MS) })
}
