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

/** A session with what calendars and feeds must know of its changes; `revisedAt` and `newsAt` in ms UTC. */
export type DatedSession = Session & { revision: number; revisedAt: number; newsAt: number }

/** Whose calendar it is. `publicUrl` has no slash at its end; `timeZone` is the reader's. */
type Holder = {
  practice: string
  publicUrl: string
  discreet: boolean
  timeZone: string
  translator: Translator
  now: Date
}

const REFRESH_SECONDS = 4 * 60 * 60

/**
 * One session as an iCalendar file (RFC 5545), a series from its next date at `now` on. Until that date is over, the same
 * session makes the same bytes in one language.
 */
export function sessionCalendar(
  session: DatedSession,
  publicUrl: string,
  translator: Translator,
  now: Date,
): string {
  return calendarText([{ ...identity(session, publicUrl, now), ...description(session, translator) }], {})
}

/**
 * These sessions as a calendar to subscribe to. The times are offers, not appointments: they do not make the reader
 * busy, and others who see the calendar see no titles. A discreet one says nothing but when.
 */
export function privateCalendar(sessions: readonly DatedSession[], holder: Holder): string {
  const { practice, publicUrl, discreet, translator, now } = holder
  const events = sessions.map((session) => ({
    ...identity(session, publicUrl, now),
    ...(discreet ? { summary: translator.t('page.calendar.discreet') } : description(session, translator)),
    transparency: ICalEventTransparency.TRANSPARENT,
  }))
  const name = discreet
    ? translator.t('page.calendar.name.discreet')
    : translator.t('page.calendar.name', { practice: plain(practice) })
  const text = calendarText(events, { name: escaped(name), ttl: REFRESH_SECONDS })
  // RFC 5545 §3.6 wants one component at least; the zone is there for that.
  return events.length > 0
    ? text
    : text.replace('END:VCALENDAR', `${vtimezone(holder.timeZone, 2026)}\r\nEND:VCALENDAR`)
}

type Head = { name?: string; ttl?: number }

function calendarText(events: readonly ICalEventData[], head: Head): string {
  const years = events.map(({ start }) => (start as Date).getUTCFullYear())
  const timezone = { name: null, generator: (zone: string) => vtimezone(zone, Math.min(...years)) }
  const calendar = ical({ prodId: '//Openseat//Openseat//EN', timezone, events: [...events], ...head })
  return `${calendar.toString()}\r\n`
}

/** When, how often, and which version of which session: all that may be told of it in discreet mode. */
function identity(session: DatedSession, publicUrl: string, now: Date) {
  const { timeZone, durationMinutes, repeats, status } = session
  const { at, count, since } = fromNow(session, now)
  return {
    id: `session-${session.id}@${new URL(publicUrl).hostname}`,
    sequence: session.revision,
    stamp: new Date(Math.max(session.revisedAt, since)),
    // TZDate, as the generator would print the host's own time for a plain Date.
    start: new TZDate(at, timeZone),
    end: new TZDate(at.getTime() + durationMinutes * 60_000, timeZone),
    timezone: timeZone,
    repeating:
      repeats === 'once'
        ? null
        : { freq: ICalEventRepeatingFreq.WEEKLY, ...(count === null ? {} : { count }) },
    status: status === 'cancelled' ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
    class: ICalEventClass.PRIVATE,
  }
}

const WEEK_MS = 7 * 86_400_000

/**
 * A series without the dates that are over; one that has ended keeps its last. `since` is when the first of the dates that
 * are left became the first, in ms UTC; 0 while all are left.
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

function description({ group, kind, therapist, bookingUrl }: DatedSession, { t }: Translator) {
  const url = webAddress(bookingUrl)
  const lines = [t('page.calendar.about', { kind, therapist: plain(therapist) })]
  if (url) lines.push(t('page.calendar.reserve', { url }))
  return { summary: plain(group), description: lines.join('\n') }
}

/** The generator escapes what belongs to events, and not the calendar's name. */
const escaped = (text: string): string => text.replace(/[\\;,]/g, '\\$&')
