import type { ImportResult } from '../actions/imports/records.ts'
import { importSessions } from '../actions/imports/sessions.ts'
import { importSubscribers } from '../actions/imports/subscribers.ts'
import type { Installation } from '../app.ts'
import { addDaysLocal, slotAtOrBefore, toLocal, weekdayOf } from '../core/time/calendar.ts'
import { hashEmail } from '../core/tokens.ts'
import { eq } from '../db/drizzle.ts'
import { subscribers, suppressions } from '../db/schema/people.ts'
import { sessions } from '../db/schema/sessions.ts'
import { openSessions } from '../db/sessions/sessions.ts'

/** What is special about an invented reader. Those who `joined` this week have not been shown anything yet. */
export type SampleKind = 'regular' | 'joined' | 'unsubscribed' | 'pending' | 'paused' | 'monthly' | 'bounced'

export type SampleReader = {
  email: string
  name: string
  timeZone: string
  topics: string[]
  kind: SampleKind
  discreet: boolean
  locale: string
}

/**
 * Fills an empty database with an invented practice as of `now()`: last week's sessions, which its readers have seen, then
 * this week's changes. The same clock gives the same data, except for the random public ids. `bookings` is where the
 * practice takes reservations.
 */
export async function addSampleData(installation: Installation, bookings: string): Promise<void> {
  const now = installation.now()
  const { lastWeek, thisWeek } = sampleSessions(now)
  taken(await importSessions(installation, asFile(lastWeek), { skipInvalid: false }))
  const { throughSeq } = await openSessions(installation.store, now)

  const readers = sampleReaders()
  const rows = readers.map(({ email, name, timeZone, topics, locale }) => ({
    email,
    name,
    time_zone: timeZone,
    topics,
    locale,
  }))
  const consent = 'Ticked "email me new group times" when they asked about a group'
  taken(await importSubscribers(installation, asFile(rows), { consent, skipInvalid: false }))
  await setKinds(installation, readers, throughSeq)

  taken(await importSessions(installation, asFile(thisWeek), { skipInvalid: false }))
  await bookAt(installation, bookings)
}

/** Moves the booking pages to this machine. An import takes only https, which a page here has no certificate for. */
async function bookAt({ store }: Installation, bookings: string): Promise<void> {
  await store.write(async (tx) => {
    for (const { id, url } of await tx
      .select({ id: sessions.id, url: sessions.bookingUrl })
      .from(sessions)
      .all())
      await tx
        .update(sessions)
        .set({ bookingUrl: url.replace(BOOKINGS, bookings) })
        .where(eq(sessions.id, id))
        .run()
  })
}

/**
 * The practice's sessions as two exports of its booking system, a week apart, in the columns of `sessions import`. In the
 * second one, some are new, one has moved, one has open spots again, and one is full.
 */
export function sampleSessions(now: Date): { lastWeek: object[]; thisWeek: object[] } {
  const lines = PROGRAMME.trim().split('\n')
  const programme = lines.map((line, index) => sessionRow(line, index, now))
  const lastWeek = programme.flatMap(({ row, since }) => {
    switch (since) {
      case 'new':
        return []
      case 'moved':
        return [{ ...row, starts_at: addDaysLocal(row.starts_at, 1) }]
      case 'reopened':
        return [{ ...row, seats_left: 0 }]
      case 'filled':
        return [{ ...row, seats_left: 1 }]
      default:
        return [row]
    }
  })
  return { lastWeek, thisWeek: programme.map(({ row }) => row) }
}

/** The groups by the last part of the link to reserve. */
export const sampleGroups = (): Map<string, string> =>
  new Map(
    PROGRAMME.trim()
      .split('\n')
      .map((line) => line.split('|')[1]?.trim() ?? '')
      .map((group) => [slugOf(group), group]),
  )

const slugOf = (group: string): string => group.toLowerCase().replaceAll(' ', '-')

/** 250 people in ten time zones. Some of them get no email this week. */
export function sampleReaders(): SampleReader[] {
  return Array.from({ length: 250 }, (_, n) => {
    // Goes through the first names five times, each time with other last names.
    const first = pick(FIRST_NAMES, n)
    const last = pick(LAST_NAMES, n * 7 + Math.floor(n / FIRST_NAMES.length) * 11)
    return {
      email: `${first}.${last}@sample.test`.toLowerCase(),
      name: first, // emails greet them by it
      timeZone: pick(ZONES, n),
      topics: pick(CHOICES, n)
        .split(';')
        .filter((topic) => topic !== 'all'),
      kind: kindOf(n),
      discreet: n % 10 === 4,
      locale: SPANISH.has(first) ? 'es' : 'en',
    }
  })
}

