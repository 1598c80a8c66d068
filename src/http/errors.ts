import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { App } from '../app.ts'

/** Answers what is not there and what went wrong with a calm page; the details of the latter go to the log alone. */
export async function addErrorPages(server: FastifyInstance, { log }: Pick<App, 'log'>): Promise<void> {
  // Made now, so that nothing can go wrong while telling that something went wrong.
  const page = (title: string, text: string) => server.view('message.hbs', { title, text })
  const [notFound, notUnderstood, failed] = await Promise.all([
    page('There is no page here', 'The link may be incomplete. Try to open it from the mail once more.'),
    page('That did not work', 'We could not read what your browser sent. Please go back and try again.'),
    page('Something went wrong on our side', 'Nothing you did caused this. Please try again in a minute.'),
  ])

  server.setNotFoundHandler((_request, reply) => reply.code(404).type(HTML).send(notFound))
  server.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500
    if (status < 500) return reply.code(status).type(HTML).send(notUnderstood)
    log.error(
      { route: request.routeOptions.url ?? 'none', error: safeText(error, request) },
      'a request failed',
    )
    return reply.code(status).type(HTML).send(failed)
  })
}

const HTML = 'text/html; charset=utf-8'
const SHORTEST_SECRET = 8

/** The stack without the token of the link or either half of it: queries repeat what they were asked with. */
function safeText(error: Error, request: FastifyRequest): string {
  const params = Object.values((request.params ?? {}) as Record<string, string>)
  return params
    .flatMap((param) => [param, ...param.split('.')])
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .reduce((text, secret) => text.replaceAll(secret, '[token]'), error.stack ?? String(error))
}
