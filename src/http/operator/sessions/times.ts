import type { App } from '../../../app.ts'
import { clockChangeBetween, resolveLocal, sameWallClock, toLocal } from '../../../core/time/calendar.ts'
import type { SessionTimes } from '../../../core/time/occurrences.ts'
import { formatOccurrence, nextOccurrence } from '../../../core/time/occurrences.ts'
import { zoneTitle } from '../../../core/time/zone-titles.ts'
import type { Translator } from '../../../core/words/words.ts'
import { translatorFor } from '../../../core/words/words.ts'
import type { OperatorKey } from '../../../templates/operator.ts'

/** A start in words: `Tue, Dec 1`, `7:00 PM EST`, and by the practice's clock where that shows another time. */
export type StartView = { day: string; time: string; practice: string | null; iso: string }

type Words = Pick<Translator<OperatorKey>, 't' | 'locale'>

/** One start of a session in `timeZone`. Its year is there if it is not near `now`. */
export function startView(words: Words, at: Date, timeZone: string, home: string, now: Date): StartView {
  const { day, time, zoneName, iso } = formatOccurrence(at, timeZone, words.locale, now)
  const own = formatOccurrence(at, home, words.locale, now)
  const isHome = sameWallClock(at, timeZone, home)
  const ownDay = own.day === day ? '' : `${own.day}, `
  return {
    ...{ day, iso, time: `${time} ${zoneName}` },
    practice: isHome
      ? null
      : words.t('sessions.practice-time', { time: `${ownDay}${own.time} ${own.zoneName}` }),
  }
}

/** An edition by its day: `Mon, Nov 23`. Null stays null. */
export function editionView(words: Words, id: string | null, now: Date): { id: string; day: string } | null {
  if (id === null) return null
  const noon = new Date(`${id}T12:00:00Z`)
  const isDay = !Number.isNaN(noon.getTime())
  return { id, day: isDay ? formatOccurrence(noon, 'UTC', words.locale, now).day : id }
}

const SHOWN = 4

/** The next dates of a session, and what the clocks do about them. */
export type DatesAhead = { dates: StartView[]; notes: string[] }

/** The next four dates after `now`, each written out, and a note where the clocks change between them or on one. */
export function datesAhead(
  app: Pick<App, 'config' | 'templates'>,
  words: Words,
  session: SessionTimes,
  now: Date,
): DatesAhead {
  const home = app.config.DIGEST_TIME_ZONE
  const next: Date[] = []
  for (let after = now; next.length < SHOWN; ) {
    const occurrence = nextOccurrence(session, after)
    if (occurrence === null) break
    next.push(occurrence.at)
    after = occurrence.at
  }
  const own = changeNote(app, words, session.timeZone, next, now)
  const practice = changeNote(app, words, home, next, now)
  // Where both change on the same day, nothing moves between them.
  const changes = practice?.day === own?.day ? [own] : [own, practice]
  const notes = [
    ...next.flatMap((at) => oddHour(words, session, at, now)),
    ...changes.flatMap((change) => change?.text ?? []),
  ]
  return { dates: next.map((at) => startView(words, at, session.timeZone, home, now)), notes }
}

function changeNote(
  app: Pick<App, 'config' | 'templates'>,
  words: Words,
  zone: string,
  dates: readonly Date[],
  now: Date,
): { day: string; text: string } | null {
  const [first, last] = [dates[0], dates.at(-1)]
  const change = first && last ? clockChangeBetween(zone, first, last) : null
  if (change === null) return null
  const clock = zoneTitle(zone, translatorFor(app.templates.words, app.config.LOCALE))
  const { day } = formatOccurrence(change, zone, words.locale, now)
  return { day, text: words.t('sessions.dates.change', { clock, day }) }
}

/** A start that the clocks skip or show twice. */
function oddHour(words: Words, { timeZone, startsAtLocal }: SessionTimes, at: Date, now: Date): string[] {
  const meant = `${toLocal(at, timeZone).slice(0, 10)}${startsAtLocal.slice(10, 16)}`
  const { kind } = resolveLocal(meant, timeZone)
  if (kind === 'exact') return []
  const { day, time } = formatOccurrence(at, timeZone, words.locale, now)
  return [words.t(kind === 'skipped' ? 'sessions.dates.skipped' : 'sessions.dates.repeated', { day, time })]
}

/** A local start as people type it, and as `typedStart` reads it: `12/1/2026 7:00 PM`. What is no start stays as it is. */
export function typedLocal(local: string): string {
  const [, year, month, day, hour, minute] = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(local) ?? []
  if (hour === undefined) return local
  const half = Number(hour) < 12 ? 'AM' : 'PM'
  return `${Number(month)}/${Number(day)}/${year} ${Number(hour) % 12 || 12}:${minute} ${half}`
}
