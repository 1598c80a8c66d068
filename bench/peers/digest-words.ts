import type { Offer } from '../../src/core/sessions/offers.ts'
import { formatOccurrence } from '../../src/core/time/occurrences.ts'

/** All variables of the peers' templates, with the English words of our digest. */
export type PeerDigest = PeerPage & { name: string; unsubscribeUrl: string; preferencesUrl: string }

export type PeerPage = {
  subject: string
  preheader: string
  heading: string
  practice: string
  place: string
  topics: { name: string; underline: string; sessions: PeerSession[] }[]
  replyTo: string
  postalAddress: string
  crisisNote: string
}

export type PeerSession = {
  id: number
  group: string
  label: string
  when: string
  whenForGroup: string | null
  kind: string
  therapist: string
  length: string
  seats: string | null
  reserveUrl: string
  reserveLabel: string
  calendarUrl: string
  calendarLabel: string
}

/** The sender, as in the settings of the bench. */
export type Sender = { practice: string; replyTo: string; postalAddress: string; publicUrl: string }

/** The digest for all readers in one time zone who get these sessions. */
export function peerPage(sender: Sender, offers: readonly Offer[], timeZone: string): PeerPage {
  const subject = `${offers.length} new group times this week`
  const topics = Map.groupBy(offers, ({ topic }) => topic)
  return {
    subject,
    heading: subject,
    preheader: `In your own time zone, each with a link to reserve a place.${'\u200c\u00a0'.repeat(120)}`,
    practice: sender.practice,
    place: (timeZone.split('/').at(-1) ?? timeZone).replaceAll('_', ' '),
    topics: [...topics]
      .map(([name, sessions]) => ({
        name,
        underline: '-'.repeat(name.length),
        sessions: sessions.map((offer) => peerSession(sender, offer, timeZone)),
      }))
      .sort((a, b) => a.name.localeCompare(b.name, 'en')),
    replyTo: sender.replyTo,
    postalAddress: sender.postalAddress,
    crisisNote: 'If you are in crisis, call or text 988 in the US, or the emergency number where you are.',
  }
}

function peerSession({ publicUrl }: Sender, offer: Offer, timeZone: string): PeerSession {
  const at = new Date(offer.startsAt)
  const { weekday, date, time, zoneName } = formatOccurrence(at, timeZone, 'en')
  const there = formatOccurrence(at, offer.timeZone, 'en')
  const { id, group, therapist, seatsLeft } = offer
  return {
    id,
    group,
    therapist,
    label: 'New',
    when: `${weekday}, ${date} · ${time} ${zoneName}, ${offer.repeats === 'once' ? 'once' : 'weekly'}`,
    whenForGroup: there.time === time ? null : `${there.time} ${there.zoneName} for the group`,
    kind: offer.kind === 'skills' ? 'Skills group' : 'Group',
    length: `${offer.durationMinutes} minutes`,
    seats: seatsLeft !== null && seatsLeft <= 3 ? `${seatsLeft} places left` : null,
    reserveUrl: offer.bookingUrl,
    reserveLabel: `Reserve a place in ${group}, ${weekday} ${date} ${time}`,
    calendarUrl: `${publicUrl}/sessions/${id}.ics`,
    calendarLabel: `Add to calendar: ${group}, ${weekday} ${date} ${time}`,
  }
}
