import { TZDate } from '@date-fns/tz'
import ical, {
  ICalEventClass,
  type ICalEventData,
  ICalEventRepeatingFreq,
  ICalEventStatus,
  ICalEventTransparency,
} from 'ical-generator'
import { plain, webAddress } from '../mail/digest-page.ts'
import { addDaysLocal, resolveLocal, toLocal, wallClockBetween } from '../time/calendar.ts'
import { vtimezone } from '../time/vtimezone.ts'
import type { Translator } from '../words/words.ts'
import type { Session } from './offers.ts'

/** A session with its changes, for calendars and feeds. `revisedAt` and `newsAt` in ms UTC. */
export type DatedSession = Session & { revision: number; revisedAt: number; newsAt: number }

/** The reader whose calendar it is. `publicUrl` has no slash at its end; `timeZone` is the reader's. */
type Owner = {
  practice: string
  publicUrl: string
  discreet: boolean
  timeZone: string
  translator: Translator
  now: Date
}

const REFRESH_SECONDS = 4 * 60 * 60

/**
 * One session as an iCalendar file (RFC 5545). A weekly one starts at its next date after `now`. Until that date is over, the
 * same session gives the same bytes in the same language. A discreet one shows only the time.
 */
export function sessionCalendar(
  session: DatedSession,
  publicUrl: string,
  translator: Translator,
  now: Date,
  { discreet } = { discreet: false },
): string {
  return calendarText([eventOf(session, { publicUrl, translator, now, discreet })], {})
}

/**
 * A calendar to subscribe to. Others who can see the calendar see no titles. A discreet calendar shows only the times.
 */
export function privateCalendar(sessions: readonly DatedSession[], owner: Owner): string {
  const { practice, discreet, translator } = owner
  const events = sessions.map((session) => eventOf(session, owner))
  const name = discreet
    ? translator.t('page.calendar.name.discreet')
    : translator.t('page.calendar.name', { practice: plain(practice) })
  const text = calendarText(events, { name: escaped(name), ttl: REFRESH_SECONDS })
  // RFC 5545 §3.6 requires at least one component. Without events, that is the zone.
  return events.length > 0
    ? text
    : text.replace('END:VCALENDAR', `${vtimezone(owner.timeZone, 2026)}\r\nEND:VCALENDAR`)
}

type Head = { name?: string; ttl?: number }

function calendarText(events: readonly ICalEventData[], head: Head): string {
  const years = events.map(({ start }) => (start as Date).getUTCFullYear())
  const timezone = { name: null, generator: (zone: string) => vtimezone(zone, Math.min(...years)) }
  const calendar = ical({ prodId: '//Openseat//Openseat//EN', timezone, events: [...events], ...head })
  return `${calendar.toString()}\r\n`
}

/** An offer, not an appointment: it is tentative, says that nothing is reserved, and does not mark anyone as busy. */
const eventOf = (
  session: DatedSession,
  { publicUrl, discreet, translator, now }: Pick<Owner, 'publicUrl' | 'discreet' | 'translator' | 'now'>,
): ICalEventData => ({
  ...identity(session, publicUrl, now),
  ...(discreet ? { summary: translator.t('page.calendar.discreet') } : description(session, translator)),
  transparency: ICalEventTransparency.TRANSPARENT,
})

/** When, how often, and which version of which session. A discreet calendar shows nothing else. */
function identity(session: DatedSession, publicUrl: string, now: Date) {
  const { timeZone, durationMinutes, repeats, status } = session
  const { at, count, since } = fromNow(session, now)
  return {
    id: `session-${session.id}@${new URL(publicUrl).hostname}`,
    sequence: session.revision,
    stamp: new Date(Math.max(session.revisedAt, since)),
    // TZDate, because the generator prints a plain Date in the time of the host.
    start: new TZDate(at, timeZone),
    end: new TZDate(at.getTime() + durationMinutes * 60_000, timeZone),
    timezone: timeZone,
    repeating:
      repeats === 'once'
        ? null
        : { freq: ICalEventRepeatingFreq.WEEKLY, ...(count === null ? {} : { count }) },
    status: status === 'cancelled' ? ICalEventStatus.CANCELLED : ICalEventStatus.TENTATIVE,
    class: ICalEventClass.PRIVATE,
  }
}

const WEEK_MS = 7 * 86_400_000

/**
 * Drops the past dates of a series; one that has ended keeps its last date. `at` is the first date left, and `since` is when
 * the date before it was over (ms UTC; 0 if no date is past).
 */
function fromNow(
  { startsAtLocal, timeZone, durationMinutes, repeats, occurrences }: DatedSession,
  now: Date,
) {
  const lasts = durationMinutes * 60_000
  const begun = wallClockBetween(startsAtLocal, toLocal(new Date(now.getTime() - lasts), timeZone))
  const most = repeats === 'once' ? 0 : (occurrences ?? Number.POSITIVE_INFINITY) - 1
  const over = Math.min(most, Math.max(0, Math.floor(begun / WEEK_MS) + 1))
  const dateAt = (week: number) => resolveLocal(addDaysLocal(startsAtLocal, 7 * week), timeZone).at
  const since = over === 0 ? 0 : dateAt(over - 1).getTime() + lasts
  return { at: dateAt(over), count: occurrences === null ? null : occurrences - over, since }
}

function description({ group, kind, therapist, place, bookingUrl }: DatedSession, { t }: Translator) {
  const url = webAddress(bookingUrl)
  const lines = [
    t('page.calendar.about', { kind, therapist: plain(therapist) }),
    t('page.calendar.unreserved.note'),
  ]
  if (url) lines.push(t('page.calendar.reserve', { url }))
  return {
    summary: t('page.calendar.unreserved', { group: plain(group) }),
    description: lines.join('\n'),
    location: place === null ? null : plain(place),
  }
}

/** The generator escapes the texts of events, but not the name of the calendar. */
const escaped = (text: string): string => text.replace(/[\\;,]/g, '\\$&')
