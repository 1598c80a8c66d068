import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { actingAs } from '../../../actions/operators/acting.ts'
import {
  eraseReader,
  exportReader,
  findReader,
  pauseReader,
  readerSeen,
  resendToReader,
  resubscribeReader,
  resumeReader,
  sendLinks,
  unsubscribeReader,
} from '../../../actions/subscribers/desk.ts'
import type { App } from '../../../app.ts'
import { mayDo } from '../../../core/operators/permissions.ts'
import { nowhere } from '../errors.ts'
import { fieldOf } from '../sign-in/browser.ts'
import { readerView } from './page.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'hashKey' | 'actor' | 'queue'>
type Of = { Params: { id: string } }

/** Adds `/readers` and `/readers/:id`. An address is only ever in a form, never in a URL. */
export function addReaderRoutes(server: FastifyInstance, app: Needs): void {
  const see = { config: { may: 'readers.see' as const } }
  const as = ({ actor }: FastifyRequest) => actingAs(app, actor)

  server.get('/readers', see, (_request, reply) => showFind(reply))
  server.post('/readers/find', see, async (request, reply) => {
    const looked = await findReader(as(request), fieldOf(request.body, 'email'))
    const { t } = reply.words
    if (looked.kind === 'found') return reply.redirect(`/readers/${looked.publicId}`, 303)
    if (looked.kind === 'bad-address')
      return showFind(reply.code(422), t('reader.bad-address', { problem: looked.problem }))
    return looked.kind === 'not-found'
      ? showFind(reply.code(404), t('reader.not-found'))
      : showFind(reply.code(429), t('reader.too-often'))
  })
  server.get<Of>('/readers/:id', see, (request, reply) => showReader(as(request), request, reply))
  addActs(server, app)
  addOwnersActs(server, app)
}

/** What an operator does for someone who asked. */
function addActs(server: FastifyInstance, app: Needs): void {
  const change = { config: { may: 'readers.change' as const } }
  const as = ({ actor }: FastifyRequest) => actingAs(app, actor)
  const pageOf = ({ params }: FastifyRequest<Of>) => `/readers/${params.id}`

  server.post<Of>('/readers/:id/links', change, async (request, reply) => {
    const { kind } = await sendLinks(as(request), request.params.id)
    if (kind === 'sent') return reply.done(pageOf(request), 'reader.done.links')
    return kind === 'unknown-link' ? nowhere(reply) : reply.done(pageOf(request), `reader.links.${kind}`)
  })
  server.post<Of>('/readers/:id/pause', change, async (request, reply) => {
    const paused = await pauseReader(as(request), request.params.id, fieldOf(request.body, 'until'))
    if (paused.kind === 'paused') return reply.done(pageOf(request), 'reader.done.paused')
    const wrong = paused.kind === 'invalid' ? 'reader.pause.wrong' : 'reader.not-subscribed'
    return showReader(as(request), request, reply.code(422), reply.words.t(wrong))
  })
  server.post<Of>('/readers/:id/resume', change, async (request, reply) => {
    const outcome = await resumeReader(as(request), request.params.id)
    return reply.done(pageOf(request), outcome === 'ended' ? 'reader.done.resumed' : 'reader.not-subscribed')
  })
  server.post<Of>('/readers/:id/unsubscribe', change, async (request, reply) => {
    const { kind } = await unsubscribeReader(as(request), request.params.id)
    return kind === 'not-found' ? nowhere(reply) : reply.done(pageOf(request), 'reader.done.unsubscribed')
  })
  server.post<Of>('/readers/:id/resubscribe', change, async (request, reply) => {
    const { kind } = await resubscribeReader(as(request), request.params.id)
    return kind === 'not-found' ? nowhere(reply) : reply.done(pageOf(request), `reader.resubscribe.${kind}`)
  })
  server.post<Of>('/readers/:id/resend', { config: { may: 'editions.control' } }, async (request, reply) => {
    const edition = fieldOf(request.body, 'edition')
    const outcome = await resendToReader(as(request), request.params.id, edition)
    if (outcome.kind === 'planned') return reply.done(pageOf(request), 'reader.done.resent')
    if (outcome.kind === 'not-found') return nowhere(reply)
    return showReader(as(request), request, reply.code(409), outcome.reason)
  })
}

/** What only an owner does, after a fresh proof. */
function addOwnersActs(server: FastifyInstance, app: Needs): void {
  const as = ({ actor }: FastifyRequest) => actingAs(app, actor)
  server.post<Of>('/readers/:id/export', { config: { may: 'readers.export' } }, async (request, reply) => {
    const exported = await exportReader(as(request), request.params.id)
    if (exported.kind === 'not-found') return nowhere(reply)
    return reply
      .header('content-disposition', 'attachment; filename="everything-about-one-person.json"')
      .type('application/json; charset=utf-8')
      .send(`${JSON.stringify(exported.record, null, 2)}\n`)
  })
  server.post<Of>('/readers/:id/erase', { config: { may: 'readers.erase' } }, async (request, reply) => {
    const erased = await eraseReader(as(request), request.params.id)
    return erased.kind === 'erased' ? reply.done('/readers', 'reader.done.erased') : nowhere(reply)
  })
}

function showFind(reply: FastifyReply, wrong: string | null = null): FastifyReply {
  return reply.show('readers', { title: reply.words.t('nav.readers'), wide: false, wrong })
}

async function showReader(
  app: Needs,
  request: FastifyRequest<Of>,
  reply: FastifyReply,
  wrong: string | null = null,
): Promise<FastifyReply> {
  const seen = await readerSeen(app, request.params.id)
  if (seen === null) return nowhere(reply)
  const { words } = reply
  return reply.show('reader', {
    title: words.t('reader.title'),
    id: request.params.id,
    wrong,
    mayExport: mayDo(request.actor, 'readers.export'),
    mayErase: mayDo(request.actor, 'readers.erase'),
    ...readerView(app.config, seen, words, app.now()),
  })
}
