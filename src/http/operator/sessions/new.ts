import type { FastifyInstance, FastifyReply } from 'fastify'
import { actingAs } from '../../../actions/operators/acting.ts'
import { addByHand, lookAtNew } from '../../../actions/sessions/add-by-hand.ts'
import { practiceOf } from '../../../actions/sessions/practice.ts'
import type { App } from '../../../app.ts'
import type { FieldError } from '../../../core/intake/fields.ts'
import { type Given, suggestionsFor } from '../../../core/intake/new-session.ts'
import { findGroup } from '../../../db/sessions/groups.ts'
import { writtenSession } from '../../../db/sessions/listing.ts'
import { asText, formOf } from './fields.ts'
import { columnsOf, givenOf, sessionFields } from './form.ts'
import { hiddenOf } from './review.ts'
import { datesAhead } from './times.ts'

/** Adds `/sessions/new`: the form, the look at what it would be, and the session. Nothing is added before that look. */
export function addNewSession(server: FastifyInstance, app: App): void {
  server.get('/sessions/new', { config: { may: 'sessions.edit' } }, async (request, reply) => {
    const practice = await practiceOf(app)
    const given = await startingFrom(app, practice, request.query as { from?: unknown; group?: unknown })
    return showForm(reply, practice, given, [])
  })
  server.post('/sessions/new', { config: { may: 'sessions.edit' } }, async (request, reply) => {
    const form = formOf(request.body)
    const given = columnsOf({ ...form, status: '' })
    const farAhead = form.far_ahead === 'yes'
    const acting = actingAs(app, request.actor)
    if (form.how === 'edit') return showForm(reply, await practiceOf(app), given, [], farAhead)
    if (form.how === 'add') {
      const added = await addByHand(acting, given, farAhead)
      if (added.kind === 'added') return reply.done(`/sessions/${added.id}`, 'sessions.said.added')
      return showForm(reply.code(422), await practiceOf(app), given, added.errors, farAhead)
    }
    const looked = await lookAtNew(acting, given, farAhead)
    if (looked.kind === 'invalid')
      return showForm(reply.code(422), await practiceOf(app), given, looked.errors, farAhead)
    const { t } = reply.words
    const { row, hearers, isMore } = looked
    return reply.show('session-review', {
      title: t('sessions.review.new', { group: row.group }),
      lead: t('sessions.review.with', { therapist: row.therapist, minutes: row.durationMinutes }),
      ...datesAhead(app, reply.words, row, app.now()),
      told: [
        hearers.fresh === 0
          ? t('sessions.review.new-to-none')
          : t('sessions.review.new-to', { n: hearers.fresh, more: String(isMore) }),
      ],
      action: '/sessions/new',
      hidden: hiddenOf({ ...given, far_ahead: form.far_ahead ?? '' }),
      buttons: [{ how: 'add', label: t('sessions.review.add'), look: '' }],
      back: t('sessions.review.back'),
    })
  })
}

type Known = Awaited<ReturnType<typeof practiceOf>>

/** What the form starts with: another session to be duplicated, or what is usual in a group. */
async function startingFrom(
  app: App,
  practice: Known,
  { from, group }: { from?: unknown; group?: unknown },
): Promise<Given> {
  const id = Number(from)
  const other = Number.isSafeInteger(id) && id > 0 ? await writtenSession(app.store, id) : null
  if (other !== null)
    return {
      ...givenOf(other.row),
      starts_at: '',
      seats_left: asText(other.row.seatsTotal),
    }
  const number = Number(group)
  const known = Number.isSafeInteger(number) && number > 0 ? await findGroup(app.store, number) : null
  const named = known ? { group: known.title, topic: known.topicSlug, kind: known.kind } : {}
  return { ...suggestionsFor(named, practice), ...named }
}

function showForm(
  reply: FastifyReply,
  practice: Known,
  given: Given,
  errors: readonly FieldError[],
  farAhead = false,
): FastifyReply {
  const { words } = reply
  // As `sessions add` does: what a known group usually has is there to be looked at.
  const usual = errors.length === 0 ? {} : suggestionsFor(given, practice)
  const filled = Object.keys(usual).filter((column) => (given[column] ?? '').trim() === '')
  const left = errors.filter(({ field }) => !filled.includes(field))
  const all = { ...given, ...Object.fromEntries(filled.map((column) => [column, usual[column] ?? ''])) }
  return reply.show('session-form', {
    title: words.t('sessions.new.title'),
    isNew: true,
    action: '/sessions/new',
    fields: sessionFields(words, all, left, practice),
    isWrong: left.length > 0,
    isFilled: filled.length > 0,
    farAhead: farAhead || errors.some(({ message }) => message.includes('two years')),
    isFarAhead: farAhead,
    save: words.t('sessions.new.look'),
    ...NOTHING_MORE,
  })
}

/** What the form of an existing session has besides. */
const NOTHING_MORE = {
  version: null,
  status: null,
  differences: null,
  problem: null,
  facts: null,
  seats: null,
}
