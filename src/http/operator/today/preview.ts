import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type PreviewedMail, previewInvented, previewNamed } from '../../../actions/editions/preview-one.ts'
import { actingAs } from '../../../actions/operators/acting.ts'
import { findReader, lookedAt } from '../../../actions/subscribers/desk.ts'
import type { App } from '../../../app.ts'
import { inMode, preheaderOf } from '../../../core/mail/as-shown.ts'
import { mayDo } from '../../../core/operators/permissions.ts'
import { PERSONAS } from '../../../db/people/personas.ts'
import type { OperatorKey } from '../../../templates/operator.ts'
import { fieldOf } from '../sign-in/browser.ts'

type Asked = { Querystring: { reader?: string; for?: string; width?: string; mode?: string; part?: string } }
type Needs = App

const READERS = ['typical', ...PERSONAS] as const
type Reader = (typeof READERS)[number]

export const readerIn = (given: string | undefined): Reader =>
  READERS.find((one) => one === given) ?? 'typical'

/** Adds `/preview`: the email of an invented reader or of one person, on a phone and a desktop, light and dark. */
export function addPreviewRoutes(server: FastifyInstance, app: Needs): void {
  const see = { config: { may: 'editions.test' as const } }
  const as = ({ actor }: FastifyRequest) => actingAs(app, actor)

  server.get<Asked>('/preview', see, async (request, reply) => {
    if (request.query.for !== undefined) await lookedAt(as(request), request.query.for)
    return show(as(request), request, reply)
  })
  server.get<Asked>('/preview/mail', see, async (request, reply) => {
    const mail = await mailOf(as(request), request)
    if (mail.kind !== 'mail') return reply.code(404).type('text/plain; charset=utf-8').send('')
    const { html, text } = mail.email
    const shown =
      request.query.part === 'text'
        ? asPage(text)
        : inMode(html, request.query.mode === 'dark' ? 'dark' : 'light')
    return framed(reply).type('text/html; charset=utf-8').send(shown)
  })
  server.post('/preview/find', { config: { may: 'readers.see' } }, async (request, reply) => {
    const looked = await findReader(as(request), fieldOf(request.body, 'email'))
    const { t } = reply.words
    if (looked.kind === 'found') return reply.redirect(`/preview?for=${looked.publicId}`, 303)
    const wrong =
      looked.kind === 'bad-address'
        ? t('reader.bad-address', { problem: looked.problem })
        : t(`reader.${looked.kind}`)
    return show(as(request), request as FastifyRequest<Asked>, reply.code(422), wrong)
  })
}

/** In a frame of ours alone, as a document of no origin: an email runs nothing, and reaches nothing of our pages. */
function framed(reply: FastifyReply): FastifyReply {
  return reply
    .header('x-frame-options', 'SAMEORIGIN')
    .header(
      'content-security-policy',
      "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; frame-ancestors 'self'",
    )
}

const escaped = (text: string): string => text.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`)

const asPage = (text: string): string =>
  `<!doctype html><meta charset="utf-8"><style>pre{white-space:pre-wrap;font:14px/1.5 ui-monospace,monospace}</style><pre>${escaped(text)}</pre>`

function mailOf(app: Needs, { query }: FastifyRequest<Asked>): Promise<PreviewedMail> {
  return query.for === undefined ? previewInvented(app, readerIn(query.reader)) : previewNamed(app, query.for)
}

async function show(
  app: Needs,
  request: FastifyRequest<Asked>,
  reply: FastifyReply,
  wrong: string | null = null,
): Promise<FastifyReply> {
  const { query } = request
  const { words } = reply
  const reader = readerIn(query.reader)
  const whose = query.for === undefined ? `reader=${reader}` : `for=${encodeURIComponent(query.for)}`
  const width = query.width === 'desktop' ? 'desktop' : 'phone'
  const mode = query.mode === 'dark' ? 'dark' : 'light'
  const part = query.part === 'text' ? 'text' : 'html'
  const mail = await mailOf(app, request)
  const link = (key: OperatorKey, more: string, here: boolean) => ({
    name: words.t(key),
    url: `/preview?${whose}&${more}`,
    here,
  })
  const email = mail.kind === 'mail' ? mail.email : null
  return reply.show('preview', {
    title: words.t('preview.title'),
    wrong,
    reader,
    named: query.for !== undefined,
    canName: mayDo(request.actor, 'readers.see'),
    readers: READERS.map((one) => ({
      name: words.t(`preview.reader.${one}`),
      url: `/preview?reader=${one}&width=${width}&mode=${mode}`,
      here: query.for === undefined && one === reader,
    })),
    looks: [
      link('preview.phone', `width=phone&mode=${mode}`, part === 'html' && width === 'phone'),
      link('preview.desktop', `width=desktop&mode=${mode}`, part === 'html' && width === 'desktop'),
      link('preview.light', `width=${width}&mode=light`, part === 'html' && mode === 'light'),
      link('preview.dark', `width=${width}&mode=dark`, part === 'html' && mode === 'dark'),
      link('preview.text', 'part=text', part === 'text'),
    ],
    frame: email && `/preview/mail?${whose}&mode=${mode}&part=${part}`,
    width,
    inbox: email && { from: email.from, subject: email.subject, preheader: preheaderOf(email.html) },
    why: mail.kind === 'excluded' ? words.t(`reason.${mail.reason}`) : null,
  })
}
