import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { actingAs } from '../../../actions/operators/acting.ts'
import { addTopic, changeTopic } from '../../../actions/sessions/change-group.ts'
import type { App } from '../../../app.ts'
import type { FieldError } from '../../../core/intake/fields.ts'
import type { Given } from '../../../core/intake/new-session.ts'
import { topicNamesIn } from '../../../core/sessions/written-facts.ts'
import { languageNamed } from '../../../core/words/language-name.ts'
import { findTopic } from '../../../db/sessions/topics.ts'
import { type FieldView, fieldsFor, formOf } from './fields.ts'
import { hiddenOf } from './review.ts'

/** Adds the forms of topics: what groups are about and readers choose by, in each language. */
export function addTopics(server: FastifyInstance, app: App): void {
  server.get('/topics/new', { config: { may: 'sessions.edit' } }, async (_request, reply) =>
    showForm(app, reply, { slug: null, given: {}, was: null }),
  )
  server.post('/topics/new', { config: { may: 'sessions.edit' } }, async (request, reply) => {
    const given = formOf(request.body)
    const added = await addTopic(actingAs(app, request.actor), given)
    if (added.kind === 'added') return reply.done('/groups#topics', 'groups.said.topic-added')
    return showForm(app, reply.code(422), { slug: null, given, was: null, errors: added.errors })
  })
  server.get('/topics/:slug', { config: { may: 'sessions.see' } }, async (request, reply) => {
    const slug = slugIn(request)
    const was = await findTopic(app.store, slug)
    return was === null ? reply.callNotFound() : showForm(app, reply, { slug, was, given: givenOf(was) })
  })
  server.post('/topics/:slug', { config: { may: 'sessions.edit' } }, async (request, reply) => {
    const slug = slugIn(request)
    const now = await findTopic(app.store, slug)
    if (now === null) return reply.callNotFound()
    const form = formOf(request.body)
    const was = { name: form.was_name ?? '', names: form.was_names ?? '' }
    const outcome = await changeTopic(actingAs(app, request.actor), { ...form, slug }, was)
    if (outcome.kind === 'changed') return reply.done('/groups#topics', 'sessions.said.saved')
    const shown = { slug, given: form, was: now }
    return outcome.kind === 'invalid'
      ? showForm(app, reply.code(422), { ...shown, errors: outcome.errors })
      : showForm(app, reply.code(409), { ...shown, isMeanwhile: true })
  })
}

const slugIn = ({ params }: FastifyRequest): string => String((params as { slug?: string }).slug ?? '')

type Was = { name: string; names: string }
type Shown = {
  /** Null of a new one. */
  slug: string | null
  given: Given
  was: Was | null
  errors?: readonly FieldError[]
  isMeanwhile?: boolean
}

const givenOf = ({ name, names }: Was): Given => ({
  name,
  ...Object.fromEntries(
    Object.entries(topicNamesIn(names)).map(([language, called]) => [`name_${language}`, called]),
  ),
})

function showForm(
  app: App,
  reply: FastifyReply,
  { slug, given, was, errors = [], isMeanwhile = false }: Shown,
): FastifyReply {
  const { words } = reply
  const field = fieldsFor(words, given, errors)
  return reply.show('group-form', {
    title: slug === null ? words.t('groups.topic.new') : (was?.name ?? slug),
    action: slug === null ? '/topics/new' : `/topics/${slug}`,
    ...{ isGroup: false, id: null, isWrong: errors.length > 0 },
    lead: words.t('groups.topic.lead'),
    fields: [
      field('name'),
      ...languagesOf(app, given, was).map(
        (language): FieldView => ({
          ...field(`name_${language}`),
          label: words.t('groups.field.name-in', { language: languageNamed(language, words.locale) }),
        }),
      ),
      ...(slug === null ? [field('slug')] : []),
    ],
    hidden: hiddenOf(was === null ? {} : { was_name: was.name, was_names: was.names }),
    differences: isMeanwhile && was ? differencesOf(app, reply, given, was) : null,
    save: words.t(slug === null ? 'groups.topic.add' : 'sessions.edit.save'),
  })
}

/** The languages of our pages, but the one of the plain name, and those in which the topic has a name. */
function languagesOf(app: App, given: Given, was: Was | null): string[] {
  const spoken = Object.keys(app.templates.words).filter((language) => language !== 'en')
  const named = Object.keys({ ...(was && givenOf(was)), ...given }).flatMap(
    (name) => /^name_([a-z]{2,3})$/.exec(name)?.[1] ?? [],
  )
  return [...new Set([...spoken, ...named])].sort()
}

function differencesOf(app: App, { words }: FastifyReply, given: Given, was: Was) {
  const theirs = givenOf(was)
  return ['name', ...languagesOf(app, given, was).map((language) => `name_${language}`)]
    .filter((name) => (given[name] ?? '').trim() !== (theirs[name] ?? ''))
    .map((name) => ({
      label: name === 'name' ? words.t('groups.field.name') : languageNamed(name.slice(5), words.locale),
      mine: given[name] || words.t('sessions.nothing'),
      theirs: theirs[name] || words.t('sessions.nothing'),
    }))
}
