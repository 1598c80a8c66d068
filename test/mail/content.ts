import type { Letterhead } from '../../src/core/mail/letterhead.ts'
import { UNSAID } from '../../src/core/sessions/group.ts'
import type { News, Offer } from '../../src/core/sessions/offers.ts'
import type { Language } from './mail.ts'

/** Invented practices, sessions, and people for the gates: least, usual, most, and hostile. */
export const PUBLIC_URL = 'https://groups.sample.test'

export const shortLetterhead: Letterhead = {
  from: 'Harbor Groups <groups@mail.sample.test>',
  discreetName: null,
  replyTo: null,
  postalAddress: '12 Quay Street, Portland, ME 04101',
  publicUrl: PUBLIC_URL,
  practice: 'Harbor Groups',
  logoUrl: null,
  crisisLine: 'off',
  unsubscribeAddress: null,
  linkSecretId: 'sample',
}

export const usualLetterhead: Letterhead = {
  ...shortLetterhead,
  replyTo: 'hello@sample.test',
  postalAddress: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
  phone: '(207) 555-0134',
  crisisLine: 'us',
  unsubscribeAddress: 'leave@in.sample.test',
}

/** As long as BRAND_NAME may be: 60 characters. */
const LONG_PRACTICE = 'The Harbor and Lighthouse Centre for Group Work, Portland ME'

export const longLetterhead: Letterhead = {
  ...usualLetterhead,
  from: `${LONG_PRACTICE} <groups@mail.sample.test>`,
  practice: LONG_PRACTICE,
  logoUrl: `${PUBLIC_URL}/logo.png`,
  postalAddress: `${LONG_PRACTICE}, Suite 1204, Old Customs House, 1200 Commercial Street, Portland, ME 04101-4613`,
}

const EN = {
  topics: ['Anxiety', 'Depression', 'Grief and loss', 'DBT skills', 'Anger management', 'Trauma and PTSD'],
  groups: [
    'Quiet Mornings',
    'Steady Ground',
    'Empty Chair',
    'Riding the Wave',
    'Slow Burn',
    'After the Storm',
  ],
}
const ES = {
  topics: [
    'Ansiedad',
    'Depresión',
    'Duelo y pérdida',
    'Habilidades de DBT',
    'Manejo de la ira',
    'Trauma y TEPT',
  ],
  groups: [
    'Mañanas tranquilas',
    'Tierra firme',
    'La silla vacía',
    'Surfear la ola',
    'Fuego lento',
    'Tras la tormenta',
  ],
}
const THERAPISTS = [
  'Dr. Maya Lee',
  'Tom Okafor, LCSW',
  'Noor Haddad',
  'Dr. Íñigo Peña',
  'Ana-Sofía Ruiz',
  'Jo Park',
]
const NEWS: News[] = ['new', 'new', 'reopened', 'new', 'moved']
const HOUR_MS = 3_600_000

/** `count` sessions of all sorts, spread over the topics of a practice. */
export function usualOffers(count: number, language: Language): Offer[] {
  const { topics, groups } = language === 'es' ? ES : EN
  return Array.from({ length: count }, (_, n) => {
    const topic = n % topics.length
    // Some start after the next clock change.
    const from = Date.parse(n % 8 === 6 ? '2027-03-16T17:30:00Z' : '2026-12-01T17:30:00Z')
    const startsAt = new Date(from + n * 11 * HOUR_MS).toISOString()
    return {
      id: n + 1,
      seq: n + 1,
      addedSeq: n + 1,
      news: newsOf(n),
      topicId: topic + 1,
      topic: topics[topic] ?? '',
      topicNames: {},
      groupId: topic + 1,
      ...UNSAID,
      group: groups[topic] ?? '',
      kind: n % 3 === 1 ? 'skills' : 'therapy',
      therapist: THERAPISTS[(n * 5) % THERAPISTS.length] ?? '',
      startsAt,
      lastStartsAt: n % 4 === 0 ? null : n % 4 === 1 ? startsAt : '2027-04-20T17:30:00.000Z',
      durationMinutes: 75 + (n % 2) * 15,
      timeZone: n % 2 === 0 ? 'America/New_York' : 'America/Los_Angeles',
      repeats: n % 4 === 1 ? 'once' : 'weekly',
      seatsLeft: [8, 2, null, 1, 5][n % 5] ?? null,
      bookingUrl: `https://book.sample.test/groups/${n + 1}?from=mail&place=1`,
    }
  })
}

export const newsOf = (index: number): News => NEWS[index % NEWS.length] ?? 'new'

/** As many sessions as settings allow, each with every optional line, and with long but realistic names. */
export const mostOffers = (language: Language): Offer[] =>
  usualOffers(40, language).map((offer, n) => ({
    ...offer,
    startsAt: new Date(Date.parse('2027-04-06T00:30:00Z') + n * 11 * HOUR_MS).toISOString(),
    news: 'reopened',
    topicId: n % 11,
    topic: `${offer.topic} ${(n % 11) + 1}`,
    group: `${offer.group} for adults over ${20 + n}, evenings`,
    kind: 'skills',
    therapist: `Dr. Maya Lee-Okafor, LCSW, and ${offer.therapist}`,
    lastStartsAt: '2027-09-29T17:30:00.000Z',
    repeats: 'weekly',
    seatsLeft: 2,
    timeZone: 'America/Los_Angeles',
    bookingUrl: `https://book.sample.test/en/practice/harbor/groups/skills-for-strong-feelings/${n}?from=mail`,
  }))

