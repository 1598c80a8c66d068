import { shortLocale } from '../words/locales.ts'

const ENGLISH = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' })

/** A language tag cut to `language[-REGION]`; null if it is not valid, or its language does not exist. */
export function usualTag(tag: string): string | null {
  const locale = shortLocale(tag)
  return locale !== null && ENGLISH.of(primary(locale)) !== undefined ? locale : null
}

/** The language that people mean by a tag (`es`, `es-MX`) or a name (`Spanish`, `español`): its BCP 47 primary tag, or null. */
export function languageMeant(written: string): string | null {
  const tag = usualTag(written)
  if (tag !== null) return primary(tag)
  names ??= namesOfLanguages()
  return names.get(simple(written)) ?? null
}

const primary = (tag: string): string => tag.split('-', 1)[0] ?? tag

let names: Map<string, string> | null = null

/** Languages with three letters that people look for a group in. */
const LONGER = ['ase', 'fil', 'haw', 'hmn', 'yue']

/** Names that people use and `Intl` does not. */
const ALSO = { asl: 'ase', castellano: 'es', kreyol: 'ht', mandarin: 'zh', tagalog: 'fil' }

/** What each language is called in English, in Spanish, and by those who speak it. */
function namesOfLanguages(): Map<string, string> {
  const letters = 'abcdefghijklmnopqrstuvwxyz'.split('')
  const pairs = letters.flatMap((one) => letters.map((other) => one + other))
  const tags = [...pairs, ...LONGER].filter((tag) => usualTag(tag) === tag)
  const calledIn = (locale: string, tag: string) =>
    new Intl.DisplayNames(locale, { type: 'language', fallback: 'none' }).of(tag)
  const called = tags.flatMap((tag) =>
    [tag, 'es', 'en'].flatMap((locale) => {
      const name = calledIn(locale, tag)
      return name === undefined ? [] : [[simple(name), tag] as const]
    }),
  )
  return new Map([...Object.entries(ALSO), ...called])
}

/** `Español` and `espanol` are the same name. */
const simple = (name: string): string => name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
