import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { actingAs } from '../../../actions/operators/acting.ts'
import { changeSession, consequenceOf, type Edit } from '../../../actions/sessions/change.ts'
import { practiceOf } from '../../../actions/sessions/practice.ts'
import { settleSeats } from '../../../actions/sessions/seats.ts'
import type { App } from '../../../app.ts'
import type { FieldError } from '../../../core/intake/fields.ts'
import type { Given } from '../../../core/intake/new-session.ts'
import { agendaStatus } from '../../../core/sessions/agenda.ts'
import { nextOccurrence } from '../../../core/time/occurrences.ts'
import { shownIn, type WrittenRow, writtenSession } from '../../../db/sessions/listing.ts'
import type { OperatorKey } from '../../../templates/operator.ts'
import { asText, formOf, labelOf } from './fields.ts'
import { columnsOf, differences, givenOf, sessionFields } from './form.ts'
import { showReview } from './review.ts'
import { idIn, seatsView } from './seats.ts'
import { datesAhead, editionView } from './times.ts'

/** Adds `/sessions/:id`: one session with its form, and what saving it comes to. */
export function addSessionEdit(server: FastifyInstance, app: App): void {
  server.get('/sessions/:id', { config: { may: 'sessions.see' } }, async (request, reply) => {
    await settleSeats(app)
    const found = await writtenSession(app.store, idIn(request))
    if (found === null) return reply.callNotFound()
    return showForm(app, reply, found, { given: givenOf(found.row), version: found.row.version })
  })
  server.post('/sessions/:id', { config: { may: 'sessions.edit' } }, async (request, reply) => {
    const form = formOf(request.body)
    const edit = {
      ...{ id: idIn(request), version: Number(form.version), given: columnsOf(form) },
      farAhead: form.far_ahead === 'yes',
    }
    return save(app, request, reply, edit, form.how ?? '')
  })
  server.post('/sessions/:id/status', { config: { may: 'sessions.edit' } }, async (request, reply) => {
    const { status = '', version } = formOf(request.body)
    const found = await writtenSession(app.store, idIn(request))
    if (found === null) return reply.callNotFound()
    const given = { ...givenOf(found.row), status }
    const edit = { id: found.row.id, version: Number(version), given, farAhead: true }
    return save(app, request, reply, edit, status === 'open' ? '' : 'loud')
  })
}

/** `how`: '' asks first where anyone hears of it; `loud` and `quiet` are the two answers; `edit` goes back to the form. */
async function save(app: App, request: FastifyRequest, reply: FastifyReply, edit: Edit, how: string) {
  const acting = actingAs(app, request.actor)
  await settleSeats(app)
  const found = await writtenSession(app.store, edit.id)
  if (found === null) return reply.callNotFound()
  if (how === 'edit') return showForm(app, reply, found, edit)
  if (how === '') {
    const looked = await consequenceOf(acting, edit)
    if (looked.kind === 'consequence' && looked.matters)
      return showReview(app, reply, looked, await reviewed(app, edit, found.row))
  }
  const saved = await changeSession(acting, edit, { quiet: how === 'quiet' })
  if (saved.kind === 'gone') return reply.callNotFound()
  if (saved.kind === 'invalid')
    return showForm(app, reply.code(422), found, { ...edit, errors: saved.errors })
  if (saved.kind === 'meanwhile') return showForm(app, reply.code(409), found, { ...edit, isMeanwhile: true })
  return reply.done(`/sessions/${edit.id}`, saidOf(saved.kind, how, edit.given.status ?? '', found.row))
}

function saidOf(kind: 'changed' | 'same', how: string, status: string, before: WrittenRow): OperatorKey {
  if (kind === 'same') return 'sessions.said.same'
  if (how === 'quiet') return 'sessions.said.saved-quietly'
  const isStatus = status !== before.status && ['open', 'full', 'cancelled'].includes(status)
  return isStatus ? (`sessions.said.${status}` as OperatorKey) : 'sessions.said.saved'
}

async function reviewed(app: App, edit: Edit, before: WrittenRow) {
  const { topicNames } = await practiceOf(app)
  const [was, is] = [givenOf(before), edit.given]
  const hidden = {
    ...edit.given,
    ...{ version: String(edit.version), far_ahead: edit.farAhead ? 'yes' : '' },
  }
  return {
    ...{ id: edit.id, hidden, group: is.group ?? '', topic: topicNames.get(is.topic ?? '') ?? '' },
    isMoved: ['starts_at', 'time_zone', 'repeats'].some((column) => was[column] !== is[column]),
  }
}

type Found = NonNullable<Awaited<ReturnType<typeof writtenSession>>>
type Shown = {
  given: Given
  version: number
  errors?: readonly FieldError[]
  farAhead?: boolean
  isMeanwhile?: boolean
}

async function showForm(app: App, reply: FastifyReply, found: Found, shown: Shown): Promise<FastifyReply> {
  const { words } = reply
  const { row } = found
  const { given, errors = [], farAhead = false, isMeanwhile = false } = shown
  // Whoever saves again after looking at both saves on top of what the other wrote.
  const version = isMeanwhile ? row.version : shown.version
  const name = given.group || words.t('sessions.nothing')
  return reply.show('session-form', {
    title: name,
    isNew: false,
    action: `/sessions/${row.id}`,
    fields: sessionFields(words, given, errors, await practiceOf(app)),
    isWrong: errors.length > 0,
    isFilled: false,
    farAhead: farAhead || errors.some(({ message }) => message.includes('two years')),
    isFarAhead: farAhead,
    save: words.t('sessions.edit.save'),
    version,
    status: given.status ?? '',
    differences: isMeanwhile ? differences(words, given, givenOf(row)) : null,
    problem:
      row.problem &&
      words.t('sessions.left-out.this', {
        field: labelOf(words, fieldOf(row.problem.field)),
        problem: row.problem.message,
      }),
    facts: await factsOf(app, reply, found),
    seats:
      found.listed &&
      seatsView(words, found.listed, found.waiting, { back: `/sessions/${row.id}`, now: app.now() }),
  })
}

/** Rows call two columns otherwise than files do. */
const fieldOf = (column: string): string =>
  ({ starts_at_local: 'starts_at', group_id: 'group', topic_id: 'topic' })[column] ?? column

async function factsOf(app: App, reply: FastifyReply, { row, listed }: Found) {
  const { t } = reply.words
  const now = app.now()
  const status = listed && agendaStatus({ session: listed, next: nextOccurrence(listed, now) })
  const { dates, notes } = listed ? datesAhead(app, reply.words, listed, now) : { dates: [], notes: [] }
  const [start = null, ...later] = dates
  const days = later.map(({ day }) => day).join(' · ')
  return {
    id: row.id,
    externalId: asText(row.externalId),
    groupId: typeof row.groupId === 'number' && row.group !== null ? row.groupId : null,
    ...{ start, notes, later: days === '' ? null : t('sessions.then', { days }) },
    status: status && t(`sessions.status.${status}`),
    shown: editionView(reply.words, (await shownIn(app.store, [row.id])).get(row.id) ?? null, now),
    canFill: row.status === 'open' && status !== 'over',
    canOpen: row.status !== 'open',
    canCancel: row.status !== 'cancelled',
  }
}
