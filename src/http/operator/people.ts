import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { actingAs } from '../../actions/operators/acting.ts'
import { type LinkOutcome, makeEntryLink } from '../../actions/operators/entry-links.ts'
import { changeRole, listOperators, removeOperator, signOutOperator } from '../../actions/operators/people.ts'
import type { App } from '../../app.ts'
import { ROLES, type Role } from '../../core/operators/actor.ts'
import type { OperatorKey } from '../../templates/operator.ts'
import { fieldOf } from './sign-in/browser.ts'
import { whenIn } from './when.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'actor'>
type Of = { Params: { id: string } }

/** Adds `/people`: who may sign in. */
export function addPeopleRoutes(server: FastifyInstance, app: Needs): void {
  const change = { config: { may: 'people.change' as const } }
  const as = ({ actor }: FastifyRequest) => actingAs(app, actor)

  server.get('/people', { config: { may: 'people.see' } }, (request, reply) => show(as(request), reply, {}))
  server.post('/people/link', change, async (request, reply) => {
    const role = roleIn(request.body)
    const made = await makeEntryLink(as(request), { email: fieldOf(request.body, 'email'), role })
    return show(as(request), made.kind === 'made' ? reply : reply.code(422), { made })
  })
  server.post<Of>('/people/:id/role', change, async (request, reply) => {
    const role = roleIn(request.body)
    const outcome = role === null ? 'refused' : await changeRole(as(request), Number(request.params.id), role)
    return said(as(request), reply, outcome, 'people.done.role')
  })
  server.post<Of>('/people/:id/sign-out', change, async (request, reply) => {
    await signOutOperator(as(request), Number(request.params.id))
    return reply.done('/people', 'people.done.signed-out')
  })
  server.post<Of>('/people/:id/remove', change, async (request, reply) =>
    said(
      as(request),
      reply,
      await removeOperator(as(request), Number(request.params.id)),
      'people.done.removed',
    ),
  )
}

const roleIn = (body: unknown): Role | null => ROLES.find((role) => role === fieldOf(body, 'role')) ?? null

function said(app: Needs, reply: FastifyReply, outcome: 'done' | 'refused', done: OperatorKey) {
  if (outcome === 'done') return reply.done('/people', done)
  return show(app, reply.code(409), { wrong: reply.words.t('people.last-owner') })
}

async function show(
  app: Needs,
  reply: FastifyReply,
  { made = null, wrong = null }: { made?: LinkOutcome | null; wrong?: string | null },
): Promise<FastifyReply> {
  const { words } = reply
  const { timeZone } = app.config.slotRule
  const people = await listOperators(app)
  return reply.show('people', {
    title: words.t('nav.people'),
    wrong: wrong ?? wrongIn(made, reply),
    link:
      made?.kind === 'made'
        ? { url: made.url, email: made.email, until: whenIn(made.expires, timeZone, words) }
        : null,
    roles: ROLES.map((role) => ({
      role,
      name: words.t(`people.role.${role}`),
      does: words.t(`people.does.${role}`),
    })),
    people: people.map(({ id, email, role, passkeys, hasPassword, signIns, seenAt }) => ({
      id,
      email,
      roles: ROLES.map((one) => ({ role: one, name: words.t(`people.role.${one}`), chosen: one === role })),
      ways: words.t('people.ways', { passkeys, password: hasPassword ? 'yes' : 'no' }),
      signIns,
      seen: seenAt === null ? words.t('people.never') : whenIn(seenAt, timeZone, words),
      me: id === reply.request.signIn?.operatorId,
    })),
  })
}

function wrongIn(made: LinkOutcome | null, { words: { t } }: FastifyReply): string | null {
  if (made?.kind === 'bad-address') return t('reader.bad-address', { problem: made.problem })
  return made?.kind === 'last-owner' ? t('people.last-owner') : null
}
