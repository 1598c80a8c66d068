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

function pick<Item>(items: readonly Item[], n: number): Item {
  const item = items[n % items.length]
  if (item === undefined) throw new Error('there is nothing to pick from')
  return item
}

function words(text: string): string[] {
  return text.trim().split(/\s+/)
}

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
