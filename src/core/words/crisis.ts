import { lru } from '../lru.ts'
import { zoneToday } from '../time/time-zones.ts'
import { weighed } from '../weighed.ts'
import { languageNamed } from './language-name.ts'
import type { TaggedText, Translator } from './words.ts'

/** Values of CRISIS_LINE: a country whose line is named to readers whose own country is not known, or `off` for everyone. */
const COUNTRIES = ['us', 'ca', 'uk', 'ie', 'au', 'nz', 'mx', 'es', 'br', 'cl', 'de', 'fr', 'in'] as const
export const CRISIS_LINES = [...COUNTRIES, 'off'] as const

type Country = (typeof COUNTRIES)[number]
export type CrisisLine = (typeof CRISIS_LINES)[number]

/** Where to turn in a crisis: a question, and an answer in parts, some of which are links. `plain` is the whole as text. */
export type CrisisView = { need: string; parts: CrisisPart[]; plain: string }
type CrisisPart = { text: string; href: string | null }

/** A public line, open day and night. `regions` are those of ISO 3166 where it answers, and `speaks` its languages. */
type Line = {
  regions: readonly string[]
  name?: string
  call: string
  text?: string
  free: boolean
  speaks: readonly string[]
  emergency: string
}

const SAMARITANS = { name: 'Samaritans', call: '116 123', free: true, speaks: ['en'] }

const LINES: Record<Country, Line> = {
  // https://988lifeline.org/get-help/what-to-expect (in Spanish: press 2, or text AYUDA), also in the territories:
  // https://www.northernpublicradio.org/2025-09-12/el-trabajo-de-nami-salvar-vidas-al-difundir-el-mensaje-sobre-la-linea-directa-de-suicidio-y-crisis-988
  us: {
    regions: ['US', 'PR', 'VI', 'GU', 'MP', 'AS'],
    ...{ call: '988', text: '988', free: true, speaks: ['en', 'es'], emergency: '911' },
  },
  // https://988.ca/get-help/what-to-expect, https://thehealthinsider.ca/988-suicide-crisis-helpline-now-available-nationwide-24-7/
  ca: {
    regions: ['CA'],
    ...{ call: '988', text: '988', free: true, speaks: ['en', 'fr'], emergency: '911' },
  },
  // https://www.samaritans.org, http://www.newstalk.com/reader/47.301/69999/0/ (free in the UK and Ireland)
  uk: { regions: ['GB'], ...SAMARITANS, emergency: '999' },
  // https://www.samaritans.org/news/samaritans-ireland-responds-one-call-help-every-minute-last-year
  ie: { regions: ['IE'], ...SAMARITANS, emergency: '112' },
  // https://www.lifeline.org.au, and for texts at any hour
  // https://lifeinmind.org.au/news/lifelines-crisis-text-service-now-available-24-7
  au: {
    regions: ['AU'],
    ...{ name: 'Lifeline', call: '13 11 14', text: '0477 13 11 14', free: false },
    ...{ speaks: ['en'], emergency: '000' },
  },
  // https://1737.org.nz, https://www.pegasus.health.nz/?p=6300
  nz: {
    regions: ['NZ'],
    ...{ call: '1737', text: '1737', free: true, speaks: ['en'], emergency: '111' },
  },
  // https://mexico.un.org/es/node/280682, https://tribunademexico.com/ssa-invita-a-hacer-uso-de-linea-de-la-vida/
  mx: {
    regions: ['MX'],
    ...{ name: 'Línea de la Vida', call: '800 911 2000', free: true, speaks: ['es'], emergency: '911' },
  },
  // https://www.sanidad.gob.es, https://www.rtve.es/noticias/20220509/sanidad-presenta-telefono-prevencion-suicidio/2347183.shtml
  es: { regions: ['ES'], ...{ call: '024', free: true, speaks: ['es'], emergency: '112' } },
  // https://cvv.org.br, https://claudia.abril.com.br/noticias/suicidio-cvv-ligacao-gratuita/; 192 is SAMU, the ambulances
  br: {
    regions: ['BR'],
    ...{ name: 'CVV', call: '188', free: true, speaks: ['pt'], emergency: '192' },
  },
  // https://www.eldinamo.cl/sociedad/2025/10/29/tres-anos-de-escucha-y-apoyo-linea-de-prevencion-del-suicidio-ha-recibido-mas-de-227-000-llamadas/
  // (from any mobile phone); 131 is SAMU, the ambulances
  cl: { regions: ['CL'], ...{ call: '*4141', free: true, speaks: ['es'], emergency: '131' } },
  // https://www.telefonseelsorge.de, https://www.domradio.de/artikel/telefonseelsorge-jetzt-unter-oekumenischem-dachverband
  de: {
    regions: ['DE'],
    ...{ name: 'TelefonSeelsorge', call: '0800 1110111', free: true, speaks: ['de'], emergency: '112' },
  },
  // https://3114.fr/que-se-passe-t-il-quand-je-contacte-le-3114/
  fr: { regions: ['FR'], ...{ call: '3114', free: true, speaks: ['fr'], emergency: '112' } },
  // https://theshillongtimes.com/2025/02/07/tele-manas-mental-health-helpline-handles-over-18-1-lakh-calls-centre/ (twenty
  // languages, as the caller chooses)
  in: {
    regions: ['IN'],
    ...{ name: 'Tele MANAS', call: '14416', free: true, speaks: ['en', 'hi'], emergency: '112' },
  },
}

