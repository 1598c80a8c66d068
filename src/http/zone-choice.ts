/** A choice of time zones as a page's `select` shows it. */
export type ZoneGroup = { label: string; zones: { zone: string; label: string; selected: boolean }[] }

/** By the names that people there use; first in the list. */
const UNITED_STATES: Record<string, string> = {
  'America/New_York': 'Eastern (New York)',
  'America/Chicago': 'Central (Chicago)',
  'America/Denver': 'Mountain (Denver)',
  'America/Phoenix': 'Arizona (Phoenix)',
  'America/Los_Angeles': 'Pacific (Los Angeles)',
  'America/Anchorage': 'Alaska (Anchorage)',
  'Pacific/Honolulu': 'Hawaii (Honolulu)',
}

/** What the runtime still lists under the name of old, by the name of today (tz database, `backward`). */
const RENAMED: Record<string, string> = {
  'Africa/Asmera': 'Africa/Asmara',
  'America/Buenos_Aires': 'America/Argentina/Buenos_Aires',
  'America/Godthab': 'America/Nuuk',
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Asia/Saigon': 'Asia/Ho_Chi_Minh',
  'Atlantic/Faeroe': 'Atlantic/Faroe',
  'Europe/Kiev': 'Europe/Kyiv',
  'Pacific/Enderbury': 'Pacific/Kanton',
  'Pacific/Ponape': 'Pacific/Pohnpei',
  'Pacific/Truk': 'Pacific/Chuuk',
}

/** Every zone of the IANA list by continent, `selected` marked; one under a name that is not listed is added. */
export function zoneGroups(selected: string): ZoneGroup[] {
  const names = new Set(Intl.supportedValuesOf('timeZone').map((name) => RENAMED[name] ?? name))
  names.add('UTC').add(selected)
  const elsewhere = [...names].filter((name) => !(name in UNITED_STATES)).sort()
  const byContinent = Map.groupBy(elsewhere, (name) => (name.includes('/') ? name.split('/', 1)[0] : 'Other'))
  const option = (zone: string, label: string) => ({ zone, label, selected: zone === selected })
  return [
    {
      label: 'United States',
      zones: Object.entries(UNITED_STATES).map(([zone, label]) => option(zone, label)),
    },
    ...[...byContinent].map(([label = '', zones]) => ({
      label,
      zones: zones.map((zone) => option(zone, placeIn(zone))),
    })),
  ]
}

/** `America/Argentina/La_Rioja` under America is Argentina, La Rioja. */
const placeIn = (zone: string): string =>
  (zone.includes('/') ? zone.slice(zone.indexOf('/') + 1) : zone).replaceAll('/', ', ').replaceAll('_', ' ')
