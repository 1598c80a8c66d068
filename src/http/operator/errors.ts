import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { NeedsProof } from '../../actions/operators/acting.ts'
import type { App } from '../../app.ts'
import { databaseTrouble } from '../../db/trouble.ts'
import type { OperatorKey } from '../../templates/operator.ts'
import { proofPage } from './guard.ts'

/** Answers unknown URLs, refusals and errors with a plain page. Details of errors go only to the log. */
export function addOperatorErrors(server: FastifyInstance, { log }: Pick<App, 'log'>): void {
  server.setNotFoundHandler((_request, reply) => nowhere(reply))
  server.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    if (error instanceof NeedsProof) return reply.redirect(proofPage(pageOf(server, request)), 303)
    const status = error.statusCode ?? 500
    if (status === 403) return say(reply.code(403), 'refused')
    if (status < 500) return say(reply.code(status), 'unread')
    const reason = databaseTrouble(error)
    log.error(
      { route: request.routeOptions.url ?? 'none', ...(reason ? { reason } : { error: error.stack }) },
      'a request of an operator failed',
    )
    return say(reply.code(reason ? 503 : status), 'failed')
  })
}

/** Answers that there is no such page, or no such thing any more. */
export const nowhere = (reply: FastifyReply): FastifyReply => say(reply.code(404), 'nowhere')

/** Where a form was: the nearest page above it. A POST to `/readers/x/erase` comes from `/readers/x`. */
function pageOf(server: FastifyInstance, { method, url, routeOptions }: FastifyRequest): string {
  if (method === 'GET') return url
  let [pattern, path] = [routeOptions.url ?? '/', url.split('?', 1)[0] ?? '/']
  do [pattern, path] = [above(pattern), above(path)]
  while (pattern !== '/' && !server.hasRoute({ method: 'GET', url: pattern }))
  return path
}

const above = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/'

type What = 'nowhere' | 'refused' | 'unread' | 'failed'

function say(reply: FastifyReply, what: What): FastifyReply {
  const title: OperatorKey = `common.${what}.title`
  const text: OperatorKey = `common.${what}.text`
  return reply.show('message', { title: reply.words.t(title), text: reply.words.t(text) })
}
