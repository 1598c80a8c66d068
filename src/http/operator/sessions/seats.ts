import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { actingAs } from '../../../actions/operators/acting.ts'
import { changeSeats, takeBackSeats } from '../../../actions/sessions/seats.ts'
import type { App } from '../../../app.ts'
import { type ListedSession, type WaitingSeats, writtenSession } from '../../../db/sessions/listing.ts'
import { formOf } from './fields.ts'

type Words = FastifyReply['words']

/** Seats as a page shows them; `saving` in words while they can be undone, for `dueInMs` more. */
export type SeatsView = {
  id: number
  group: string
  shown: string
  of: string | null
  canLess: boolean
  canMore: boolean
  saving: string | null
  dueInMs: number
  back: string
}

const Id = z.object({ id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) })

/** The number in the path; NaN answers as what is not there. */
export const idIn = ({ params }: FastifyRequest): number => Id.safeParse(params).data?.id ?? -1

/** Adds the buttons for seats. A script asks for JSON and stays on the page; without one the browser comes back to it. */
export function addSeatButtons(server: FastifyInstance, app: App): void {
  server.post('/sessions/:id/seats', { config: { may: 'sessions.edit' } }, async (request, reply) => {
    const { step, back } = formOf(request.body)
    const id = idIn(request)
    const pressed = await changeSeats(actingAs(app, request.actor), id, step === '-1' ? -1 : 1)
    if (pressed.kind === 'gone') return reply.callNotFound()
    return answer(app, reply, request, id, back)
  })
  server.post('/sessions/:id/seats/undo', { config: { may: 'sessions.edit' } }, async (request, reply) => {
    const id = idIn(request)
    const undone = await takeBackSeats(actingAs(app, request.actor), id)
    const { back } = formOf(request.body)
    if (undone === 'counted' && !wantsJson(request))
      return reply.done(safeBack(back), 'sessions.said.counted')
    return answer(app, reply, request, id, back)
  })
}

async function answer(app: App, reply: FastifyReply, request: FastifyRequest, id: number, back = '') {
  if (!wantsJson(request)) return reply.redirect(safeBack(back), 303)
  const found = await writtenSession(app.store, id)
  const view = found?.listed
    ? seatsView(reply.words, found.listed, found.waiting, { back, now: app.now() })
    : null
  return reply.send(view)
}

const wantsJson = ({ headers }: FastifyRequest): boolean => headers.accept === 'application/json'

/** Only our own list and pages: a form could name any site. */
const safeBack = (back = ''): string =>
  /^\/sessions(?:[/?#][\w\-./?#=&%+]*)?$/.test(back) ? back : '/sessions'

/** The seats of a session, with those that wait to be counted; null where nobody counts them. */
export function seatsView(
  { t }: Words,
  session: ListedSession,
  waiting: WaitingSeats | null,
  { back, now }: { back: string; now: Date },
): SeatsView | null {
  const { seatsLeft, seatsTotal, status, id, group } = session
  if (seatsLeft === null || status === 'cancelled') return null
  const shown = seatsLeft + (waiting?.seats ?? 0)
  const dueInMs = waiting ? Math.max(0, waiting.dueAt - now.getTime()) : 0
  const seconds = Math.ceil(dueInMs / 1_000)
  return {
    ...{ id, group, back, dueInMs, shown: String(shown) },
    of: seatsTotal === null ? null : t('sessions.seats.of', { n: seatsTotal }),
    canLess: shown > 0,
    canMore: shown < (seatsTotal ?? 10_000),
    saving: waiting === null ? null : t('sessions.seats.saving', { seconds }),
  }
}
