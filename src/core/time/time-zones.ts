/**
 * The current name of a time zone, in the exact spelling of the IANA list: `Asia/Kolkata` for `Asia/Calcutta`, which browsers
 * still report. Null for anything else, such as an offset (`+02:00`), an abbreviation (`EST5EDT`), or another case. There are
 * about 450 current names, so caches by zone cannot grow with whatever visitors send.
 */
export function zoneToday(name: string): string | null {
  return NAMES.get(name) ?? (FIXED_OFFSETS.has(name) ? name : null)
}

/** The current names of all zones of places, and `UTC`; sorted. */
export const timeZones = (): string[] => [...new Set(NAMES.values())].sort()

// Intl accepts these but does not list them. POSIX reverses their sign, so they go from -14 to +12.
const FIXED_OFFSETS = new Set(
  Array.from({ length: 27 }, (_, index) => index - 14)
    .filter((hours) => hours !== 0)
    .map((hours) => `Etc/GMT${hours > 0 ? '+' : ''}${hours}`),
)

/**
 * Former names by current name. Runtimes still list some of them. From the file `backward` of the tz database
 * (https://data.iana.org/time-zones/tzdb/backward). Places that it merges and Intl keeps apart stay apart.
 */
const FORMER_NAMES: Record<string, string> = {
  'Africa/Asmara': 'Africa/Asmera',
  'Africa/Bamako': 'Africa/Timbuktu',
  'America/Adak': 'America/Atka US/Aleutian',
  'America/Anchorage': 'US/Alaska',
  'America/Argentina/Buenos_Aires': 'America/Buenos_Aires',
  'America/Argentina/Catamarca': 'America/Argentina/ComodRivadavia America/Catamarca',
  'America/Argentina/Cordoba': 'America/Cordoba America/Rosario',
  'America/Argentina/Jujuy': 'America/Jujuy',
  'America/Argentina/Mendoza': 'America/Mendoza',
  'America/Atikokan': 'America/Coral_Harbour',
  'America/Chicago': 'US/Central',
  'America/Denver': 'America/Shiprock US/Mountain',
  'America/Detroit': 'US/Michigan',
  'America/Edmonton': 'America/Yellowknife Canada/Mountain',
  'America/Halifax': 'Canada/Atlantic',
  'America/Indiana/Indianapolis': 'America/Fort_Wayne America/Indianapolis US/East-Indiana',
  'America/Indiana/Knox': 'America/Knox_IN US/Indiana-Starke',
  'America/Iqaluit': 'America/Pangnirtung',
  'America/Kentucky/Louisville': 'America/Louisville',
  'America/Los_Angeles': 'US/Pacific',
  'America/Manaus': 'Brazil/West',
  'America/Mazatlan': 'Mexico/BajaSur',
  'America/Mexico_City': 'Mexico/General',
  'America/New_York': 'US/Eastern',
  'America/Noronha': 'Brazil/DeNoronha',
  'America/Nuuk': 'America/Godthab',
  'America/Phoenix': 'US/Arizona',
  'America/Regina': 'Canada/Saskatchewan',
  'America/Rio_Branco': 'America/Porto_Acre Brazil/Acre',
  'America/Santiago': 'Chile/Continental',
  'America/Sao_Paulo': 'Brazil/East',
  'America/St_Johns': 'Canada/Newfoundland',
  'America/St_Thomas': 'America/Virgin',
  'America/Tijuana': 'America/Ensenada America/Santa_Isabel Mexico/BajaNorte',
  'America/Toronto': 'America/Montreal America/Nipigon America/Thunder_Bay Canada/Eastern',
  'America/Vancouver': 'Canada/Pacific',
  'America/Whitehorse': 'Canada/Yukon',
  'America/Winnipeg': 'America/Rainy_River Canada/Central',
  'Antarctica/McMurdo': 'Antarctica/South_Pole',
  'Arctic/Longyearbyen': 'Atlantic/Jan_Mayen',
  'Asia/Ashgabat': 'Asia/Ashkhabad',
  'Asia/Dhaka': 'Asia/Dacca',
  'Asia/Ho_Chi_Minh': 'Asia/Saigon',
  'Asia/Jerusalem': 'Asia/Tel_Aviv',
  'Asia/Kathmandu': 'Asia/Katmandu',
  'Asia/Kolkata': 'Asia/Calcutta',
  'Asia/Macau': 'Asia/Macao',
  'Asia/Makassar': 'Asia/Ujung_Pandang',
  'Asia/Nicosia': 'Europe/Nicosia',
  'Asia/Shanghai': 'Asia/Chongqing Asia/Chungking Asia/Harbin',
  'Asia/Thimphu': 'Asia/Thimbu',
  'Asia/Ulaanbaatar': 'Asia/Choibalsan Asia/Ulan_Bator',
  'Asia/Urumqi': 'Asia/Kashgar',
  'Asia/Yangon': 'Asia/Rangoon',
  'Atlantic/Faroe': 'Atlantic/Faeroe',
  'Australia/Adelaide': 'Australia/South',
  'Australia/Brisbane': 'Australia/Queensland',
  'Australia/Broken_Hill': 'Australia/Yancowinna',
  'Australia/Darwin': 'Australia/North',
  'Australia/Hobart': 'Australia/Currie Australia/Tasmania',
  'Australia/Lord_Howe': 'Australia/LHI',
  'Australia/Melbourne': 'Australia/Victoria',
  'Australia/Perth': 'Australia/West',
  'Australia/Sydney': 'Australia/ACT Australia/Canberra Australia/NSW',
  'Europe/Chisinau': 'Europe/Tiraspol',
  'Europe/Istanbul': 'Asia/Istanbul',
  'Europe/Kyiv': 'Europe/Kiev Europe/Uzhgorod Europe/Zaporozhye',
  'Europe/London': 'Europe/Belfast',
  'Pacific/Chuuk': 'Pacific/Truk Pacific/Yap',
  'Pacific/Easter': 'Chile/EasterIsland',
  'Pacific/Honolulu': 'Pacific/Johnston US/Hawaii',
  'Pacific/Kanton': 'Pacific/Enderbury',
  'Pacific/Pago_Pago': 'Pacific/Samoa US/Samoa',
  'Pacific/Pohnpei': 'Pacific/Ponape',
  UTC: 'Etc/GMT Etc/GMT+0 Etc/GMT-0 Etc/GMT0 Etc/Greenwich Etc/UCT Etc/UTC Etc/Universal Etc/Zulu',
}

const TODAY_BY_FORMER = new Map(
  Object.entries(FORMER_NAMES).flatMap(([today, former]) => former.split(' ').map((name) => [name, today])),
)

const NAMES = new Map(
  [...Intl.supportedValuesOf('timeZone'), 'UTC', ...Object.keys(FORMER_NAMES), ...TODAY_BY_FORMER.keys()].map(
    (name) => [name, TODAY_BY_FORMER.get(name) ?? name],
  ),
)

/** Every zone name that `zoneToday` accepts, current and former. The database stores them, to refuse others. */
export const acceptedZones = (): string[] => [...NAMES.keys(), ...FIXED_OFFSETS]

/** The former names that a browser, a file, or a row may use for a zone. */
export const formerNames = (today: string): string[] => FORMER_NAMES[today]?.split(' ') ?? []

/** The zone, or UTC if another program stored an invalid one. Then the reader's pages still work, and name the zone. */
export const readableZone = (zone: string): string => (zoneToday(String(zone)) === null ? 'UTC' : zone)
