/** The `n`th reader of any list: one of ten time zones, and all topics, two topics, or one. */
export function readerAt(n: number): { email: string; name: string; timeZone: string; topics: string[] } {
  const name = `${pick(FIRST_NAMES, n)} ${pick(LAST_NAMES, Math.floor(n / FIRST_NAMES.length))}`
  const email = `${name.toLowerCase().replaceAll(' ', '.')}.${n}@sample.test`
  return { email, name, timeZone: pick(ZONES, n * 7 + Math.floor(n / 10)), topics: pick(CHOICES, n) }
}

/** The first `count` readers, as a file for `subscribers import`. */
export function* readersAsCsv(count: number): Generator<string> {
  yield 'email,name,time_zone,topics\n'
  for (let n = 0; n < count; n += 1) {
    const { email, name, timeZone, topics } = readerAt(n)
    yield `${email},${name},${timeZone},${topics.join(';')}\n`
  }
}

const ZONES = [
  'America/New_York',
  'America/Chicago',
  'America/Denver',
  'America/Los_Angeles',
  'America/Phoenix',
  'America/Anchorage',
  'Pacific/Honolulu',
  'America/Halifax',
  'America/Toronto',
  'Europe/London',
]
const CHOICES = [[], ['anxiety', 'grief-and-loss'], ['depression']] // none = every topic
const FIRST_NAMES = [
  'Ada',
  'Ben',
  'Carmen',
  'Dmitri',
  'Esther',
  'Farid',
  'Grace',
  'Hiro',
  'Ines',
  'Jonas',
  'Kofi',
]
const LAST_NAMES = ['Abara', 'Brandt', 'Castillo', 'Doyle', 'Eriksen', 'Fontaine', "O'Hara", 'Haddad', 'Ito']

/** The item at `n`; the list starts over at its end. */
export function pick<Item>(items: readonly Item[], n: number): Item {
  return items[n % items.length] as Item
}
