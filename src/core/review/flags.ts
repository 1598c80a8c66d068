import { millisecondsInDay, millisecondsInMinute, millisecondsInWeek } from 'date-fns/constants'
import { newsTo } from '../audience/news.ts'
import type { Offer, Session } from '../sessions/offers.ts'
import { addDaysLocal, resolveLocal, toLocal, weekdayOf } from '../time/calendar.ts'
import { lastOccurrence, nextOccurrence } from '../time/occurrences.ts'

/** One of Resend's settings that fails, and what to do about it. */
export type Failing = { name: string; detail: string; fix?: string }

/** A session that a flag is about; `date` is local, `2027-12-01`. */
export type Named = { id: number; group: string; date: string }

/** A named reason why the coming edition should wait for a person, with its numbers. Says nothing about any reader. */
export type Flag =
  | { name: 'no-news' }
  | { name: 'many-news'; news: number; usual: number }
  | { name: 'fewer-people' | 'more-people'; people: number; last: number; lastId: string }
  | { name: 'new-host'; hosts: string[] }
  | { name: 'dead-link'; links: { url: string; status: number }[] }
  | { name: 'past-date' | 'far-date'; sessions: Named[] }
  | { name: 'shifted'; moved: number; of: number; minutes: number }
  | { name: 'resend'; checks: Failing[] }

/** What flags are made from. `slot` is when the edition is due, or now if that is later. */
export type Facts = {
  now: Date
  slot: Date
  throughSeq: number
  /** What readers who missed nothing have seen: the last edition's `throughSeq`; 0 if there was none. */
  seenThrough: number
  offers: readonly Offer[]
  /** Open sessions that became news since the last edition, bookable or not, with when that was (ms UTC). */
  changed: readonly (Session & { newsAt: number })[]
  /** How many sessions were news in each of the last editions. */
  earlierNews: readonly number[]
  /** For how many people it is, and the last one was: recipients, and those whose monthly email is not due. */
  people: number
  last: { id: string; people: number } | null
  /** The hosts of booking links in earlier editions; empty if there was none. */
  mailedHosts: ReadonlySet<string>
  /** What each booking link answered. */
  answers: Readonly<Record<string, number | null>>
  failing: readonly Failing[]
}

/** Every reason why this edition is odd; none = it is clear. */
export function flagsOf(facts: Facts): Flag[] {
  return [
    newsFlag(facts),
    audienceFlag(facts),
    hostFlag(facts),
    linkFlag(facts),
    pastFlag(facts),
    farFlag(facts),
    shiftFlag(facts),
    facts.failing.length > 0 ? { name: 'resend' as const, checks: [...facts.failing] } : null,
  ].filter((flag) => flag !== null)
}

/** The offers that are news to a reader who was shown everything up to the last edition. */
export function newsOf({ offers, seenThrough, throughSeq }: NewsFacts): Offer[] {
  const seen = { general: seenThrough, byTopic: new Map<number, number>() }
  return offers.filter((offer) => newsTo(offer, null, seen, throughSeq) !== null)
}

type NewsFacts = Pick<Facts, 'offers' | 'seenThrough' | 'throughSeq'>

/** With fewer editions than this, nothing is usual yet. */
const ENOUGH_EDITIONS = 4
const MANY_TIMES = 3

function newsFlag(facts: Facts): Flag | null {
  const news = newsOf(facts).length
  if (news === 0) return { name: 'no-news' }
  if (facts.earlierNews.length < ENOUGH_EDITIONS) return null
  const usual = median(facts.earlierNews)
  // After quiet weeks even one would be too many.
  return news > MANY_TIMES * Math.max(1, usual) ? { name: 'many-news', news, usual } : null
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2
}

const [SMALLER, LARGER] = [0.8, 1.5]

function audienceFlag({ people, last }: Facts): Flag | null {
  if (last === null || last.people === 0) return null
  const numbers = { people, last: last.people, lastId: last.id }
  if (people <= SMALLER * last.people) return { name: 'fewer-people', ...numbers }
  return people >= LARGER * last.people ? { name: 'more-people', ...numbers } : null
}

/** The host and port of a booking link; the link itself if it cannot be read. */
export const hostOf = (url: string): string => URL.parse(url)?.host || url

