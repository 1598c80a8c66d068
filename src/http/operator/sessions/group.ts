import type { FastifyInstance, FastifyReply } from 'fastify'
import { actingAs } from '../../../actions/operators/acting.ts'
import { changeGroup, consequenceOfGroup } from '../../../actions/sessions/change-group.ts'
import type { App } from '../../../app.ts'
import type { FieldError } from '../../../core/intake/fields.ts'
import type { Given } from '../../../core/intake/new-session.ts'
import { languageNamed } from '../../../core/words/language-name.ts'
import { writtenGroup } from '../../../db/sessions/groups.ts'
import { allTopics } from '../../../db/sessions/sessions.ts'
import { fieldsFor, formOf, labelOf, optionsOf } from './fields.ts'
import { kindOptions } from './form.ts'
import { hiddenOf } from './review.ts'
import { idIn } from './seats.ts'

/** Adds `/groups/:id`, what is said of a group. */
export function addGroup(server: FastifyInstance, app: App): void {
  server.get('/groups/:id', { config: { may: 'sessions.see' } }, async (request, reply) => {
    const row = await writtenGroup(app.store, idIn(request))
    if (row === null) return reply.callNotFound()
    return showForm(app, reply, idIn(request), { row, given: givenOf(row), version: row.version })
  })
  server.post('/groups/:id', { config: { may: 'sessions.edit' } }, async (request, reply) => {
    const form = formOf(request.body)
    const edit = { id: idIn(request), version: Number(form.version), given: columnsOf(form) }
    const acting = actingAs(app, request.actor)
    const row = await writtenGroup(app.store, edit.id)
    if (row === null) return reply.callNotFound()
    if (form.how === 'edit') return showForm(app, reply, edit.id, { ...edit, row })
    if (form.how !== 'loud') {
      const looked = await consequenceOfGroup(acting, edit)
      if (looked.kind === 'consequence' && looked.matters) return showReview(reply, edit, looked)
    }
    const saved = await changeGroup(acting, edit)
    if (saved.kind === 'gone') return reply.callNotFound()
    if (saved.kind === 'invalid')
      return showForm(app, reply.code(422), edit.id, { ...edit, row, errors: saved.errors })
    if (saved.kind === 'meanwhile')
      return showForm(app, reply.code(409), edit.id, { ...edit, row, isMeanwhile: true })
    return reply.done(
      `/groups/${edit.id}`,
      saved.kind === 'same' ? 'sessions.said.same' : 'sessions.said.saved',
    )
  })
}

const COLUMNS = ['group', 'topic', 'kind', 'summary', 'group_url', 'language', 'place', 'price'] as const

const columnsOf = (form: Given): Given =>
  Object.fromEntries(
    COLUMNS.flatMap((column) => (form[column] === undefined ? [] : [[column, form[column]]])),
  )

/** Another program may have written anything, and a name is only there for what can be a language. */
const isLanguage = (written: string | null): written is string => /^[a-z]{2,3}$/.test(written ?? '')

type Row = NonNullable<Awaited<ReturnType<typeof writtenGroup>>>

const givenOf = (row: Row): Given => ({
  ...{ group: row.title, topic: row.topicSlug ?? '', kind: row.kind, summary: row.summary ?? '' },
  ...{
    group_url: row.groupUrl ?? '',
    language: isLanguage(row.language) ? languageNamed(row.language, 'en') : (row.language ?? ''),
    place: row.place ?? '',
    price: row.price ?? '',
  },
})

type Shown = {
  row: Row
  given: Given
  version: number
  errors?: readonly FieldError[]
  isMeanwhile?: boolean
}

async function showForm(
  app: App,
  reply: FastifyReply,
  id: number,
  { row, given, version, errors = [], isMeanwhile = false }: Shown,
): Promise<FastifyReply> {
  const { words } = reply
  const field = fieldsFor(words, given, errors)
  const topics = (await allTopics(app.store)).map(({ slug, name }) => [slug, name] as const)
  const theirs = givenOf(row)
  const differing = COLUMNS.filter((column) => (given[column] ?? '').trim() !== (theirs[column] ?? '').trim())
  return reply.show('group-form', {
    title: given.group || words.t('sessions.nothing'),
    action: `/groups/${id}`,
    isGroup: true,
    id,
    lead: words.t('groups.lead'),
    fields: [
      field('group', { hint: null }),
      field('topic', { options: optionsOf(topics, given.topic) }),
      field('kind', { options: kindOptions(words, given.kind) }),
      field('summary', { isLong: true }),
      field('group_url', { mode: 'url' }),
      ...[field('language'), field('place'), field('price')],
    ],
    isWrong: errors.length > 0,
    hidden: hiddenOf({ version: String(isMeanwhile ? row.version : version) }),
    differences: isMeanwhile
      ? differing.map((column) => ({
          label: labelOf(words, column),
          mine: given[column] || words.t('sessions.nothing'),
          theirs: theirs[column] || words.t('sessions.nothing'),
        }))
      : null,
    save: words.t('sessions.edit.save'),
  })
}

type Looked = Extract<Awaited<ReturnType<typeof consequenceOfGroup>>, { kind: 'consequence' }>

function showReview(
  reply: FastifyReply,
  { id, version, given }: { id: number; version: number; given: Given },
  { hearers, isMore }: Looked,
): FastifyReply {
  const { t } = reply.words
  return reply.show('session-review', {
    title: t('sessions.review.title', { group: given.group ?? '' }),
    lead: null,
    ...{ dates: [], notes: [] },
    told: [t('groups.review.fresh', { n: hearers.fresh + hearers.again, more: String(isMore) })],
    action: `/groups/${id}`,
    hidden: hiddenOf({ ...given, version: String(version) }),
    buttons: [{ how: 'loud', look: '', label: t('groups.review.save') }],
    back: t('sessions.review.back'),
  })
}
