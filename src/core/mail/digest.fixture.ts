import { UNSAID } from '../sessions/group.ts'
import type { Offer } from '../sessions/offers.ts'
import { type DigestTemplate, digestComposer, type Email } from './digest.ts'
import { type Letterhead, type Reader } from './letterhead.ts'

/** Sample data for tests of emails, and a sample email that must change only on purpose. */
export const harbor: Letterhead = {
  from: 'Harbor Groups <groups@mail.sample.test>',
  discreetName: null,
  replyTo: 'hello@sample.test',
  postalAddress: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
  publicUrl: 'https://groups.sample.test',
  practice: 'Harbor Groups',
  logoUrl: null,
  crisisLine: 'us',
  unsubscribeAddress: 'leave@in.sample.test',
  linkSecretId: 'sample',
}

export const steadyGround: Offer = {
  id: 1,
  seq: 11,
  addedSeq: 11,
  news: 'new',
  topicId: 2,
  topic: 'Depression',
  topicNames: { es: 'Depresión' },
  groupId: 1,
  ...UNSAID,
  group: 'Steady Ground',
  kind: 'therapy',
  therapist: 'Dr. Maya Lee',
  startsAt: '2026-12-02T00:00:00.000Z',
  lastStartsAt: null,
  durationMinutes: 75,
  timeZone: 'America/New_York',
  repeats: 'weekly',
  seatsLeft: 8,
  bookingUrl: 'https://book.sample.test/groups/1?from=mail&place=1',
}

export const quietMornings: Offer = {
  ...steadyGround,
  id: 2,
  topicId: 1,
  topic: 'Anxiety',
  topicNames: { es: 'Ansiedad' },
  group: 'Quiet Mornings',
  therapist: 'Tom Okafor, LCSW',
  startsAt: '2026-12-03T15:30:00.000Z',
  lastStartsAt: '2027-02-04T15:30:00.000Z',
  timeZone: 'America/Los_Angeles',
  seatsLeft: 2,
  bookingUrl: 'https://book.sample.test/groups/2',
}

export const strongFeelings: Offer = {
  ...steadyGround,
  id: 3,
  topicId: 1,
  topic: 'Anxiety',
  topicNames: { es: 'Ansiedad' },
  group: 'Skills for Strong Feelings',
  kind: 'skills',
  therapist: 'Noor Haddad',
  startsAt: '2026-12-01T22:00:00.000Z',
  lastStartsAt: '2026-12-01T22:00:00.000Z',
  repeats: 'once',
  seatsLeft: null,
  bookingUrl: 'https://book.sample.test/groups/3',
}

export const allOffers = [strongFeelings, steadyGround, quietMornings]

export const ada: Reader = {
  publicId: 'ada-public-id',
  email: 'ada@sample.test',
  name: 'Ada',
  timeZone: 'America/New_York',
  locale: 'en-US',
  discreet: false,
  shown: allOffers.map(({ id }) => ({ id, news: 'new' })),
  more: 0,
}

export const links = {
  unsubscribe: (publicId: string) => `${harbor.publicUrl}/unsubscribe/${publicId}.signature`,
  preferences: (publicId: string) => `${harbor.publicUrl}/preferences/${publicId}.signature`,
  unsubscribeAddress: (publicId: string): string | null => `leave+${publicId}@in.sample.test`,
}

export const edition = { id: '2026-11-30' }

export function mailTo(
  template: DigestTemplate,
  reader: Reader,
  offers: readonly Offer[] = allOffers,
): Email {
  return digestComposer(template, offers, edition, links)(reader, '1z-AbCdEfGhIj')
}
