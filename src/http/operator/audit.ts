import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { actingAs } from '../../actions/operators/acting.ts'
import { auditCsv, auditPage, idIn } from '../../actions/operators/audit.ts'
import type { App } from '../../app.ts'
import type { AuditRow } from '../../db/audit.ts'
import { whenIn } from './when.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'actor'>
type Of = { Querystring: { below?: string } }

const ON_PAGE = 50

/** Adds `/audit`: who did what, newest first, and the same as CSV. */
export function addAuditRoutes(server: FastifyInstance, app: Needs): void {
  const see = { config: { may: 'audit.see' as const } }
  const as = ({ actor }: FastifyRequest) => actingAs(app, actor)

  server.get<Of>('/audit', see, async (request, reply) => {
    const below = Number(request.query.below)
    const { rows, names, next } = await auditPage(
      as(request),
      Number.isInteger(below) && below > 0 ? below : null,
      ON_PAGE,
    )
    return reply.show('audit', {
      title: reply.words.t('nav.audit'),
      rows: rows.map((row) => viewOf(row, names, reply, app.config.slotRule.timeZone)),
      older: next === null ? null : `/audit?below=${next}`,
    })
  })
  server.get('/audit.csv', see, async (request, reply) =>
    reply
      .header('content-disposition', 'attachment; filename="audit.csv"')
      .type('text/csv; charset=utf-8')
      .send(Readable.from(auditCsv(as(request), null))),
  )
}

function viewOf(
  { id, at, actor, network, action, subject, detail }: AuditRow,
  names: ReadonlyMap<number, string>,
  { words }: FastifyReply,
  timeZone: string,
) {
  const nameOf = (name: string | null) => names.get(idIn(name) ?? -1) ?? null
  return {
    id,
    when: whenIn(at, timeZone, words),
    who: nameOf(actor) ?? whoIs(actor, words.t),
    network,
    action,
    subject: nameOf(subject) ?? subject,
    url: urlOf(action, subject),
    detail,
  }
}

function whoIs(actor: string | null, t: FastifyReply['words']['t']): string {
  if (actor === null) return t('audit.before')
  if (actor === 'system') return t('audit.system')
  if (actor === 'reader') return t('audit.reader')
  return actor.startsWith('command:') ? t('audit.command', { user: actor.slice('command:'.length) }) : actor
}

/** The page of what a row is about, where it has one. */
function urlOf(action: string, subject: string): string | null {
  if (/^\d{4}-\d\d-\d\d$/.test(subject)) return `/editions/${subject}`
  if (/^[\w-]{22}$/.test(subject)) return `/readers/${subject}`
  const [, what] = /^(session|group) /.exec(action) ?? []
  return what && /^\d+$/.test(subject) ? `/${what}s/${subject}` : null
}
