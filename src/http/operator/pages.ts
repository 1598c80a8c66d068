import type { FastifyInstance, FastifyReply } from 'fastify'
import Handlebars from 'handlebars'
import type { App } from '../../app.ts'
import { mayDo, type Permission } from '../../core/operators/permissions.ts'
import { type Translator, translatorFor, type Values } from '../../core/words/words.ts'
import { keepSaid } from '../../db/operators/sign-ins.ts'
import type { OperatorKey, OperatorTemplates } from '../../templates/operator.ts'
import { iconFor, letterOf } from '../mark.ts'
import { serveFile } from '../serve-file.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** The words of the operators' pages, in the operator's language. */
    words: Translator<OperatorKey>
    /** Answers with `templates/operator/NAME.hbs` inside the layout. `title` is the page's title, `script` the name of its script. */
    show(
      name: string,
      data: { title: string; script?: string | undefined } & Record<string, unknown>,
    ): FastifyReply
    /** Answers 303 to `url`, a path of ours, where one line says what was done. */
    done(url: string, key: OperatorKey, values?: Values): Promise<FastifyReply>
  }
}

type Needs = Pick<App, 'config' | 'store'>

const TYPES: Record<string, string> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
}

/** The pages in the order of the navigation; only those appear that the operator may see. */
const PAGES: { url: string; key: OperatorKey; may: Permission; also?: readonly string[] }[] = [
  { url: '/', key: 'nav.today', may: 'today.see' },
  { url: '/sessions', key: 'nav.sessions', may: 'sessions.see', also: ['/groups', '/topics'] },
  { url: '/import', key: 'nav.import', may: 'sessions.edit' },
  { url: '/editions', key: 'nav.editions', may: 'editions.see' },
  { url: '/readers', key: 'nav.readers', may: 'readers.see' },
  { url: '/suppressions', key: 'nav.suppressions', may: 'suppressions.see' },
  { url: '/check', key: 'nav.check', may: 'check.see' },
  { url: '/people', key: 'nav.people', may: 'people.see' },
  { url: '/audit', key: 'nav.audit', may: 'audit.see' },
]

/** Adds `words`, `show` and `done` to every reply, and serves the style sheet, the scripts and the icon. */
export function addOperatorPages(server: FastifyInstance, app: Needs, templates: OperatorTemplates): void {
  const { config } = app
  const files = serveFiles(server, templates, iconFor(config.practice, config.palette))
  server.decorateReply('words')
  server.addHook('onRequest', async (_request, reply) => {
    reply.words = translatorFor(templates.words, config.LOCALE)
  })
  server.decorateReply('show', function show(this: FastifyReply, name, data) {
    const all = {
      practice: config.practice,
      letter: letterOf(config.practice),
      files,
      language: this.words.language,
      wide: true,
      live: null,
      said: saidTo(this),
      who: this.request.signIn?.email ?? null,
      nav: navigation(this),
      ...data,
      script: files[camel(data.script ?? '')] ?? null,
    }
    const body = new Handlebars.SafeString(render(templates, name, all, this))
    const html = render(templates, 'layout', { ...all, body }, this)
    return this.header('content-language', this.words.language).type('text/html; charset=utf-8').send(html)
  })
  server.decorateReply('done', async function done(this: FastifyReply, url, key, values = {}) {
    const { signIn } = this.request
    if (signIn) await keepSaid(app.store, signIn.id, JSON.stringify({ key, values }))
    return this.redirect(url, 303)
  })
  // What a page has said is said once. After the answer, so that the page is not held up by the write.
  server.addHook('onResponse', async ({ method, signIn }, reply) => {
    const isPage = String(reply.getHeader('content-type')).startsWith('text/html')
    if (method === 'GET' && isPage && signIn?.said) await keepSaid(app.store, signIn.id, null)
  })
}

function render(templates: OperatorTemplates, name: string, data: object, reply: FastifyReply): string {
  const page = templates.pages.get(name)
  if (page === undefined) throw new Error(`there is no page templates/operator/${name}.hbs`)
  return page(data, reply.words)
}

/** The URL of each file by its name without dots: `styleCss`, `liveJs`. */
function serveFiles(
  server: FastifyInstance,
  { files }: OperatorTemplates,
  icon: string,
): Record<string, string> {
  const served = [...files].map(([name, content]) => {
    const extension = name.slice(name.lastIndexOf('.') + 1)
    return [camel(name), serveFile(server, name, content, TYPES[extension] ?? 'text/plain')] as const
  })
  return { ...Object.fromEntries(served), iconSvg: serveFile(server, 'icon.svg', icon, 'image/svg+xml') }
}

const camel = (name: string): string =>
  name.replace(/[.-]([a-z])/g, (_match, letter: string) => letter.toUpperCase())

function navigation({ request, words }: FastifyReply) {
  const [path = '/'] = request.url.split('?', 1)
  const isUnder = (url: string) => path === url || (url !== '/' && path.startsWith(`${url}/`))
  return PAGES.filter(({ may }) => mayDo(request.actor, may)).map(({ url, key, also = [] }) => ({
    url,
    name: words.t(key),
    here: [url, ...also].some(isUnder),
  }))
}

function saidTo({ request, words }: FastifyReply): string | null {
  const { said } = request.signIn ?? {}
  if (!said || request.method !== 'GET') return null
  const { key, values } = JSON.parse(said) as { key: OperatorKey; values: Values }
  return words.t(key, values)
}
