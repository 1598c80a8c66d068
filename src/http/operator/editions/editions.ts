import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type ControlOutcome, cancel, pause, resume } from '../../../actions/editions/control.ts'
import { correctionFor } from '../../../actions/editions/correction.ts'
import { judgeCorrection } from '../../../actions/editions/judge-correction.ts'
import { type ResendRequest, resendEdition } from '../../../actions/editions/resend.ts'
import { recentSummaries, summaryOf } from '../../../actions/editions/show.ts'
import { actingAs, demand } from '../../../actions/operators/acting.ts'
import type { App } from '../../../app.ts'
import { nowhere } from '../errors.ts'
import { fieldOf } from '../sign-in/browser.ts'
import { dayOf } from '../when.ts'
import { controlsOf, progressOf, showEdition, TABS, type Tab } from './page.ts'
import { sumOf } from './sum.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'hashKey' | 'actor' | 'queue'>
type Of = { Params: { id: string }; Querystring: { tab?: string; page?: string } }

const ON_PAGE = 20
const RESENDS = ['failed', 'unknown', 'all', 'to', 'correct'] as const

/** Adds `/editions` and `/editions/:id`. */
export function addEditionRoutes(server: FastifyInstance, app: Needs): void {
  const see = { config: { may: 'editions.see' as const } }
  const control = { config: { may: 'editions.control' as const } }
  const as = ({ actor }: FastifyRequest) => actingAs(app, actor)

  server.get<Of>('/editions', see, async (request, reply) => {
    const page = Math.max(1, Math.trunc(Number(request.query.page)) || 1)
    const { editions, more } = await recentSummaries(as(request), {
      skip: (page - 1) * ON_PAGE,
      most: ON_PAGE,
    })
    const { words } = reply
    return reply.show('editions', {
      title: words.t('nav.editions'),
      editions: editions.map((summary) => ({
        url: `/editions/${summary.id}`,
        day: dayOf(summary.id, words),
        state: words.t(`editions.short.${summary.state}`),
        ...sumOf(summary.edition, words),
        resends: summary.resends.length,
      })),
      previous: page > 1 ? `/editions?page=${page - 1}` : null,
      next: more ? `/editions?page=${page + 1}` : null,
    })
  })

  server.get<Of>('/editions/:id', see, async (request, reply) => {
    const mine = as(request)
    demand(mine, 'editions.see')
    const summary = await summaryOf(mine, request.params.id)
    if (summary === null) return nowhere(reply)
    return showEdition(mine, request, reply, { summary, tab: tabIn(request.query.tab) })
  })
  server.get<Of>('/editions/:id/progress', see, async (request, reply) => {
    const summary = await summaryOf(as(request), request.params.id)
    if (summary === null) return reply.code(404).send()
    const progress = progressOf(summary, reply.words)
    const etag = `"${createHash('sha256').update(JSON.stringify(progress)).digest('base64url').slice(0, 16)}"`
    reply.header('etag', etag)
    return request.headers['if-none-match'] === etag ? reply.code(304).send() : reply.send(progress)
  })

  server.post<Of>('/editions/:id/pause', control, async (request, reply) =>
    controlled(app, request, reply, 'paused', (mine, id) =>
      pause(mine, id, reply.words.t('editions.paused-by')),
    ),
  )
  server.post<Of>('/editions/:id/resume', control, async (request, reply) =>
    controlled(app, request, reply, 'resumed', (mine, id) => resume(mine, id)),
  )
  server.post<Of>('/editions/:id/cancel', control, async (request, reply) =>
    controlled(app, request, reply, 'cancelled', (mine, id) => cancel(mine, id)),
  )
  server.get<Of & { Params: { session: string } }>(
    '/editions/:id/correct/:session',
    control,
    (request, reply) => showCorrection(actingAs(app, request.actor), request.params, reply),
  )
  server.post<Of>('/editions/:id/resend', control, (request, reply) => resend(app, request, reply))
}

async function controlled(
  app: Needs,
  request: FastifyRequest<Of>,
  reply: FastifyReply,
  done: 'paused' | 'resumed' | 'cancelled',
  act: (mine: Needs, id: string) => Promise<ControlOutcome>,
): Promise<FastifyReply> {
  const { id } = request.params
  const outcome = await act(actingAs(app, request.actor), id)
  if (outcome.kind === 'done') return reply.done(`/editions/${id}`, `editions.done.${done}`)
  return outcome.kind === 'not-found' ? nowhere(reply) : refused(app, request, reply, outcome.reason)
}

/** The form says how many resends there were when it was shown, so that a page that is old mails nobody again. */
async function resend(app: Needs, request: FastifyRequest<Of>, reply: FastifyReply): Promise<FastifyReply> {
  const { id } = request.params
  const mine = actingAs(app, request.actor)
  const summary = await summaryOf(mine, id)
  if (summary === null) return nowhere(reply)
  const asked = requestIn(request.body)
  const isOld = fieldOf(request.body, 'generation') !== String(controlsOf(summary, request).generation)
  if (asked === null || isOld) return refused(app, request, reply, reply.words.t('editions.old-page'))
  const outcome = await resendEdition(mine, id, asked, summary.resends.length)
  if (outcome.kind === 'planned')
    return reply.done(`/editions/${id}`, 'editions.done.resent', { n: outcome.recipients })
  return outcome.kind === 'not-found' ? nowhere(reply) : refused(app, request, reply, outcome.reason)
}

function requestIn(body: unknown): ResendRequest | null {
  const kind = RESENDS.find((one) => one === fieldOf(body, 'who'))
  if (kind === undefined) return null
  if (kind === 'to') return { kind, email: fieldOf(body, 'email') }
  if (kind === 'correct') return { kind, sessionId: Number(fieldOf(body, 'session')) }
  return { kind }
}

/** What a correction would say, and to how many people. */
async function showCorrection(
  app: Needs,
  { id, session }: { id: string; session: string },
  reply: FastifyReply,
): Promise<FastifyReply> {
  demand(app, 'editions.control')
  const summary = await summaryOf(app, id)
  const sessionId = Number(session)
  const offer = await correctionFor(app.store, { editionId: id, sessionId, before: null }, app.now())
  if (summary === null) return nowhere(reply)
  const { refused, recipients, more } = await judgeCorrection(app, { editionId: id, sessionId })
  const { words } = reply
  return reply.show('correction', {
    title: words.t('editions.correct.title'),
    wide: false,
    id,
    session,
    group: offer?.group ?? null,
    wrong: (offer?.correction?.wrong ?? []).map((one) => words.t(`editions.wrong.${one}`)),
    generation: summary.resends.length,
    refused,
    recipients,
    more: more ? 'yes' : 'no',
    // It was saved as news, so the next edition tells them again.
    again: offer !== null && offer.seq > summary.throughSeq,
  })
}

async function refused(
  app: Needs,
  request: FastifyRequest<Of>,
  reply: FastifyReply,
  wrong: string,
): Promise<FastifyReply> {
  const summary = await summaryOf(app, request.params.id)
  if (summary === null) return nowhere(reply)
  return showEdition(app, request, reply.code(409), { summary, tab: tabIn(request.query.tab), wrong })
}

const tabIn = (given: string | undefined): Tab => TABS.find((tab) => tab === given) ?? 'shown'
