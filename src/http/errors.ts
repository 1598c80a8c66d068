import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { App } from '../app.ts'
import { databaseTrouble, isLocked } from '../db/trouble.ts'
import { toTimes } from './public/next.ts'

type Needs = Pick<App, 'config' | 'log'>

/** Answers unknown URLs and errors with a plain page. Details of errors go only to the log. */
export async function addErrorPages(server: FastifyInstance, app: Needs): Promise<void> {
  const { log } = app
  server.setNotFoundHandler((_request, reply) => replyWith(app, reply.code(404), 'nowhere'))
  server.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500
    if (status < 500) return replyWith(app, reply.code(status), 'unread')
    if (isLocked(error)) {
      log.error(
        { reason: databaseTrouble(error) },
        'the database cannot be used: requests are answered with 503',
      )
      return replyWith(app, reply.code(503).header('retry-after', RETRY_AFTER_S), 'locked')
    }
    log.error(
      { route: request.routeOptions.url ?? 'none', error: safeText(error, request) },
      'a request failed',
    )
    return replyWith(app, reply.code(status), 'failed')
  })
}

const SHORTEST_SECRET = 8
const RETRY_AFTER_S = 10
// In case the error page itself cannot be made.
const PLAIN =
  'Something went wrong on our side. This wasn’t caused by anything you did. Please try again in a minute.\n'

type What = 'nowhere' | 'unread' | 'failed' | 'locked'

function replyWith(app: Needs, reply: FastifyReply, what: What): FastifyReply {
  try {
    const { t } = reply.translator
    // Where the database is in trouble, another page would fail as well.
    const next = what === 'nowhere' || what === 'unread' ? toTimes(app, reply) : null
    return reply.view('message', { title: t(`page.${what}.title`), text: t(`page.${what}.text`), next })
  } catch {
    return reply.type('text/plain; charset=utf-8').send(PLAIN)
  }
}

/** The stack without the token of the link, or either half of it: errors of queries contain their parameters. */
function safeText(error: Error, request: FastifyRequest): string {
  const params = Object.values((request.params ?? {}) as Record<string, string>)
  return params
    .flatMap((param) => [param, ...param.split('.')])
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .reduce((text, secret) => text.replaceAll(secret, '[token]'), error.stack ?? String(error))
}
