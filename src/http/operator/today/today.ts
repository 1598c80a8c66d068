import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  approveEdition,
  type Coming,
  type ComingOutcome,
  comingEdition,
  comingOffers,
  holdEdition,
  sendNow,
} from '../../../actions/editions/coming.ts'
import { testToOneself } from '../../../actions/editions/send-test.ts'
import { actingAs, demand } from '../../../actions/operators/acting.ts'
import type { App } from '../../../app.ts'
import { mayDo } from '../../../core/operators/permissions.ts'
import { keysOf } from '../../../core/review/decision.ts'
import { fieldOf } from '../sign-in/browser.ts'
import { needsOf } from './needs-you.ts'
import { readerIn } from './preview.ts'
import { comingView } from './view.ts'

type Needs = App

/** Adds `/`, Today, with hold, approve, a test copy and Send now. */
export function addTodayRoutes(server: FastifyInstance, app: Needs): void {
  const control = { config: { may: 'editions.control' as const } }
  const as = ({ actor }: FastifyRequest) => actingAs(app, actor)

  server.get('/', { config: { may: 'today.see' } }, (request, reply) => show(as(request), request, reply))
  server.post('/hold', control, async (request, reply) =>
    said(request, reply, await holdEdition(as(request), fieldOf(request.body, 'id')), 'today.done.held'),
  )
  server.post('/approve', control, async (request, reply) => {
    const { saw = [] } = (request.body ?? {}) as { saw?: string | string[] }
    const outcome = await approveEdition(as(request), fieldOf(request.body, 'id'), [saw].flat())
    return said(request, reply, outcome, 'today.done.approved')
  })
  server.get('/send-now', control, async (request, reply) => showSendNow(as(request), reply))
  server.post('/send-now', control, async (request, reply) => {
    const [id, version] = [fieldOf(request.body, 'id'), Number(fieldOf(request.body, 'version'))]
    const outcome = await sendNow(as(request), { id, version })
    if (outcome.kind === 'done') return reply.done(`/editions/${id}`, 'today.done.sent')
    return showSendNow(as(request), reply.code(409), outcome.reason)
  })
  server.post('/test', { config: { may: 'editions.test' } }, async (request, reply) => {
    const mine = as(request)
    demand(mine, 'editions.test')
    const reader = readerIn(fieldOf(request.body, 'reader'))
    const outcome = await testToOneself(mine, { to: request.signIn?.email ?? '', reader })
    const back = fieldOf(request.body, 'back') === 'preview' ? `/preview?reader=${reader}` : '/'
    if (outcome.kind === 'submitted') return reply.done(back, 'today.done.test', { subject: outcome.subject })
    if (outcome.kind === 'nobody') return reply.done(back, 'today.test.nothing')
    return reply.done(back, 'today.test.failed', { reason: outcome.reason })
  })

  async function said(
    request: FastifyRequest,
    reply: FastifyReply,
    outcome: ComingOutcome,
    done: 'today.done.held' | 'today.done.approved',
  ) {
    return outcome.kind === 'done'
      ? reply.done('/', done)
      : show(as(request), request, reply.code(409), outcome.reason)
  }
}

async function show(
  app: Needs,
  request: FastifyRequest,
  reply: FastifyReply,
  wrong: string | null = null,
): Promise<FastifyReply> {
  const { words } = reply
  const coming = await comingEdition(app)
  const { actor } = request
  const may = mayDo(actor, 'editions.control')
  return reply.show('today', {
    title: words.t('nav.today'),
    wrong,
    needs: await needsOf(app, coming, { actor, words }),
    controls: {
      hold: may && coming.state !== 'held',
      approve: may && approves(coming),
      send: may,
    },
    saw: coming.flags.flatMap(keysOf),
    ...comingView(app.config, coming, await comingOffers(app, coming), words, app.now()),
  })
}

const approves = ({ state, waits, flags }: Coming): boolean =>
  waits || state === 'held' || (flags.length > 0 && state !== 'approved')

async function showSendNow(
  app: Needs,
  reply: FastifyReply,
  wrong: string | null = null,
): Promise<FastifyReply> {
  const { words } = reply
  const coming = await comingEdition(app)
  return reply.show('send-now', {
    title: words.t('today.send.title'),
    wide: false,
    wrong,
    version: coming.version,
    ...comingView(app.config, coming, await comingOffers(app, coming), words, app.now()),
  })
}
