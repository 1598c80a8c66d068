import type { FastifyInstance, FastifyReply } from 'fastify'
import Handlebars from 'handlebars'
import type { App } from '../../app.ts'
import { phoneLink } from '../../core/intake/phone.ts'
import { crisisView } from '../../core/words/crisis.ts'
import { expectFacts } from '../../core/words/expect.ts'
import { type Translator, translatorFor } from '../../core/words/words.ts'
import { iconFor, letterOf } from '../mark.ts'
import { serveFile } from '../serve-file.ts'
import { chosenLanguage, languageLinks, localeOf } from './language.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** The language of the answer: the visitor's, unless a route sets another. */
    translator: Translator
    /** Answers with a page of `templates/pages/` inside the layout. */
    view(name: PageName, data: object): FastifyReply
    /** The same page as text, without sending it. */
    written(name: PageName, data: object): string
    /** Answers with the text that `written` made for the same URL and language. */
    page(html: string | Buffer): FastifyReply
  }
}

type Needs = Pick<App, 'config' | 'templates'>
type PageName = keyof App['templates']['pages']

/** Adds `translator` and `view` to every reply, and serves the stylesheet and the scripts. */
export function addPages(server: FastifyInstance, { config, templates }: Needs): void {
  const { pages, words } = templates
  const base = basePath(config)
  const stylesheet = serveFile(server, 'style.css', templates.files['style.css'], 'text/css; charset=utf-8')
  const script = serveFile(server, 'join.js', templates.files['join.js'], 'text/javascript; charset=utf-8')
  const icon = serveIcon(server, iconFor(config.practice, config.palette))
  const everywhere = {
    base,
    width: 'narrow',
    crisisFirst: false,
    icon: base + icon,
    letter: letterOf(config.practice),
    stylesheet: base + stylesheet,
    script: base + script,
    practice: config.practice,
    logoUrl: config.BRAND_LOGO_URL ?? null,
    postalAddress: config.POSTAL_ADDRESS,
    practiceUrl: config.PRACTICE_URL ?? null,
    phone: config.PRACTICE_PHONE ?? null,
    phoneUrl: phoneLink(config.PRACTICE_PHONE ?? ''),
    ...writeTo(addressIn(config.MAIL_REPLY_TO)),
  }
  const expectIn = expectations({ config, templates })
  server.decorateReply('translator')
  server.addHook('onRequest', async (request, reply) => {
    reply.translator = translatorFor(words, localeOf(request, words, config.LOCALE))
  })
  server.decorateReply('written', function written(this: FastifyReply, name: PageName, data: object) {
    const { translator, request } = this
    const inLanguage = chosenLanguage(request, words)
    const all = {
      ...everywhere,
      language: translator.language,
      languages: languageLinks(this, words, base),
      inLanguage,
      homeUrl: `${base}/${inLanguage}`,
      crisis: crisisView(config.CRISIS_LINE, null, translator),
      next: null,
      expect: expectIn(translator),
      ...data,
    }
    const body = new Handlebars.SafeString(pages[name](all, translator))
    return pages.layout({ ...all, body }, translator)
  })
  server.decorateReply('page', function page(this: FastifyReply, html: string | Buffer) {
    return this.header('vary', 'accept-language')
      .header('content-language', this.translator.language)
      .type('text/html; charset=utf-8')
      .send(html)
  })
  server.decorateReply('view', function view(this: FastifyReply, name: PageName, data: object) {
    return this.page(this.written(name, data))
  })
}

/** What to expect of a group, as HTML for the pages that show it; made once per language. */
function expectations({ config, templates }: Needs): (translator: Translator) => Handlebars.SafeString {
  const known = new Map<string, Handlebars.SafeString>()
  return (translator) => {
    const kept = known.get(translator.language)
    if (kept) return kept
    const { language, parts } = templates.expect(expectFacts(config), translator) ?? {
      language: '',
      parts: [],
    }
    const html = new Handlebars.SafeString(templates.pages.expect({ lang: language, parts }, translator))
    known.set(translator.language, html)
    return html
  }
}

/** Also under the name that browsers and feed readers ask for without being told; that one has no version in it. */
function serveIcon(server: FastifyInstance, svg: string): string {
  server.get('/favicon.ico', (_request, reply) =>
    reply.header('cache-control', 'public, max-age=86400').type('image/svg+xml').send(svg),
  )
  return serveFile(server, 'icon.svg', svg, 'image/svg+xml')
}

/** The path of PUBLIC_URL, if a proxy shows this server below one; usually empty. */
export function basePath({ PUBLIC_URL }: Pick<App['config'], 'PUBLIC_URL'>): string {
  return new URL(PUBLIC_URL).pathname.replace(/\/$/, '')
}

const writeTo = (replyTo: string | null) => ({ replyTo, writeUrl: `mailto:${replyTo ?? ''}` })

const addressIn = (mailbox: string | undefined): string | null =>
  mailbox === undefined ? null : (/<([^<>]*)>$/.exec(mailbox)?.[1] ?? mailbox)