function hostFlag({ offers, mailedHosts }: Facts): Flag | null {
  if (mailedHosts.size === 0) return null
  const hosts = new Set(offers.map(({ bookingUrl }) => hostOf(bookingUrl)))
  const unknown = [...hosts].filter((host) => !mailedHosts.has(host)).sort()
  return unknown.length > 0 ? { name: 'new-host', hosts: unknown } : null
}

function linkFlag({ offers, answers }: Facts): Flag | null {
  const urls = [...new Set(offers.map(({ bookingUrl }) => bookingUrl))].sort()
  const links = urls.flatMap((url) => {
    const status = answers[url] ?? null
    return status !== null && isGone(status) ? [{ url, status }] : []
  })
  return links.length > 0 ? { name: 'dead-link', links } : null
}

/** A page that is not there, or a server in trouble. Anything else may be meant: some refuse whoever is no browser. */
const isGone = (status: number): boolean => status === 404 || status === 410 || status >= 500

// A date that was future when it was written is past in time, and nothing is wrong with that.
function pastFlag({ changed, now }: Facts): Flag | null {
  const sessions = changed.filter((session) => {
    const end = lastOccurrence(session)
    return end !== null && end.getTime() <= Math.min(session.newsAt, now.getTime())
  })
  return sessions.length > 0 ? { name: 'past-date', sessions: sessions.map(named) } : null
}

const YEAR_MS = 366 * millisecondsInDay

function farFlag({ changed, slot }: Facts): Flag | null {
  const sessions = changed.filter((session) => {
    const next = nextOccurrence(session, slot)
    return next !== null && next.at.getTime() > slot.getTime() + YEAR_MS
  })
  return sessions.length > 0 ? { name: 'far-date', sessions: sessions.map(named) } : null
}

const named = ({ id, group, startsAtLocal }: Session): Named => ({
  id,
  group,
  date: startsAtLocal.slice(0, 10),
})

/** One session that moved is no pattern. */
const LEAST_MOVED = 2

function shiftFlag({ offers, seenThrough, slot }: Facts): Flag | null {
  const known = offers.flatMap((offer) => shiftOf(offer, seenThrough, slot) ?? [])
  const moved = known.filter((minutes) => minutes !== 0)
  const sizes = [...Map.groupBy(moved, (minutes) => minutes)].map(([minutes, all]) => ({ minutes, all }))
  const most = sizes.toSorted((a, b) => b.all.length - a.all.length)[0]
  if (!most || most.all.length < LEAST_MOVED || most.all.length * 2 <= known.length) return null
  return { name: 'shifted', moved: most.all.length, of: known.length, minutes: most.minutes }
}

/** By how many minutes a session moved since the last edition; null if that edition did not know it. */
function shiftOf({ seq, history }: Offer, seenThrough: number, slot: Date): number | null {
  if (!history) return seq <= seenThrough ? 0 : null
  const then = history.findLast((state) => state.seq <= seenThrough)?.times ?? ''
  const now = history.at(-1)?.times ?? ''
  const [before, after] = [instantOf(then, slot), instantOf(now, slot)]
  if (before === null || after === null) return null
  const by = after.at - before.at
  const isWeekly = before.weekly && after.weekly
  return Math.round((isWeekly ? withinWeek(by) : by) / millisecondsInMinute)
}

/** Reads the times of a session's history, `weekly 2 19:00 America/New_York` or `once 2026-12-01 19:00 America/New_York`. */
function instantOf(times: string, slot: Date): { at: number; weekly: boolean } | null {
  const [kind, day = '', time = '', zone = ''] = times.split(' ')
  if (kind !== 'weekly' && kind !== 'once') return null
  try {
    const date = kind === 'once' ? day : dateOn(Number(day), slot, zone)
    return { at: resolveLocal(`${date}T${time}`, zone).at.getTime(), weekly: kind === 'weekly' }
  } catch {
    return null // another program wrote it
  }
}

function dateOn(weekday: number, slot: Date, zone: string): string {
  const today = toLocal(slot, zone)
  return addDaysLocal(today, (weekday - weekdayOf(today) + 7) % 7).slice(0, 10)
}

/** Monday to Sunday is a day back, not six on. */
function withinWeek(ms: number): number {
  const rest = ((ms % millisecondsInWeek) + millisecondsInWeek) % millisecondsInWeek
  return rest > millisecondsInWeek / 2 ? rest - millisecondsInWeek : rest
}
