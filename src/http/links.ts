import type { FastifyInstance, FastifyReply } from 'fastify'
import type { App } from '../app.ts'
import { bareToken, readToken, withoutEscapes } from '../core/tokens.ts'

type Needs = Pick<App, 'config' | 'log'>

const PURPOSES = [
  'unsubscribe',
  'preferences',
  'confirm',
  'change-address',
  'undo-address',
  'fresh',
  'not-me',
] as const
const LINK = new RegExp(`^/+(${PURPOSES.join('|')})(?![\\w-])([^?#]*)(\\?[^#]*)?`, 'i')
const CALENDAR = /^\/+calendar\/([^?#]*)(\?[^#]*)?/i

/**
 * The URL of a subscriber's link as we made it, without what an email program or a person added: a final slash, a bracket, a
 * space, an invisible character. Any other URL stays as it is.
 */
export function tidyLink(url: string): string {
  const [, purpose, path = '', query = ''] = LINK.exec(url) ?? []
  if (purpose !== undefined) {
    const [first = '', ...more] = path
      .split(/\/|%2f/i)
      .filter((part) => /[a-z\d]/i.test(withoutEscapes(part)))
    return `/${[purpose.toLowerCase(), bareToken(first) || '-', ...more].join('/')}${query}`
  }
  const [, file = '', search = ''] = CALENDAR.exec(url) ?? []
  const key = /[\w-]+/.exec(withoutEscapes(file).replace(/[^\x21-\x7e]/g, ''))?.[0]
  return key === undefined ? url : `/calendar/${key}.ics${search}`
}

/**
 * Answers a subscriber's link with a wrong signature: cut short, changed, or signed with a LINK_SECRET that is gone. It says
 * that nothing was changed and how to unsubscribe anyway, with the same text for everyone. 404 for one-click too: RFC 8058
 * has no answer for a broken link, and after a 2xx the email program would say that it worked.
 */
export function guardLinks(server: FastifyInstance, app: Needs): void {
  const answer = (reply: FastifyReply, purpose: string) => {
    app.log.info({ purpose }, 'a link with a wrong signature was opened')
    return reply.code(404).view('damaged', { title: reply.translator.t('page.damaged.title') })
  }
  server.addHook('onRequest', async (request, reply) => {
    const purpose = PURPOSES.find((one) => request.routeOptions.url?.startsWith(`/${one}/:token`))
    const { token = '' } = (request.params ?? {}) as { token?: string }
    if (purpose === undefined || readToken(app.config.LINK_SECRET, purpose, token) !== null) return
    return answer(reply, purpose)
  })
  for (const purpose of PURPOSES)
    server.route({
      method: ['GET', 'POST'],
      url: `/${purpose}/*`,
      handler: (_, reply) => answer(reply, purpose),
    })
}
