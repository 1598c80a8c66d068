import { lru } from '../../core/lru.ts'
import { timeZones } from '../../core/time/time-zones.ts'
import { browserNames, canonicalZone } from '../../core/time/zone-names.ts'
import { UNITED_STATES, zoneOfStates, zonePlace } from '../../core/time/zone-titles.ts'
import { weighed } from '../../core/weighed.ts'
import type { Translator } from '../../core/words/words.ts'

/** A choice of time zones as a page's `select` shows it; `was` are names that browsers may have for one, with blanks between. */
export type ZoneGroup = {
  label: string
  zones: { zone: string; was: string; label: string; selected: boolean }[]
}

/** Every zone of the IANA list by continent, `asked` selected; one under a name that is not listed is added. */
export function zoneGroups(asked: string, translator: Translator): ZoneGroup[] {
  const { t, language } = translator
  const selected = canonicalZone(asked) ?? asked
  const names = new Set(timeZones()).add(selected)
  const elsewhere = [...names].filter((name) => !UNITED_STATES.includes(name)).sort()
  const byRegion = Map.groupBy(elsewhere, (name) => (name.includes('/') ? name.split('/', 1)[0] : 'Other'))
  const option = (zone: string, label: string) => ({
    ...{ zone, label, was: browserNames(zone).join(' '), selected: zone === selected },
  })
  return [
    {
      label: t('page.zones.region', { region: 'US' }),
      zones: UNITED_STATES.map((zone) => option(zone, zoneOfStates(zone, translator))),
    },
    ...[...byRegion].map(([region = '', zones]) => ({
      label: t('page.zones.region', { region }),
      zones: zones
        .map((zone) => option(zone, zonePlace(zone, translator)))
        .sort((a, b) => inOrder(language).compare(a.label, b.label)),
    })),
  ]
}

/** One per catalog. `localeCompare` would make a new one for each pair, outside the heap. */
const inOrder = lru(
  8,
  (language: string) => language,
  (language) => weighed(new Intl.Collator(language)),
)
