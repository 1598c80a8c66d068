import type { FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import { shortLocale } from '../../core/words/locales.ts'
import { type Catalogs, isSpoken, translatorFor } from '../../core/words/words.ts'

/** The visitor's language: from `?lang=`, else from their browser (RFC 9110 §12.5.4), else `fallback`. */
export function localeOf(request: FastifyRequest, words: Catalogs, fallback: string): string {
  const chosen = chosenBy(request, words)
  if (chosen !== null) return chosen
  for (const tag of new Negotiator(request.raw).languages()) {
    const locale = understood(tag, words)
    if (locale !== null) return locale
  }
  return fallback
}

/** Answers a reader in their own language, unless they chose another one on the page. */
export function speakAs(reply: FastifyReply, words: Catalogs, locale: string): void {
  if (chosenBy(reply.request, words) === null) reply.translator = translatorFor(words, locale)
}

/** What links keep if the visitor chose a language on the page: `?lang=es`, or nothing. */
export function chosenLanguage(request: FastifyRequest, words: Catalogs): string {
  const lang = chosenBy(request, words)
  return lang === null ? '' : `?lang=${encodeURIComponent(lang)}`
}

/** The language in the URL, if we have it: `es` or `es-MX`, without the rest of the tag. */
export function chosenBy(request: FastifyRequest, words: Catalogs): string | null {
  const { lang } = request.query as { lang?: unknown }
  return typeof lang === 'string' ? understood(lang, words) : null
}

/** The same page in the other languages; after a form, or on a missing page, the first page. */
export function languageLinks(
  { request, statusCode, translator }: FastifyReply,
  words: Catalogs,
  base: string,
) {
  const again = request.method === 'GET' && statusCode < 400
  const [path = '/', search = ''] = again ? request.url.split('?', 2) : ['/']
  return Object.entries(words)
    .filter(([other]) => other !== translator.language)
    .map(([other, catalog]) => {
      const query = new URLSearchParams(search)
      query.set('lang', other)
      return { language: other, name: catalog.language, url: `${base}${path}?${query.toString()}` }
    })
}

// `translatorFor` falls back to English for any unknown tag, such as `*`.
const understood = (tag: string, words: Catalogs): string | null =>
  LANGUAGE_TAG.test(tag) && isSpoken(words, tag) ? shortLocale(tag) : null

const LANGUAGE_TAG = /^[a-z]{2,3}(-[a-z\d]{2,8})*$/i
