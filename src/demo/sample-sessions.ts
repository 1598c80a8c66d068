import { addDaysLocal, toLocal, weekdayOf } from '../core/time/calendar.ts'

/** Where the practice takes reservations. */
export const BOOKINGS = 'https://book.harbor.test'

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

const slugOf = (group: string): string =>
  group.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replaceAll(' ', '-')

function sessionRow(line: string, index: number, now: Date) {
  const [topic, group = '', therapist, at = '', city = '', seats = '', manner = '', since = ''] = line
    .split('|')
    .map((cell) => cell.trim())
  const zone = city === 'Honolulu' ? 'Pacific/Honolulu' : `America/${city}`
  const [left, total] = seats.split(' of ').map(Number)
  const [language, place, price, summary] = aboutGroup(group)
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
    language,
    place,
    price,
    summary,
  }
  return { row, since }
}

function aboutGroup(group: string): string[] {
  const lines = ABOUT.trim().split('\n')
  const cells = lines.map((line) => line.split('|').map((cell) => cell.trim()))
  const [, ...about] = cells.find(([name]) => name === group) ?? []
  if (about.length !== 4) throw new Error(`the sample data says nothing of ${group}`)
  return about
}

/** The first `tue 19:00` at least two days from now, in local time of `zone`. */
function nextAt(at: string, zone: string, now: Date): string {
  const [day = '', time = ''] = at.split(' ')
  const earliest = addDaysLocal(`${toLocal(now, zone).slice(0, 10)}T${time}`, 2)
  const days = (WEEKDAYS.indexOf(day) - weekdayOf(earliest) + 7) % 7
  return addDaysLocal(earliest, days)
}

const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** Topic, group, therapist, first meeting, zone, seats left, options, and what changed since last week. */
const PROGRAMME = `
anger-management       | Cooling Down               | Dr. Samuel Adeyemi      | wed 18:30 | Chicago     | 3 of 8   | 10 weeks        |
anger-management       | Room to Breathe            | Priya Raman, LMFT       | sat 10:00 | Los_Angeles | 6 of 10  | skills          | new
anxiety                | Quiet Mornings             | Tom Okafor, LCSW        | tue 07:30 | New_York    | 2 of 8   |                 |
anxiety                | Steady Ground              | Dr. Mira Lee            | tue 19:00 | New_York    | 3 of 8   |                 | new
anxiety                | Mañanas tranquilas         | Dr. Lucía Herrera       | thu 10:00 | Denver      | 5 of 9   |                 | new
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
trauma-and-ptsd        | Noches en calma            | Luis Ortega, LCSW       | sun 19:00 | Los_Angeles | 3 of 8   |                 |
`

/** Group, language, place, price, and what it is in a sentence. */
const ABOUT = `
Cooling Down               | en | Online                   | $40 a session          | Notice anger early, and say what you need before it speaks for you.
Room to Breathe            | en | Online                   | $35 a session          | Short exercises for the minute before you would shout.
Quiet Mornings             | en | Online                   | $45 a session          | Start the day with people who also wake up worried.
Steady Ground              | en | Online                   | $45 a session          | For worry that will not stop: what feeds it, and what settles it.
Mañanas tranquilas         | es | En línea                 | $45 por sesión         | Para quienes se despiertan con preocupación: empezar el día en compañía.
Holding Steady             | en | Online                   | $50 a session          | Keep your footing when feelings turn fast.
Both Things Are True       | en | Online                   | $50 a session          | Strong feelings about people we love, without choosing sides.
Good Enough Days           | en | Online                   | $30 a session          | Living with an illness that stays, one ordinary day at a time.
Pacing Together            | en | Online                   | $30 a session          | Plan a week that your body can keep up with.
Small Steps                | en | Online                   | $45 a session          | When everything is too much, we start with one thing.
Low Tide                   | en | Online                   | $45 a session          | Talk about depression with people who do not need it explained.
Sunday Evenings            | en | Online                   | $45 a session          | For the evening before the week, when it is heaviest.
Skills for Strong Feelings | en | Online                   | $35 a session          | Learn one skill a week, and try it out between sessions.
Getting Through a Crisis   | en | Online                   | Free                   | One morning on what to do in the worst hour.
Saying It Clearly          | en | Online                   | $35 a session          | Ask for things, say no, and stay on good terms.
Carrying On                | en | Portland, ME             | Pay what you can       | For anyone who has lost someone, however long ago.
Widowed Young              | en | Online                   | Pay what you can       | For people under 50 whose partner has died.
First Holidays Without     | en | Online                   | Free                   | One afternoon before the first holidays without them.
Leaning into Doubt         | en | Online                   | $50 a session          | Practice leaving questions open, together.
Exposure Partners          | en | Online                   | $50 a session          | Plan exposures, and do them with someone beside you.
Between Us                 | en | Online                   | $45 a session          | How we fight, make up, and ask for closeness.
Learning to Say No         | en | Online                   | $35 a session          | Six weeks on limits, for people who say yes too soon.
Safe Enough                | en | Online                   | $50 a session          | Steadiness first: nobody has to tell their story.
Noches en calma            | es | En línea                 | $50 por sesión         | Para dormir mejor después de lo vivido, sin tener que contarlo.
`
