import Handlebars from 'handlebars'
import { IntlMessageFormat } from 'intl-messageformat'
import type english from '../../../templates/words/en.json'
import { lru } from '../lru.ts'
import { shortLocale } from './locales.ts'

/** The name of one message. English has them all; a catalog that lacks one does not load. */
export type MessageKey = keyof typeof english

/** The messages of one language, in ICU MessageFormat, with the tags that `HTML_TAGS` lists. */
export type Catalog = Record<MessageKey, string>

/** By language: `en`, `es`. There is always `en`. */
export type Catalogs = { en: Catalog } & Record<string, Catalog>

export type Values = Readonly<Record<string, string | number>>

/** Speaks one language to one reader. */
export type Translator = {
  /** The language of the catalog: `es`. */
  language: string
  /** How dates, numbers and zones are written: BCP 47, `es-MX`. */
  locale: string
  /** A message as plain text, its tags dropped. Throws when a value that it names is not given. */
  t: (key: MessageKey, values?: Values) => string
  /** A message as HTML: values are escaped, and the tags stay. `<a>` leads to `values.href`. */
  tHtml: (key: MessageKey, values?: Values) => string
}

/** `bdi` keeps a name from turning the direction of the words around it. */
export const HTML_TAGS = ['a', 'b', 'bdi']

/**
 * The translator for a reader's `locale` (BCP 47). One whose language has no catalog, or that is not valid, gets English.
 * Who names no region that exists reads dates as the catalog's own `locale` does: `es` as in the United States.
 * Whatever else the tag says is dropped, so that what is kept by locale cannot grow with what visitors send.
 */
export function translatorFor(catalogs: Catalogs, locale: string): Translator {
  const short = shortLocale(locale) ?? 'en'
  const language = languageOf(short)
  const catalog = catalogs[language]
  if (catalog === undefined) return translatorFor(catalogs, 'en')
  const written = short === language ? catalog.locale : short
  const format = (key: MessageKey, values: Values, tags: Tags) =>
    String(messageOf(catalog[key], catalog.locale).format({ ...values, ...tags }))
  return {
    language,
    locale: written,
    t: (key, values = {}) => format(key, values, PLAIN),
    tHtml: (key, values = {}) => {
      const { href, ...rest } = mapValues(values, escaped)
      const a = (inner: readonly unknown[]) => `<a href="${href}">${inner.join('')}</a>`
      return format(key, rest, { ...HTML, a })
    },
  }
}

/** The language of a locale: `es` of es-MX. */
export const languageOf = (locale: string): string => shortLocale(locale)?.split('-', 1)[0] ?? 'en'

/** Whether a catalog speaks the language of this locale. */
export const isSpoken = (catalogs: Catalogs, locale: string): boolean => languageOf(locale) in catalogs

type Tags = Record<string, (inner: readonly unknown[]) => string>

const PLAIN: Tags = Object.fromEntries(HTML_TAGS.map((tag) => [tag, (inner) => inner.join('')]))
const HTML: Tags = Object.fromEntries(
  HTML_TAGS.map((tag) => [tag, (inner) => `<${tag}>${inner.join('')}</${tag}>`]),
)

const escaped = (value: string | number) =>
  typeof value === 'string' ? Handlebars.escapeExpression(value) : value

const mapValues = (values: Values, change: (value: string | number) => string | number): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]))

/**
 * Messages are slow to parse. Those of one locale take some 400 kB, so that all readers of a language share them: its regions
 * count alike, and would write at most a thousand otherwise.
 */
const LOCALES_KEPT = 16

const messagesIn = lru(
  LOCALES_KEPT,
  (locale: string) => locale,
  () => new Map<string, IntlMessageFormat>(),
)

// The texts are those of the catalogs alone, so that the inner map is bounded too.
function messageOf(text: string, locale: string): IntlMessageFormat {
  const messages = messagesIn(locale)
  const message = messages.get(text) ?? new IntlMessageFormat(text, locale)
  messages.set(text, message)
  return message
}
