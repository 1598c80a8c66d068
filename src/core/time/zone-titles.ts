import { lru } from '../lru.ts'
import type { Translator } from '../words/words.ts'
import { zoneNameByPlace } from './formatters.ts'
import { zoneToday } from './time-zones.ts'

/**
 * Zones whose clocks people call by a name of their own; the names are in the catalogs (`zone.clock`). All zones of a clock
 * agree all year, so Vancouver and Edmonton, which no longer change theirs, are not here. Nor is Mexico, where "Central
 * Time" is another.
 */
const CLOCKS = {
  eastern:
    'America/New_York America/Detroit America/Toronto America/Iqaluit America/Kentucky/Louisville America/Kentucky/Monticello ' +
    'America/Indiana/Indianapolis America/Indiana/Marengo America/Indiana/Petersburg America/Indiana/Vevay ' +
    'America/Indiana/Vincennes America/Indiana/Winamac',
  central:
    'America/Chicago America/Winnipeg America/Menominee America/Rankin_Inlet America/Resolute America/Indiana/Knox ' +
    'America/Indiana/Tell_City America/North_Dakota/Beulah America/North_Dakota/Center America/North_Dakota/New_Salem',
  mountain: 'America/Denver America/Boise America/Cambridge_Bay America/Inuvik',
  arizona: 'America/Phoenix',
  pacific: 'America/Los_Angeles',
  alaska: 'America/Anchorage America/Juneau America/Metlakatla America/Nome America/Sitka America/Yakutat',
  hawaii: 'Pacific/Honolulu',
  atlantic: 'America/Halifax America/Glace_Bay America/Goose_Bay America/Moncton',
  newfoundland: 'America/St_Johns',
  saskatchewan: 'America/Regina America/Swift_Current',
  yukon: 'America/Whitehorse America/Dawson',
  london: 'Europe/London',
  utc: 'UTC',
}

/** The clock that zones share with others, by zone. */
export const CLOCK_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(CLOCKS).flatMap(([clock, zones]) => zones.split(' ').map((zone) => [zone, clock] as const)),
)

/** The main zones of the United States. */
export const UNITED_STATES: readonly string[] = [
  ...['America/New_York', 'America/Chicago', 'America/Denver', 'America/Phoenix', 'America/Los_Angeles'],
  ...['America/Anchorage', 'Pacific/Honolulu'],
]

/**
 * What people call the clocks of a zone, in winter and in summer: `Eastern Time`, `hora del Este`. Without a name of their
 * own, they are the place's: `Colombia Time`, `hora de Ciudad de México`.
 */
export function zoneTitle(timeZone: string, { t, language }: Translator): string {
  const clock = CLOCK_OF.get(zoneToday(timeZone) ?? timeZone)
  return clock === undefined ? placeOf(timeZone, language).title : t('zone.clock', { clock })
}

/**
 * A zone as a list names it: `Mexico City`, `Ciudad de México`. Where one zone covers a whole country, people look for that:
 * `Cuba (La Habana)`.
 */
export function zonePlace(timeZone: string, { t, language }: Translator): string {
  const { place, city } = placeOf(timeZone, language)
  return city === null
    ? place
    : `${place} (${t('page.zones.city', { city: city.replaceAll(/[ -]/g, '_'), name: city })})`
}

/** One of the main zones of the United States: `Eastern Time (New York)`. */
export function zoneOfStates(timeZone: string, translator: Translator): string {
  const title = zoneTitle(timeZone, translator)
  return `${title.charAt(0).toUpperCase()}${title.slice(1)} (${zonePlace(timeZone, translator)})`
}

/** `title` is `hora de Cuba`, `place` is `Cuba`; `city` is the one a zone is named after, if `place` is another. */
type Place = { title: string; place: string; city: string | null }

/** Titles of all zones in two languages: the reader's and English. */
const [LANGUAGES_KEPT, TITLES_KEPT] = [8, 1200]

/** By language, not by locale: visitors can ask for any region. Each zone takes a formatter, so the result is kept. */
const placesIn = lru(
  LANGUAGES_KEPT,
  (language: string) => language,
  () => new Map<string, Place>(),
)

function placeOf(timeZone: string, language: string): Place {
  const zone = zoneToday(timeZone)
  if (zone === null) return { title: timeZone, place: timeZone, city: null }
  const places = placesIn(language)
  const place = places.get(zone) ?? findPlace(zone, language)
  places.set(zone, place)
  return place
}

function findPlace(zone: string, language: string): Place {
  const [, ...path] = zone.split('/')
  const name = (path.at(-1) ?? zone).replaceAll('_', ' ')
  const official = officialTitle({ zone, language })
  const title = language === 'es' ? withArticle(official) : official
  const place = placeWithin(official, language)
  if (place === null) return { title, place: name, city: null }
  if (path[0] === 'Argentina') return { title, place: `${place}, Argentina`, city: null }
  const isCity = isNamedAfter(placeWithin(officialTitle({ zone, language: 'en' }), 'en') ?? name, name)
  return { title, place, city: isCity ? null : name }
}

/** The place in a title by Intl, or null if that names a clock (`GMT`), or knows no words of this language. */
function placeWithin(title: string, language: string): string | null {
  const [before, after] = officialTitle({ zone: 'America/Adak', language }).split('Adak')
  if (before === undefined || after === undefined || !title.startsWith(before) || !title.endsWith(after))
    return null
  return title.slice(before.length, title.length - after.length)
}

/** Whether a place is the city that its zone is named after, and not a whole country. */
const isNamedAfter = (place: string, city: string): boolean => {
  const [one, other] = [letters(place), letters(city)]
  return one.includes(other) || other.includes(one) || one.slice(0, 4) === other.slice(0, 4)
}

const letters = (name: string): string => name.normalize('NFD').replace(/\P{L}/gu, '').toLowerCase()

/** In Ireland's English few clocks have names, and in Latin America's Spanish none: then Intl names the place. */
const WITH_PLACES: Readonly<Record<string, string>> = { en: 'en-IE', es: 'es-419' }

const officialTitle = lru(
  TITLES_KEPT,
  ({ zone, language }: { zone: string; language: string }) => `${language} ${zone}`,
  ({ zone, language }) =>
    NOT_SAID.reduce(
      (name, [official, said]) => name.replace(official, said),
      zoneNameByPlace(zone, WITH_PLACES[language] ?? language),
    ),
)

const NOT_SAID: readonly [RegExp, string][] = [
  [/ SAR China\b/, ''],
  [/\bRAE de (.+) \(China\)/, '$1'],
  [/ \((?:Burma|Birmania)\)/, ''],
  [/^Canaries\b/, 'Canary Islands'],
  [/\bSt (?=\p{Lu})/u, 'St. '],
]

/** What Spanish needs and CLDR leaves out: `hora de las Islas Canarias`. By the first word of a place. */
const ARTICLES: readonly [RegExp, string][] = [
  [/^hora de (?=(?:República|Isla|India|Guayana)\b)/, 'hora de la '],
  [/^hora de (?=(?:Islas|Bahamas|Bermudas|Azores|Maldivas|Marquesas|Comoras|Seychelles)\b)/, 'hora de las '],
  [/^hora de (?=(?:Países|Emiratos|Territorios)\b)/, 'hora de los '],
  [/^hora de (?=(?:Caribe|Territorio|Sáhara)\b)/, 'hora del '],
]

const withArticle = (name: string): string =>
  ARTICLES.reduce((text, [place, article]) => text.replace(place, article), name)
