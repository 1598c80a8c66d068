import { TZDate } from '@date-fns/tz'
import ical, {
  ICalEventClass,
  type ICalEventData,
  ICalEventRepeatingFreq,
  ICalEventStatus,
  ICalEventTransparency,
} from 'ical-generator'
import { resolveLocal } from './calendar.ts'
import type { Session } from './content.ts'
import { plain, webAddress } from './digest-view.ts'
import { vtimezone } from './vtimezone.ts'
import type { Voice } from './words.ts'

/** A session with what calendars must know of its changes; `newsAt` in ms UTC. */
export type DatedSession = Session & { revision: number; newsAt: number }

/** Whose calendar it is. `publicUrl` has no slash at its end; `timeZone` is the reader's. */
type Holder = { practice: string; publicUrl: string; discreet: boolean; timeZone: string; voice: Voice }

const REFRESH_SECONDS = 4 * 60 * 60

/** One session as an iCalendar file (RFC 5545). The same session makes the same bytes in one language at any time. */
export function sessionCalendar(session: DatedSession, publicUrl: string, voice: Voice): string {
  return calendarText([{ ...identity(session, publicUrl), ...description(session, voice) }], {})
}

/**
 * These sessions as a calendar to subscribe to. The times are offers, not appointments: they do not make the reader
 * busy, and others who see the calendar see no titles. A discreet one says nothing but when.
 */
export function privateCalendar(sessions: readonly DatedSession[], holder: Holder): string {
  const { practice, publicUrl, discreet, voice } = holder
  const events = sessions.map((session) => ({
    ...identity(session, publicUrl),
    ...(discreet ? { summary: voice.say('page.calendar.discreet') } : description(session, voice)),
    transparency: ICalEventTransparency.TRANSPARENT,
  }))
  const name = discreet
    ? voice.say('page.calendar.name.discreet')
    : voice.say('page.calendar.name', { practice: plain(practice) })
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
function identity(session: DatedSession, publicUrl: string) {
  const { startsAtLocal, timeZone, durationMinutes, repeats, occurrences, status } = session
  const { at } = resolveLocal(startsAtLocal, timeZone)
  return {
    id: `session-${session.id}@${new URL(publicUrl).hostname}`,
    sequence: session.revision,
    stamp: new Date(session.newsAt),
    // TZDate, as the generator would print the host's own time for a plain Date.
    start: new TZDate(at, timeZone),
    end: new TZDate(at.getTime() + durationMinutes * 60_000, timeZone),
    timezone: timeZone,
    repeating:
      repeats === 'once'
        ? null
        : { freq: ICalEventRepeatingFreq.WEEKLY, ...(occurrences === null ? {} : { count: occurrences }) },
    status: status === 'cancelled' ? ICalEventStatus.CANCELLED : ICalEventStatus.CONFIRMED,
    class: ICalEventClass.PRIVATE,
  }
}

function description({ group, kind, therapist, bookingUrl }: DatedSession, { say }: Voice) {
  const url = webAddress(bookingUrl)
  const lines = [say('page.calendar.about', { kind, therapist: plain(therapist) })]
  if (url) lines.push(say('page.calendar.reserve', { url }))
  return { summary: plain(group), description: lines.join('\n') }
}

/** The generator escapes what belongs to events, and not the calendar's name. */
const escaped = (text: string): string => text.replace(/[\\;,]/g, '\\$&')
