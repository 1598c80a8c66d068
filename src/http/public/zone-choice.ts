import { lru } from '../../core/lru.ts'
import { timeZones, zoneToday } from '../../core/time/time-zones.ts'
import { browserNames, canonicalZone } from '../../core/time/zone-names.ts'
import { UNITED_STATES, zoneOfStates, zonePlace } from '../../core/time/zone-titles.ts'
import { weighed } from '../../core/weighed.ts'
import type { Translator } from '../../core/words/words.ts'

/** A choice of time zones as a page's `select` shows it; `was` are names that browsers may have for one, with blanks between. */
export type ZoneGroup = {
  label: string
  zones: { zone: string; was: string; label: string; selected: boolean }[]
}

/** Listed first, each with all its zones; the rest of the world follows by continent. */
const NEIGHBORS = ['US', 'CA', 'MX'] as const

/**
 * The zones of the IANA list: the United States, Canada and Mexico, then the other continents, without the stations in
 * Antarctica. `asked` is selected, and added if it is not listed.
 */
export function zoneGroups(asked: string, translator: Translator): ZoneGroup[] {
  const { t, language } = translator
  const selected = canonicalZone(asked) ?? asked
  const names = timeZones().filter((name) => !name.startsWith('Antarctica/'))
  const { US: states = [], ...others } = Object.groupBy([...new Set(names).add(selected)], placeOf)
  const option = (zone: string, label: string) => ({
    ...{ zone, label, was: browserNames(zone).join(' '), selected: zone === selected },
  })
  const inGroup = (zones: readonly string[]) =>
    zones
      .map((zone) => option(zone, zonePlace(zone, translator)))
      .sort((a, b) => inOrder(language).compare(a.label, b.label))
  const { CA: canada = [], MX: mexico = [], ...continents } = others
  return [
    {
      label: t('page.zones.region', { region: 'US' }),
      zones: [
        ...UNITED_STATES.map((zone) => option(zone, zoneOfStates(zone, translator))),
        ...inGroup(states.filter((zone) => !UNITED_STATES.includes(zone))),
      ],
    },
    ...Object.entries({ CA: canada, MX: mexico, ...inAlphabet(continents) }).map(([region, zones]) => ({
      label: t('page.zones.region', { region }),
      zones: inGroup(zones),
    })),
  ]
}

/** The zones of the United States, Canada and Mexico, and the one that was asked for. */
export function nearZones(asked: string, translator: Translator): ZoneGroup[] {
  const groups = zoneGroups(asked, translator)
  const [near, far] = [groups.slice(0, NEIGHBORS.length), groups.slice(NEIGHBORS.length)]
  const chosen = far.map(({ label, zones }) => ({ label, zones: zones.filter(({ selected }) => selected) }))
  return [...near, ...chosen.filter(({ zones }) => zones.length > 0)]
}

const inAlphabet = (groups: Partial<Record<string, string[]>>): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(groups)
      .map(([name, zones = []]): [string, string[]] => [name, zones])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )

/** The neighbor, else the continent or ocean, that a zone is listed under. */
function placeOf(zone: string): string {
  neighbors ??= new Map(
    NEIGHBORS.flatMap((country) =>
      (new Intl.Locale(`und-${country}`).getTimeZones() ?? []).map((name): [string, string] => [
        zoneToday(name) ?? name,
        country,
      ]),
    ),
  )
  return neighbors.get(zone) ?? (zone.includes('/') ? (zone.split('/', 1)[0] ?? '') : 'Other')
}

let neighbors: Map<string, string> | undefined

/** One per catalog. `localeCompare` would make a new one for each pair, outside the heap. */
const inOrder = lru(
  8,
  (language: string) => language,
  (language) => weighed(new Intl.Collator(language)),
)
