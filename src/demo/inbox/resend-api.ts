import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type KeptEmail, type Mailbox, rememberKeys } from './mailbox.ts'
import { type Refusal, readBatch, readEmail, refusal, type WireEmail } from './wire.ts'

/** The account at this Resend: its key, and the one domain that it sends from. */
export type Account = { apiKey: string; domain: string }

type Answer = { status: number; body: object }

const BODY_LIMIT_BYTES = 40 * 1024 ** 2
const DOMAIN_ID = 'd91cd9bd-1176-453e-8fc1-35364d380206'
/** Of an account that pays: no limit a day. https://resend.com/docs/api-reference/rate-limit */
const RATE = {
  'ratelimit-limit': '10',
  'ratelimit-policy': '10;w=1',
  'ratelimit-remaining': '9',
  'ratelimit-reset': '1',
}

/**
 * Adds the part of Resend's API that Openseat uses: sending, and what `doctor` asks. What is sent goes into the mailbox, and
 * nowhere else.
 */
export async function addResendApi(
  server: FastifyInstance,
  { mailbox, account, now }: { mailbox: Mailbox; account: Account; now: () => Date },
): Promise<void> {
  const keys = rememberKeys<Answer>(now)
  await server.register(async (scope) => {
    scope.addHook('onRequest', async ({ headers }, reply) => {
      reply.headers(RATE)
      const refused = refusedCaller(headers.authorization, headers['user-agent'], account)
      if (refused) return answer(reply, refused)
    })
    scope.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
      const status = error.statusCode ?? 500
      const [name, message] =
        status < 500
          ? ['validation_error', 'An error was found with one or more fields in the request.']
          : ['application_error', 'An unexpected error occurred.']
      return answer(reply, refusal(status, name, message))
    })

    const sends = (path: string, send: (request: FastifyRequest) => Answer) =>
      scope.post(path, { bodyLimit: BODY_LIMIT_BYTES }, async (request, reply) => {
        const { status, body } = onceUnderItsKey(keys, path, request, send)
        return reply.code(status).send(body)
      })
    sends('/emails', ({ body }) => {
      const read = readEmail(body)
      if ('refusal' in read) return failed(read.refusal)
      return refusedSender([read.email], account) ?? ok({ id: mailbox.keep(read.email).id })
    })
    sends('/emails/batch', ({ body, headers }) => {
      const permissive = headers['x-batch-validation'] === 'permissive'
      const read = readBatch(body, permissive)
      if ('refusal' in read) return failed(read.refusal)
      const refused = refusedSender(read.emails, account)
      if (refused) return refused
      const data = read.emails.map((email) => ({ id: mailbox.keep(email).id }))
      return ok(permissive ? { data, errors: read.errors } : { data })
    })
    addReading(scope, mailbox, account)
  })
}

function addReading(scope: FastifyInstance, mailbox: Mailbox, { domain }: Account): void {
  const own = domainNamed(domain)
  scope.get<{ Params: { id: string } }>('/emails/:id', async ({ params }, reply) => {
    const email = mailbox.find(params.id)
    return email ? asResendTells(email) : answer(reply, refusal(404, 'not_found', 'Email not found'))
  })
  scope.get('/domains', async () => ({ object: 'list', has_more: false, data: [own] }))
  scope.get<{ Params: { id: string } }>('/domains/:id', async ({ params }, reply) =>
    params.id === DOMAIN_ID
      ? { ...own, object: 'domain', records: [] }
      : answer(reply, refusal(404, 'not_found', 'Domain not found')),
  )
  scope.get('/webhooks', async () => ({ object: 'list', has_more: false, data: [] }))
  scope.get('/usage', async () => usage(mailbox.size()))
}

/** Does what a request asks for, unless its key was used before. Only what succeeded is remembered. */
function onceUnderItsKey(
  keys: ReturnType<typeof rememberKeys<Answer>>,
  path: string,
  request: FastifyRequest,
  send: (request: FastifyRequest) => Answer,
): Answer {
  const { body, headers } = request
  const key = headers['idempotency-key']
  if (key === undefined) return send(request)
  if (typeof key !== 'string' || key.length < 1 || key.length > 256) {
    const message = 'Idempotency keys, if present, must have between 1 and 256 characters.'
    return failed(refusal(400, 'invalid_idempotency_key', message))
  }
  const use = keys.lookUp(`${path} ${key}`, body)
  if (use.kind === 'repeated') return use.answer
  if (use.kind === 'changed') {
    const message =
      "This idempotency key has been used with this HTTP method and endpoint within the last 24 hours, but the request body was modified and doesn't match the original request."
    return failed(refusal(409, 'invalid_idempotent_request', message))
  }
  const done = send(request)
  if (done.status === 200) keys.remember(`${path} ${key}`, body, done)
  return done
}

function refusedCaller(authorization = '', userAgent = '', { apiKey }: Account): Refusal | null {
  if (userAgent === '') return refusal(403, 'validation_error', 'error code: 1010')
  const key = /^Bearer (.+)$/.exec(authorization)?.[1]
  if (key === undefined)
    return refusal(401, 'missing_api_key', 'Missing API key in the authorization header.')
  return key === apiKey ? null : refusal(401, 'validation_error', 'API key is invalid')
}

function refusedSender(emails: readonly WireEmail[], { domain }: Account): Answer | null {
  const other = emails
    .map(({ from }) => /@([^\s<>@]+?)>?$/.exec(from)?.[1]?.toLowerCase())
    .find((one) => one !== domain)
  if (other === undefined) return null
  const message = `The \`${other}\` domain is not verified. Please, add and verify your domain.`
  return failed(refusal(403, 'validation_error', message))
}

const ok = (body: object): Answer => ({ status: 200, body })
const failed = (refused: Refusal): Answer => ({ status: refused.statusCode, body: refused })
const answer = (reply: FastifyReply, refused: Refusal) => reply.code(refused.statusCode).send(refused)

function domainNamed(name: string) {
  return {
    id: DOMAIN_ID,
    name,
    status: 'verified',
    region: 'us-east-1',
    created_at: '2026-01-01 00:00:00.000000+00',
    capabilities: { sending: 'enabled', receiving: 'disabled' },
    open_tracking: false,
    click_tracking: false,
  }
}

function asResendTells({ id, at, to, from, subject, html, text, replyTo }: KeptEmail) {
  return {
    object: 'email',
    id,
    message_id: `<${id}@inbox.test>`,
    to,
    from,
    created_at: at.toISOString().replace('T', ' ').replace('Z', '000+00'),
    subject,
    html: html || null,
    text: text || null,
    cc: null,
    bcc: null,
    reply_to: replyTo.length > 0 ? replyTo : null,
    last_event: 'delivered',
    scheduled_at: null,
  }
}

function usage(used: number) {
  const sent = { used, sent: used, received: 0 }
  return {
    object: 'usage',
    emails: {
      daily: { ...sent, limit: null, resets_at: '2030-01-01T00:00:00.000Z' },
      monthly: { ...sent, limit: 50_000, resets_at: '2030-01-01T00:00:00.000Z' },
    },
    rate_limit: { limit: 10, duration: '1 second' },
  }
}