/**
 * Where someone in a crisis can turn now: the line of the country of their time zone, in countries without one here a
 * directory of lines, and the line of CRISIS_LINE where the country is not known (`timeZone` null, or UTC). Null if
 * CRISIS_LINE is `off`.
 */
export function crisisView(
  setting: CrisisLine,
  timeZone: string | null,
  translator: Translator,
): CrisisView | null {
  if (setting === 'off') return null
  const need = translator.t('crisis.need')
  const country = timeZone === null || !isPlace(timeZone) ? setting : countryOf(timeZone)
  const parts = country === undefined ? elsewhere(translator) : answerOf(country, translator)
  return { need, parts, plain: `${need} ${parts.map(({ text }) => text).join('')}` }
}

/** UTC and fixed offsets are nowhere. */
const isPlace = (timeZone: string): boolean => /^(?!Etc\/).+\//.test(timeZone)

const elsewhere = ({ t, tagged }: Translator): CrisisPart[] => [
  ...linked(tagged('crisis.elsewhere'), { web: 'https://findahelpline.com' }),
  { text: ` ${t('crisis.elsewhere.danger')}`, href: null },
]

function answerOf(country: Country, translator: Translator): CrisisPart[] {
  const { t, tagged, language, locale } = translator
  const { call, text, emergency, speaks } = LINES[country]
  const links = {
    call: `tel:${dialed(call)}`,
    sms: `sms:${dialed(text ?? '')}`,
    emergency: `tel:${emergency}`,
  }
  const other = speaks.includes(language)
    ? ''
    : ` ${t('crisis.speaks', { languages: languageNames({ speaks, locale }) })}`
  return [
    ...linked(wordsOf(country, translator), links),
    { text: `${other} `, href: null },
    ...linked(tagged('crisis.danger', { number: emergency }), links),
  ]
}

function wordsOf(country: Country, { tagged, locale }: Translator): TaggedText[] {
  if (country === 'us') return tagged('crisis.us')
  const { call, text, free, name = 'none', regions } = LINES[country]
  const values = {
    ...{ name, number: call, free: free ? 'yes' : 'no' },
    country: countryName({ region: regions[0] ?? '', locale }),
  }
  return text === undefined ? tagged('crisis.call', values) : tagged('crisis.callOrText', { ...values, text })
}

const linked = (words: readonly TaggedText[], links: Record<string, string>): CrisisPart[] =>
  words.map(({ text, tag }) => ({ text, href: tag === null ? null : (links[tag] ?? null) }))

const dialed = (number: string): string => number.replaceAll(' ', '')

const NAMES_KEPT = 50

const countryName = lru(
  NAMES_KEPT,
  ({ region, locale }: { region: string; locale: string }) => `${region} ${locale}`,
  ({ region, locale }) => weighed(new Intl.DisplayNames(locale, { type: 'region' })).of(region) ?? region,
)

const languageNames = lru(
  NAMES_KEPT,
  ({ speaks, locale }: { speaks: readonly string[]; locale: string }) => `${speaks.join()} ${locale}`,
  ({ speaks, locale }) => {
    const list = weighed(new Intl.ListFormat(locale, { type: 'disjunction' }))
    return list.format(speaks.map((language) => languageNamed(language, locale)))
  },
)

/** The country of a zone by the table of the tz database, which Intl has; undefined if it has no line here. */
function countryOf(timeZone: string): Country | undefined {
  countries ??= new Map(
    COUNTRIES.flatMap((country) =>
      LINES[country].regions
        .flatMap((region) => new Intl.Locale(`und-${region}`).getTimeZones() ?? [])
        .map((zone): [string, Country] => [zoneToday(zone) ?? zone, country]),
    ),
  )
  return countries.get(zoneToday(timeZone) ?? timeZone)
}

let countries: Map<string, Country> | undefined
