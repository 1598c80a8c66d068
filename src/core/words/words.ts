import Handlebars from 'handlebars'
import { IntlMessageFormat } from 'intl-messageformat'
import type english from '../../../templates/words/en.json'
import { lru } from '../lru.ts'
import { shortLocale } from './locales.ts'

/** The name of a message. English has all of them; a catalog that lacks one does not load. */
export type MessageKey = keyof typeof english

/** The messages of one language, in ICU MessageFormat, with the tags in `HTML_TAGS` and `LINK_TAGS`. */
export type Catalog<Key extends string = MessageKey> = Record<Key | 'locale' | 'language', string>

/** By language: `en`, `es`. English is always there. */
export type Catalogs<Key extends string = MessageKey> = { en: Catalog<Key> } & Record<string, Catalog<Key>>

export type Values = Readonly<Record<string, string | number>>

/** Writes messages, dates, and numbers for one reader; or for an operator, with the `Key`s of their own catalog. */
export type Translator<Key extends string = MessageKey> = {
  /** The language of the catalog: `es`. */
  language: string
  /** For dates, numbers, and zones: BCP 47, `es-MX`. */
  locale: string
  /** A message as plain text, without its tags. Throws if a value that it needs is missing. */
  t: (key: Key, values?: Values) => string
  /** A message as HTML: values are escaped, and tags stay. `<a>` links to `values.href`. */
  tHtml: (key: Key, values?: Values) => string
  /** A message as plain text, cut at the tags in `LINK_TAGS`; `tag` is null between them. */
  tagged: (key: Key, values?: Values) => TaggedText[]
}

export type TaggedText = { text: string; tag: string | null }

/** `bdi` keeps a name from changing the text direction of the words around it. */
export const HTML_TAGS = ['a', 'b', 'bdi']

/** Words that become links of different kinds, where one message has several. */
export const LINK_TAGS = ['call', 'sms', 'emergency', 'web']

/**
 * The translator for a reader's `locale` (BCP 47). English if it is not valid, or its language has no catalog. Without a
 * known region, dates follow the catalog's own `locale`: `es` means Spanish as in the United States. Drops the rest of the
 * tag; otherwise caches by locale would grow with whatever visitors send.
 */
export function translatorFor<Key extends string>(catalogs: Catalogs<Key>, locale: string): Translator<Key> {
  const short = shortLocale(locale) ?? 'en'
  const language = languageOf(short)
  const catalog = catalogs[language]
  if (catalog === undefined) return translatorFor(catalogs, 'en')
  const written = short === language ? catalog.locale : short
  const format = (key: Key, values: Values, tags: Tags) =>
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
    tagged: (key, values = {}) => {
      const parts = messageOf(catalog[key], catalog.locale).format<TaggedText>({
        ...values,
        ...PLAIN,
        ...CUT,
      })
      return [parts].flat().map((part) => (typeof part === 'string' ? { text: part, tag: null } : part))
    },
  }
}

/** The language of a locale: `es` of es-MX. */
export const languageOf = (locale: string): string => shortLocale(locale)?.split('-', 1)[0] ?? 'en'

/** Whether there is a catalog for the language of this locale. */
export const isSpoken = (catalogs: Readonly<Record<string, unknown>>, locale: string): boolean =>
  languageOf(locale) in catalogs

type Tags = Record<string, (inner: readonly unknown[]) => string>

const PLAIN: Tags = Object.fromEntries(
  [...HTML_TAGS, ...LINK_TAGS].map((tag) => [tag, (inner) => inner.join('')]),
)
const CUT = Object.fromEntries(
  LINK_TAGS.map((tag) => [tag, (inner: readonly unknown[]): TaggedText => ({ text: inner.join(''), tag })]),
)
const HTML: Tags = {
  ...PLAIN,
  ...Object.fromEntries(HTML_TAGS.map((tag) => [tag, (inner) => `<${tag}>${inner.join('')}</${tag}>`])),
}

const escaped = (value: string | number) =>
  typeof value === 'string' ? Handlebars.escapeExpression(value) : value

const mapValues = (values: Values, change: (value: string | number) => string | number): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]))

/**
 * Messages are slow to parse, and those of one locale take about 400 kB. So all readers of a language share them. Regions
 * have the same plural rules, and would differ at most in how a thousand is written.
 */
const LOCALES_KEPT = 16

const messagesIn = lru(
  LOCALES_KEPT,
  (locale: string) => locale,
  () => new Map<string, IntlMessageFormat>(),
)

// Texts come only from the catalogs, so the inner map is bounded too.
function messageOf(text: string, locale: string): IntlMessageFormat {
  const messages = messagesIn(locale)
  const message = messages.get(text) ?? new IntlMessageFormat(text, locale)
  messages.set(text, message)
  return message
}