function kindOf(n: number): SampleKind {
  if (n % 25 === 7) return 'unsubscribed'
  if (n % 50 === 13) return 'pending'
  if (n % 40 === 21) return 'paused'
  if (n % 50 === 31) return 'monthly'
  if (n % 125 === 62) return 'bounced'
  return n >= 220 ? 'joined' : 'regular'
}

/** Sets what an import cannot. */
async function setKinds(
  { store, hashKey, config, now }: Installation,
  readers: readonly SampleReader[],
  seenThrough: number,
): Promise<void> {
  const at = now().getTime()
  const thisSlot = slotAtOrBefore(config.slotRule, now())
  const lastSlot = slotAtOrBefore(config.slotRule, new Date(thisSlot.at.getTime() - 1))
  const changes: Record<SampleKind, Partial<typeof subscribers.$inferInsert>> = {
    regular: {},
    joined: { seenThrough: 0 },
    unsubscribed: { status: 'unsubscribed', unsubscribedAt: at - 9 * DAY_MS },
    pending: { status: 'pending', consentedAt: null, seenThrough: 0 },
    paused: { pausedUntil: at + 21 * DAY_MS },
    monthly: { cadence: 'monthly', lastEditionId: lastSlot.editionId },
    bounced: {},
  }
  await store.write(async (tx) => {
    for (const { email, kind, discreet } of readers) {
      const emailHash = hashEmail(hashKey, email)
      const values = { seenThrough, discreet, ...changes[kind] }
      await tx.update(subscribers).set(values).where(eq(subscribers.emailHash, emailHash)).run()
      if (kind === 'bounced')
        await tx
          .insert(suppressions)
          .values({ emailHash, reason: 'bounce', createdAt: at - 2 * DAY_MS })
          .run()
    }
  })
}

function sessionRow(line: string, index: number, now: Date) {
  const [topic, group = '', therapist, at = '', place = '', seats = '', manner = '', since = ''] = line
    .split('|')
    .map((cell) => cell.trim())
  const zone = place === 'Honolulu' ? 'Pacific/Honolulu' : `America/${place}`
  const [left, total] = seats.split(' of ').map(Number)
  const row = {
    external_id: `harbor-${index + 1}`,
    topic,
    group,
    therapist,
    starts_at: nextAt(at, zone, now),
    time_zone: zone,
    kind: manner.startsWith('skills') ? 'skills' : 'therapy',
    duration_minutes: manner.startsWith('skills') ? 90 : 75,
    repeats: manner.endsWith('once') ? 'once' : 'weekly',
    occurrences: /(\d+) weeks/.exec(manner)?.[1] ?? null,
    seats_left: left,
    seats_total: total,
    booking_url: `${BOOKINGS}/book/${slugOf(group)}`,
  }
  return { row, since }
}

/** The first `tue 19:00` at least two days from now, in local time of `zone`. */
function nextAt(at: string, zone: string, now: Date): string {
  const [day = '', time = ''] = at.split(' ')
  const earliest = addDaysLocal(`${toLocal(now, zone).slice(0, 10)}T${time}`, 2)
  const days = (WEEKDAYS.indexOf(day) - weekdayOf(earliest) + 7) % 7
  return addDaysLocal(earliest, days)
}

async function* asFile(rows: readonly object[]): AsyncGenerator<string> {
  yield JSON.stringify(rows)
}

function taken({ kind, report }: ImportResult): void {
  const [first] = report.rejected
  if (kind === 'refused' || first)
    throw new Error(`the sample data has a fault: ${first?.field} ${first?.message}`)
}

function pick<Item>(items: readonly Item[], n: number): Item {
  const item = items[n % items.length]
  if (item === undefined) throw new Error('there is nothing to pick from')
  return item
}

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}

