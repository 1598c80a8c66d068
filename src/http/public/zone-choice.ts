import { timeZones } from '../../core/time/time-zones.ts'
import { browserNames, canonicalZone } from '../../core/time/zone-names.ts'
import type { Translator } from '../../core/words/words.ts'

/** A choice of time zones as a page's `select` shows it; `was` are names that browsers may have for one, with blanks between. */
export type ZoneGroup = {
  label: string
  zones: { zone: string; was: string; label: string; selected: boolean }[]
}

/** First in the list, by the names that people there use, which are in the catalogs. */
const UNITED_STATES: Record<string, string> = {
  'America/New_York': 'eastern',
  'America/Chicago': 'central',
  'America/Denver': 'mountain',
  'America/Phoenix': 'arizona',
  'America/Los_Angeles': 'pacific',
  'America/Anchorage': 'alaska',
  'Pacific/Honolulu': 'hawaii',
}

/** Every zone of the IANA list by continent, `asked` selected; one under a name that is not listed is added. */
export function zoneGroups(asked: string, { t }: Translator): ZoneGroup[] {
  const selected = canonicalZone(asked) ?? asked
  const names = new Set(timeZones()).add(selected)
  const elsewhere = [...names].filter((name) => !(name in UNITED_STATES)).sort()
  const byRegion = Map.groupBy(elsewhere, (name) => (name.includes('/') ? name.split('/', 1)[0] : 'Other'))
  const option = (zone: string, label: string) => ({
    ...{ zone, label, was: browserNames(zone).join(' '), selected: zone === selected },
  })
  return [
    {
      label: t('page.zones.region', { region: 'US' }),
      zones: Object.entries(UNITED_STATES).map(([zone, place]) =>
        option(zone, t('page.zones.us', { place })),
      ),
    },
    ...[...byRegion].map(([region = '', zones]) => ({
      label: t('page.zones.region', { region }),
      zones: zones.map((zone) => option(zone, placeIn(zone))),
    })),
  ]
}

/** `America/Argentina/La_Rioja` under America is Argentina, La Rioja. */
const placeIn = (zone: string): string =>
  (zone.includes('/') ? zone.slice(zone.indexOf('/') + 1) : zone).replaceAll('/', ', ').replaceAll('_', ' ')
