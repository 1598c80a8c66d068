import type { FastifyInstance, FastifyReply } from 'fastify'
import { allowEmails, isNotMe, refuseEmails } from '../../../actions/subscribers/refuse.ts'
import type { App } from '../../../app.ts'
import { toJoin } from '../next.ts'
import { basePath } from '../pages.ts'

type Needs = Pick<App, 'config' | 'store' | 'log' | 'now'>
type WithToken = { Params: { token: string } }

/**
 * "Not me, never again", in every email that someone else can cause. Only POST changes anything; the same link undoes it.
 */
export function addNotMeRoutes(server: FastifyInstance, app: Needs): void {
  server.get<WithToken>('/not-me/:token', (request, reply) => {
    if (!isNotMe(app, request.params.token)) return reply.callNotFound()
    return reply.view('not-me', {
      title: reply.translator.t('page.notMe.title'),
      allow: allowUrl(app, request),
    })
  })
  server.post<WithToken>('/not-me/:token', async (request, reply) => {
    if (!(await refuseEmails(app, request.params.token))) return reply.callNotFound()
    app.log.info({ outcome: 'refused' }, 'not me')
    return reply.view('refused', {
      title: reply.translator.t('page.refused.title'),
      allow: allowUrl(app, request),
    })
  })
  server.post<WithToken>('/not-me/:token/allow', async (request, reply: FastifyReply) => {
    if (!(await allowEmails(app, request.params.token))) return reply.callNotFound()
    app.log.info({ outcome: 'allowed' }, 'not me')
    const { t } = reply.translator
    return reply.view('message', {
      title: t('page.allowed.title'),
      text: t('page.allowed.text'),
      next: toJoin(app, reply),
    })
  })
}

const allowUrl = ({ config }: Needs, { params }: { params: { token: string } }): string =>
  `${basePath(config)}/not-me/${encodeURIComponent(params.token)}/allow`