/** The same with names that only plain SQL can write: an import allows 120 characters. */
export const longestOffers = (language: Language): Offer[] =>
  mostOffers(language).map((offer) => ({
    ...offer,
    group: filled(offer.group, 300),
    therapist: filled(offer.therapist, 300),
    bookingUrl: `${offer.bookingUrl}&to=${'x'.repeat(120)}`,
  }))

const filled = (text: string, length: number): string =>
  `${text} `.repeat(Math.ceil(length / (text.length + 1))).slice(0, length - 1) + 'e'

/** Hostile names. Each must appear exactly as written here. */
export const HOSTILE: Record<string, string> = {
  html: `</p></td><img src=x onerror="alert(1)"><script>alert('1')</script><b>&amp; &lt;i&gt;`,
  handlebars: '{{unsubscribeUrl}} {{{practice}}} {{#each topics}} \\{{x}} {{/each}} {{> page}}',
  mjml: '</mj-text><mj-image src="https://evil.test/x.png" /><mj-raw><mj-include path="/etc/hostname" />',
  emoji: '👩🏽‍⚕️ Ada 🏳️‍🌈 e\u0301\u0327 👨‍👩‍👧‍👦 \u{1f1f2}\u{1f1fd} Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚a',
  rtl: 'د. ליאור حسين (مساءً) 3 עדה',
  long: filled('Pneumonoultramicroscopic and other long words', 300),
  unbroken: 'Adä'.repeat(100),
}

/** Hostile booking URLs; the second is not a web address. */
export const HOSTILE_URLS: Record<string, string> = {
  html: `https://book.sample.test/x?a="><script>alert('1')</script>&b=1`,
  mjml: 'javascript:alert(1)',
}

/** What a subscriber gets in a usual week of a large practice, with one sentence about each group. */
export const weekOfOffers = (language: Language): Offer[] =>
  WEEK.map(([topicId, days, time, minutes, group, therapist, seatsLeft], n) => {
    const startsAt = new Date(Date.parse(`2026-12-04T${time}:00-05:00`) + days * 24 * HOUR_MS).toISOString()
    const [offer] = usualOffers(1, language)
    if (!offer) throw new Error('there are no usual offers')
    return {
      ...offer,
      id: n + 1,
      groupId: n + 1,
      topicId,
      topic: TOPICS_OF_WEEK[topicId] ?? '',
      topicNames: { es: TEMAS_OF_WEEK[topicId] ?? '' },
      group,
      therapist,
      startsAt,
      lastStartsAt: minutes === 90 && seatsLeft === 2 ? '2027-01-30T00:00:00.000Z' : null,
      repeats: time === '15:00' ? ('once' as const) : ('weekly' as const),
      timeZone: 'America/New_York',
      durationMinutes: minutes,
      seatsLeft,
      summary: SUMMARIES[n % SUMMARIES.length] ?? null,
      place: language === 'es' ? 'En línea' : 'Online',
      price: language === 'es' ? '$45 por sesión' : '$45 a session',
      news: n === 4 ? ('reopened' as const) : n === 8 ? ('moved' as const) : ('new' as const),
      bookingUrl: `https://book.sample.test/groups/${n + 1}`,
    }
  })

const TOPICS_OF_WEEK = [
  'Relationship issues',
  'DBT skills',
  'Anger management',
  'Grief and loss',
  'Depression',
  'OCD',
  'Anxiety',
]
const TEMAS_OF_WEEK = [
  ...['Pareja y relaciones', 'Habilidades de DBT (terapia dialéctico-conductual)', 'Manejo del enojo'],
  ...['Duelo y pérdidas', 'Depresión', 'TOC (trastorno obsesivo-compulsivo)', 'Ansiedad'],
]

const WEEK: [number, number, string, number, string, string, number | null][] = [
  [0, 0, '11:00', 90, 'Learning to Say No', 'Joel Whitfield, LMFT', 2],
  [1, 1, '09:00', 90, 'Getting Through a Crisis', 'Noor Haddad, LCSW', null],
  [2, 1, '13:00', 90, 'Room to Breathe', 'Priya Raman, LMFT', 8],
  [3, 1, '15:00', 75, 'First Holidays Without', 'Dana Reyes, LCSW', 6],
  [4, 3, '18:00', 75, 'Small Steps', 'Dr. Ingrid Solheim', 2],
  [5, 3, '21:00', 75, 'Leaning into Doubt', 'Dr. Kenji Watanabe', null],
  [6, 4, '19:00', 75, 'Steady Ground', 'Dr. Mira Lee', 3],
  [4, 4, '20:00', 75, 'Safe Enough', 'Dr. Amara Nwosu', 2],
  [3, 4, '21:00', 75, 'Widowed Young', 'Dana Reyes, LCSW', 1],
  [1, 5, '19:00', 90, 'Skills for Strong Feelings', 'Noor Haddad, LCSW', null],
  [0, 5, '20:30', 75, 'Both Things Are True', 'Dr. Lucía Herrera', 2],
  [6, 6, '14:00', 75, 'Out of the Loop', 'Hannah Brandt, PsyD', 7],
  [4, 6, '21:30', 75, 'Low Tide', 'Marcus Bell, LPC', null],
]

const SUMMARIES = [
  'A small group for people who want to set limits without guilt.',
  'Eight people learn what to do in the first minutes of a hard moment.',
  'For adults who lose their temper and want to notice it sooner.',
]
