import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { App } from '../../app.ts'
import { chosenLanguage } from './language.ts'
import { basePath } from './pages.ts'

type Needs = Pick<App, 'config' | 'templates'>
type WithToken = { Params: { token: string } }

/**
 * A browser that restores the tab of a posted form requests its URL with GET. This redirects it to the page of the form.
 * Specific routes, such as `/preferences/:token/forget`, come first.
 */
export function addRestoredTabs(server: FastifyInstance, app: Needs): void {
  const to = (path: string, request: FastifyRequest, reply: FastifyReply) =>
    reply.redirect(basePath(app.config) + path + chosenLanguage(request, app.templates.words), 303)

  server.get('/subscribe', async (request, reply) => to('/', request, reply))
  const pages = { unsubscribe: 'undo|pause|monthly', preferences: 'pause|calendar|address' }
  for (const [page, forms] of Object.entries(pages))
    server.get<WithToken>(`/${page}/:token/:form(^(?:${forms})$)`, async (request, reply) =>
      to(`/${page}/${encodeURIComponent(request.params.token)}`, request, reply),
    )
}
