import { timeZones } from '../time/time-zones.ts'
import { letters, placeOf, unknownZone, zoneMeant } from '../time/zone-names.ts'
import { quote } from './fields.ts'

/**
 * The time zone that someone wrote in a file or at a prompt: what `zoneMeant` understands, or a city (`Chicago`, `Boston`,
 * `Portland, ME`). Null if it could be several.
 */
export function typedZone(text: string): string | null {
  const zone = zoneMeant(text)
  if (zone !== null) return zone
  const [, city = '', state = ''] = /^([\p{L} .'-]+?)(?:, ?([\p{L} .]+))?$/u.exec(text) ?? []
  const name = plain(city)
  if (state !== '') return zoneIn(name, letters(state))
  if (Object.hasOwn(SEVERAL, name)) return null
  return ZONE_BY_CITY.get(name) ?? soleZoneAt(name)
}

/** The error for what `typedZone` does not understand; continues the field's name. */
export function unknownTypedZone(text: string): string {
  const name = plain(text)
  const several = Object.hasOwn(SEVERAL, name) ? SEVERAL[name] : undefined
  return several
    ? `is ${quote(text)}, which could be in several zones; write ${several.map((zone) => `"${zone}"`).join(' or ')}`
    : unknownZone(text)
}

/** Cities that people name their clocks by, and that have no zone of their own. */
const CITIES: Readonly<Record<string, string>> = {
  'America/New_York':
    'Atlanta,Baltimore,Boston,Brooklyn,Buffalo,Charlotte,Chattanooga,Cincinnati,Cleveland,Columbus,Hartford,Jacksonville,Jersey City,Knoxville,Miami,Newark,NYC,' +
    'Orlando,Philadelphia,Pittsburgh,Providence,Raleigh,Tampa,Washington DC',
  'America/Chicago':
    'Austin,Dallas,Fort Worth,Houston,Kansas City,Memphis,Milwaukee,Minneapolis,Nashville,New Orleans,Oklahoma City,Omaha,' +
    'St Louis,San Antonio,St Paul,Tulsa',
  'America/Denver': 'Albuquerque,Colorado Springs,El Paso,Salt Lake City',
  'America/Los_Angeles':
    'Eugene,Las Vegas,Long Beach,Oakland,Portland,Sacramento,Salem,San Diego,San Francisco,Seattle,Spokane,Tacoma',
  'America/Phoenix': 'Mesa,Scottsdale,Tempe,Tucson',
  'America/Toronto': 'Montreal,Ottawa',
  'America/Edmonton': 'Calgary',
}

/** States in one zone. In all others, and in Arizona because of the Navajo Nation, a city decides. */
const STATES: Readonly<Record<string, string>> = {
  'America/New_York':
    'CT,Connecticut,DC,DE,Delaware,GA,ME,Maine,MD,Maryland,MA,Massachusetts,NH,New Hampshire,NJ,New Jersey,NY,' +
    'New York,NC,North Carolina,OH,Ohio,PA,Pennsylvania,RI,Rhode Island,SC,South Carolina,VT,Vermont,VA,Virginia,WV,West Virginia',
  'America/Chicago':
    'AL,Alabama,AR,Arkansas,IL,Illinois,IA,Iowa,LA,Louisiana,MN,Minnesota,MS,Mississippi,MO,Missouri,OK,Oklahoma,WI,Wisconsin',
  'America/Denver': 'CO,Colorado,MT,Montana,NM,New Mexico,UT,Utah,WY,Wyoming',
  'America/Los_Angeles': 'CA,California,WA,Washington',
  'Pacific/Honolulu': 'HI,Hawaii',
}

/** States in two zones, and one that is a country too: only for cities that are known. */
const SPLIT_STATES: Readonly<Record<string, string>> = {
  'America/New_York': 'FL,Florida,Georgia,TN,Tennessee',
  'America/Chicago': 'KS,Kansas,NE,Nebraska,TN,Tennessee,TX,Texas',
  'America/Denver': 'TX,Texas',
  'America/Los_Angeles': 'NV,Nevada,OR,Oregon',
  'America/Detroit': 'MI,Michigan',
  'America/Indiana/Indianapolis': 'IN,Indiana',
  'America/Kentucky/Louisville': 'KY,Kentucky',
  'America/Boise': 'ID,Idaho',
  'America/Anchorage': 'AK,Alaska',
  'America/Phoenix': 'AZ,Arizona',
}

const [EAST, CENTRAL, MOUNTAIN, WEST] = [
  'America/New_York',
  'America/Chicago',
  'America/Denver',
  'America/Los_Angeles',
] as const

/** Names of several places, with what they may mean. Letters only. */
const SEVERAL: Readonly<Record<string, readonly string[]>> = {
  arlington: [EAST, CENTRAL],
  athens: [EAST, 'Europe/Athens'],
  aurora: [CENTRAL, MOUNTAIN],
  birmingham: [CENTRAL, 'Europe/London'],
  cambridge: [EAST, 'Europe/London'],
  columbia: [EAST, CENTRAL],
  cordoba: ['America/Argentina/Cordoba', 'Europe/Madrid'],
  dublin: ['Europe/Dublin', EAST],
  glendale: [WEST, 'America/Phoenix'],
  jackson: [CENTRAL, MOUNTAIN],
  jamaica: ['America/Jamaica', EAST],
  knox: ['America/Indiana/Knox', EAST],
  lapaz: ['America/La_Paz', 'America/Mazatlan'],
  melbourne: ['Australia/Melbourne', EAST],
  merida: ['America/Merida', 'Europe/Madrid', 'America/Caracas'],
  monticello: ['America/Kentucky/Monticello', EAST, CENTRAL],
  petersburg: ['America/Indiana/Petersburg', EAST],
  portland: [WEST, EAST],
  rochester: [EAST, CENTRAL],
  salem: [WEST, EAST],
  sanjuan: ['America/Puerto_Rico', 'America/Argentina/San_Juan'],
  springfield: [CENTRAL, EAST],
  vincennes: ['America/Indiana/Vincennes', 'Europe/Paris'],
  washington: [EAST, WEST],
}

const plain = (name: string): string =>
  letters(name)
    .replaceAll("'", '')
    .replace(/^saint(?=.)/, 'st')

const byName = (names: Readonly<Record<string, string>>) =>
  Object.entries(names).flatMap(([zone, list]) =>
    list.split(',').map((name) => [letters(name), zone] as const),
  )

const ZONE_BY_CITY = new Map(byName(CITIES))
const ZONE_BY_STATE = new Map(byName(STATES))
const SPLIT = byName(SPLIT_STATES)

/** A state decides, unless the city is known for another zone: `CA` after Toronto is not California. */
function zoneIn(city: string, state: string): string | null {
  const ofCity = ZONE_BY_CITY.get(city) ?? soleZoneAt(city)
  const ofState = ZONE_BY_STATE.get(state)
  if (ofState !== undefined)
    return ofCity === null || ofCity === ofState || Object.hasOwn(SEVERAL, city) ? ofState : null
  return ofCity !== null && SPLIT.some(([name, zone]) => name === state && zone === ofCity) ? ofCity : null
}

/** The one zone that is named after this place; null if there is none, or several. */
function soleZoneAt(place: string): string | null {
  const [zone, ...more] = timeZones().filter((one) => one.includes('/') && letters(placeOf(one)) === place)
  return zone !== undefined && more.length === 0 && place.length > 2 ? zone : null
}
