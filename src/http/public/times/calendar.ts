import type { FastifyInstance, FastifyReply } from 'fastify'
import { calendarFor } from '../../../actions/subscribers/calendar.ts'
import type { App } from '../../../app.ts'
import { sessionCalendar } from '../../../core/sessions/ics.ts'
import { findDatedSession } from '../../../db/sessions/sessions.ts'
import { sendFresh } from '../fresh.ts'
import { toTimes } from '../next.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'templates'>
type ForSession = { Params: { id: string }; Querystring: { discreet?: unknown } }

/**
 * Times for calendar apps: single sessions for everyone, and the private calendars of subscribers, each at its own URL. With
 * `?discreet=1`, a session's event and its file name say only when; a private calendar follows its reader's choice.
 */
export function addCalendarRoutes(server: FastifyInstance, app: Needs): void {
  server.get<ForSession>('/sessions/:id(^\\d{1,15}).ics', async (request, reply) => {
    const { id } = request.params
    const discreet = request.query.discreet === '1'
    const session = await findDatedSession(app.store, Number(id))
    if (session === null) return reply.callNotFound()
    const text = sessionCalendar(session, app.config.PUBLIC_URL, reply.translator, app.now(), {
      discreet,
    })
    const file = discreet ? 'calendar.ics' : `session-${id}.ics`
    const answer = asCalendar(reply.header('vary', 'accept-language'), file)
    return sendFresh(request, answer, text)
  })

  server.get<{ Params: { key: string } }>('/calendar/:key.ics', async (request, reply) => {
    const calendar = await calendarFor(app, request.params.key)
    reply.header('cache-control', 'private, no-store')
    switch (calendar.kind) {
      case 'calendar':
        return asCalendar(reply, 'calendar.ics').send(calendar.text)
      case 'gone':
        return reply.code(410).view('message', {
          title: reply.translator.t('page.calendar.gone.title'),
          text: reply.translator.t('page.calendar.gone.text'),
          next: toTimes(app, reply),
        })
    }
  })
}

const asCalendar = (reply: FastifyReply, file: string): FastifyReply =>
  reply.type('text/calendar; charset=utf-8').header('content-disposition', `inline; filename="${file}"`)
