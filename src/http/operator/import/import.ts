import multipart from '@fastify/multipart'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import {
  bringFileIn,
  forgetFile,
  keepFile,
  LARGEST_FILE,
  lastImports,
  type Meant,
  type Previewed,
  previewFile,
  undoFile,
} from '../../../actions/imports/by-hand.ts'
import { actingAs } from '../../../actions/operators/acting.ts'
import type { App } from '../../../app.ts'
import { sessionsTemplate } from '../../../core/intake/session-template.ts'
import type { DateOrder } from '../../../core/intake/spreadsheet.ts'
import { actorName } from '../../../core/operators/actor.ts'
import { registerScope } from '../../scope.ts'
import { nowhere } from '../errors.ts'
import { fieldOf } from '../sign-in/browser.ts'
import { importRows, previewView } from './view.ts'

type Needs = Pick<App, 'config' | 'store' | 'now' | 'actor'>
type Of = { Params: { id: string }; Querystring: { order?: string; rest?: string } }

const LAST = 10

/** Adds `/import`: a file of sessions is looked at first, then brought in, and can be taken back. */
export async function addImportRoutes(server: FastifyInstance, app: Needs): Promise<void> {
  const edit = { config: { may: 'sessions.edit' as const } }
  const as = ({ actor }: FastifyRequest) => actingAs(app, actor)

  server.get('/import', edit, (request, reply) => show(as(request), reply))
  server.get('/import/template.csv', edit, (_request, reply) =>
    reply
      .header('content-disposition', 'attachment; filename="group-times.csv"')
      .type('text/csv; charset=utf-8')
      .send(sessionsTemplate()),
  )
  await registerScope(server, 'import', async (scope) => {
    await scope.register(multipart, {
      limits: { fileSize: LARGEST_FILE + 1, files: 1, fields: 2, fieldSize: LARGEST_FILE + 1 },
    })
    scope.post('/import', { ...edit, bodyLimit: 2 * LARGEST_FILE + 10_000 }, async (request, reply) => {
      const kept = await keepFile(as(request), await uploaded(request))
      if (kept.kind === 'kept') return reply.redirect(`/import/${kept.id}`, 303)
      return show(as(request), reply.code(422), reply.words.t(`import.wrong.${kept.kind}`))
    })
  })
  server.get<Of>('/import/:id', edit, async (request, reply) => {
    const meant = { order: orderIn(request.query.order), rest: request.query.rest === 'yes' }
    const previewed = await previewFile(as(request), Number(request.params.id), meant)
    return showPreview(request, reply, previewed, meant)
  })
  server.post<Of>('/import/:id', edit, async (request, reply) => {
    const { body } = request
    const id = Number(request.params.id)
    const meant = { order: orderIn(fieldOf(body, 'order')), rest: fieldOf(body, 'rest') === 'yes' }
    const sure = fieldOf(body, 'sure') === 'yes'
    const shown = { hash: fieldOf(body, 'hash'), version: Number(fieldOf(body, 'version')), ...meant, sure }
    const outcome = await bringFileIn(as(request), id, shown)
    if (outcome.kind === 'done') return reply.done('/import', 'import.done', outcome)
    if (outcome.kind === 'gone') return nowhere(reply)
    const previewed = await previewFile(as(request), id, meant)
    if (outcome.kind === 'not-sure')
      return showPreview(request, reply.code(422), previewed, {
        ...meant,
        wrong: reply.words.t('import.not-sure'),
      })
    const n = outcome.kind === 'changed' ? outcome.sessions : 0
    return showPreview(request, reply.code(409), previewed, {
      ...meant,
      wrong: reply.words.t('import.meanwhile', { n }),
    })
  })
  server.post<Of>('/import/:id/forget', edit, async (request, reply) => {
    await forgetFile(as(request), Number(request.params.id))
    return reply.done('/import', 'import.forgotten')
  })
  server.post<Of>('/import/:id/undo', edit, async (request, reply) => {
    const outcome = await undoFile(as(request), Number(request.params.id))
    if (outcome === 'undone') return reply.done('/import', 'import.undone')
    return show(as(request), reply.code(409), reply.words.t(`import.undo.${outcome}`))
  })
}

const orderIn = (given: string | undefined): DateOrder | null =>
  given === 'month-first' || given === 'day-first' ? given : null

/** The file of a form, or what was pasted into it. */
async function uploaded(request: FastifyRequest): Promise<Buffer> {
  if (!request.isMultipart()) return Buffer.from(fieldOf(request.body, 'text'))
  let file: Buffer = Buffer.alloc(0)
  let text = ''
  for await (const part of request.parts()) {
    if (part.type === 'file') file = await part.toBuffer().catch(() => Buffer.alloc(LARGEST_FILE + 1))
    else if (part.fieldname === 'text' && typeof part.value === 'string') text = part.value
  }
  return file.length > 0 ? file : Buffer.from(text)
}

async function show(app: Needs, reply: FastifyReply, wrong: string | null = null): Promise<FastifyReply> {
  const imports = await lastImports(app, LAST)
  return reply.show('import', {
    title: reply.words.t('nav.import'),
    wrong,
    imports: importRows(
      imports,
      { timeZone: app.config.slotRule.timeZone, me: actorName(app.actor) },
      reply.words,
    ),
  })
}

function showPreview(
  request: FastifyRequest<Of>,
  reply: FastifyReply,
  previewed: Previewed,
  { order, rest, wrong = null }: Meant & { wrong?: string | null },
): FastifyReply {
  if (previewed.kind === 'gone') return nowhere(reply)
  return reply.show('import-preview', {
    title: reply.words.t('import.preview.title'),
    id: request.params.id,
    wrong,
    order,
    rest,
    ...previewView(previewed, reply.words),
  })
}