const BOOKINGS = 'https://book.harbor.test'
const DAY_MS = 86_400_000
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** Topic, group, therapist, first meeting, zone, seats left, options, and what changed since last week. */
const PROGRAMME = `
anger-management       | Cooling Down               | Dr. Samuel Adeyemi      | wed 18:30 | Chicago     | 3 of 8   | 10 weeks        |
anger-management       | Room to Breathe            | Priya Raman, LMFT       | sat 10:00 | Los_Angeles | 6 of 10  | skills          | new
anxiety                | Quiet Mornings             | Tom Okafor, LCSW        | tue 07:30 | New_York    | 2 of 8   |                 |
anxiety                | Steady Ground              | Dr. Mira Lee            | tue 19:00 | New_York    | 3 of 8   |                 | new
anxiety                | Out of the Loop            | Hannah Brandt, PsyD     | thu 12:00 | Denver      | 5 of 9   |                 | new
borderline-personality | Holding Steady             | Dr. Lucía Herrera       | mon 17:30 | Los_Angeles | 0 of 7   |                 |
borderline-personality | Both Things Are True       | Dr. Lucía Herrera       | wed 17:30 | Los_Angeles | 2 of 7   |                 | new
chronic-illness        | Good Enough Days           | Ruth Feldman, PhD       | fri 11:00 | New_York    | 4 of 8   |                 |
chronic-illness        | Pacing Together            | Grace Kim, LCSW         | mon 13:00 | Chicago     | 1 of 6   | skills 8 weeks  |
depression             | Small Steps                | Dr. Ingrid Solheim      | mon 18:00 | New_York    | 2 of 8   |                 | reopened
depression             | Low Tide                   | Marcus Bell, LPC        | thu 19:30 | Denver      | 7 of 8   |                 | new
depression             | Sunday Evenings            | Dr. Ingrid Solheim      | sun 18:00 | New_York    | 0 of 8   |                 | filled
dbt-skills             | Skills for Strong Feelings | Noor Haddad, LCSW       | wed 19:00 | New_York    | 4 of 12  | skills 12 weeks | new
dbt-skills             | Getting Through a Crisis   | Noor Haddad, LCSW       | sat 09:00 | New_York    | 9 of 20  | skills once     | new
dbt-skills             | Saying It Clearly          | Joel Whitfield, LMFT    | tue 17:00 | Phoenix     | 0 of 12  | skills 6 weeks  |
grief-and-loss         | Carrying On                | Rev. Anna Kowalski, LPC | thu 18:00 | New_York    | 3 of 8   |                 |
grief-and-loss         | Widowed Young              | Dana Reyes, LCSW        | tue 20:00 | Chicago     | 1 of 6   |                 | moved
grief-and-loss         | First Holidays Without     | Dana Reyes, LCSW        | sat 14:00 | Chicago     | 10 of 16 | once            | new
ocd                    | Leaning into Doubt         | Dr. Kenji Watanabe      | mon 16:00 | Honolulu    | 4 of 6   |                 | new
ocd                    | Exposure Partners          | Dr. Kenji Watanabe      | thu 16:00 | Honolulu    | 0 of 6   | 14 weeks        |
relationship-issues    | Between Us                 | Claire Moreau, LMFT     | wed 20:00 | New_York    | 5 of 8   |                 |
relationship-issues    | Learning to Say No         | Joel Whitfield, LMFT    | fri 09:00 | Phoenix     | 2 of 10  | skills 6 weeks  | new
trauma-and-ptsd        | Safe Enough                | Dr. Amara Nwosu         | tue 18:00 | Denver      | 2 of 6   |                 | new
trauma-and-ptsd        | Night Watch                | Luis Ortega, LCSW       | sun 19:00 | Los_Angeles | 3 of 8   |                 |
`

const ZONES = words(`
  America/New_York America/Chicago America/Los_Angeles America/New_York America/Denver America/Phoenix
  America/New_York America/Chicago America/Toronto America/Los_Angeles America/New_York Pacific/Honolulu
  America/Chicago America/Anchorage America/Los_Angeles America/New_York America/Halifax America/Denver
  Europe/London
`)

/** Topics of interest. Nothing is new in chronic illness this week. */
const CHOICES = words(`
  all all anxiety;depression all grief-and-loss all dbt-skills;borderline-personality all trauma-and-ptsd all
  ocd;anxiety all chronic-illness all relationship-issues all anger-management;relationship-issues all
`)

/** First names of readers who read Spanish. */
const SPANISH = new Set(['Carmen', 'Pedro', 'Rosa', 'Ximena', 'Sofia', 'Marco'])

const FIRST_NAMES = words(`
  Nora Ben Carmen Dmitri Esther Farid Greta Hiro Iris Jonas Keisha Leo Maya Nils Olive Pedro Quinn Rosa
  Silas Tara Umar Vera Wes Ximena Yusuf Zoe Amir Bella Caleb Delia Emil Fiona Gabe Hana Ivan June Kofi
  Lena Marco Nadia Owen Petra Raj Sofia Theo Uma Victor Wanda Yara Zack
`)

const LAST_NAMES = words(`
  Abbott Becker Castillo Doyle Eriksen Fontaine Garcia Hoffman Ito Jensen Khan Larsen Mbeki Novak Olsen
  Park Quigley Rossi Singh Tran Ueda Vargas Walsh Young Zimmer Aoki Bishop Cohen Diaz Evans Fischer Green
  Hughes Ibrahim Jacobs Klein Lopez Murphy Nguyen Ortiz Pace Reid Santos Turner Usman Vogel Weber Yates
  Adler Burke
`)
