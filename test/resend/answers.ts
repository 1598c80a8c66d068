import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AcceptedEmail, Account, SeenRequest } from './account.ts'
import { bareAddress, judgeBatch, judgeEmail, listOf, type WireEmail } from './contract.ts'
import { answerDomains, answerUsage, answerWebhooks } from './domains.ts'
import { type Answer, deliver, type Exchange, envelope, type Target, tooManyRequests } from './faults.ts'
import { messageId } from './webhooks.ts'

/** Answers one API request the way Resend does: caller, rate limit, route, body, then the work itself. */
export function answerLikeResend(
  account: Account,
  request: IncomingMessage,
  response: ServerResponse,
  raw: string,
): void {
  const { method = 'GET' } = request
  const path = pathOf(request)
  const key = account.ignoreKeys ? null : header(request, 'idempotency-key')
  const seen: SeenRequest = { method, path, key, status: null }
  account.requests.push(seen)
  const reply = (answer: Answer) => {
    if (response.destroyed) return
    seen.status = answer.status
    const used = String(account.accepted.length)
    const quota = {
      'x-resend-monthly-quota': used,
      ...(account.plan.daily === null ? {} : { 'x-resend-daily-quota': used }),
    }
    write(response, { ...answer, headers: { ...account.limit.headers(), ...quota, ...answer.headers } })
  }
  const refusal =
    refuseCaller(account, request) ?? refuseRoute(method, path) ?? refuseReading(account, method)
  if (refusal) return reply(refusal)

  const body = method === 'POST' ? parseJson(raw) : null
  if (body === undefined)
    return reply(envelope(400, 'validation_error', 'The request body is not valid JSON.'))
  const target: Target = { method, path, key: seen.key, emails: listOf(body).filter(isWireEmail) }
  const exchange: Exchange = { response, reply, later: account.later }
  if (method === 'GET')
    return deliver(exchange, account.faults.strike('before', target), read(account, path), () => {})
  send(account, exchange, target, { body, mode: header(request, 'x-batch-validation') ?? 'strict' })
}

/** The path of a request, without its query. */
export function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0] ?? '/'
}

/** The parsed JSON, or undefined if it is invalid. */
export function parseJson(raw: string): unknown {
  try {
    return JSON.parse(raw)
  } catch {
    return undefined
  }
}

export const json = (value: unknown): Answer => ({ status: 200, body: JSON.stringify(value) })

export function write(response: ServerResponse, { status, body, type, headers }: Answer): void {
  const content = { 'content-type': type ?? 'application/json', 'content-length': Buffer.byteLength(body) }
  response.writeHead(status, { ...content, ...headers }).end(body)
}

function refuseCaller({ apiKey, limit }: Account, request: IncomingMessage): Answer | null {
  if (!header(request, 'user-agent')) return { status: 403, type: 'text/plain', body: 'error code: 1010' }
  const bearer = /^Bearer (.+)$/.exec(header(request, 'authorization') ?? '')?.[1]
  if (!bearer) return envelope(401, 'missing_api_key', 'Missing API key in the authorization header.')
  if (bearer !== apiKey) return envelope(401, 'validation_error', 'API key is invalid')
  return limit.take() ? null : tooManyRequests(limit.perSecond(), 1)
}

const ROUTES: { path: RegExp; method: string }[] = [
  { path: /^\/emails(\/batch)?$/, method: 'POST' },
  { path: /^\/emails\/(?!batch$)[^/]+$/, method: 'GET' },
  { path: /^\/domains(\/[^/]+)?$/, method: 'GET' },
  { path: /^\/webhooks$/, method: 'GET' },
  { path: /^\/usage$/, method: 'GET' },
]

function refuseRoute(method: string, path: string): Answer | null {
  const route = ROUTES.find((known) => known.path.test(path))
  if (!route) return envelope(404, 'not_found', 'The requested endpoint does not exist.')
  if (route.method === method) return null
  return envelope(405, 'method_not_allowed', 'Method is not allowed for the requested path.')
}

function refuseReading({ sendingOnly }: Account, method: string): Answer | null {
  if (method === 'POST' || !sendingOnly) return null
  return envelope(401, 'restricted_api_key', 'This API key is restricted to only send emails.')
}

function send(
  account: Account,
  exchange: Exchange,
  target: Target,
  { body, mode }: { body: unknown; mode: string },
): void {
  const { method, path, key } = target
  if (key !== null && (key.length < 1 || key.length > 256)) {
    const message = 'Idempotency keys, if present, must have between 1 and 256 characters.'
    return exchange.reply(envelope(400, 'invalid_idempotency_key', message))
  }
  const claim = key === null ? null : account.answers.claim(`${method} ${path} ${key}`, body, account.now())
  const settle = (answer: Answer | null) => {
    if (claim?.kind === 'first') claim.settle(answer)
  }
  const before = account.faults.strike('before', target)
  if (before) return deliver(exchange, before, null, () => settle(null))

  const answer = repeated(claim) ?? carryOut(account, target, body, mode)
  // Only a success is stored under its key, and only an accepted email can lose its answer.
  const taken = answer.status === 200
  const after = taken ? account.faults.strike('after', target) : undefined
  deliver(exchange, after, answer, () => settle(taken ? answer : null))
}

/** The answer to a key that was used before; null if the request is new. */
function repeated(claim: ReturnType<Account['answers']['claim']> | null): Answer | null {
  if (claim === null || claim.kind === 'first') return null
  if (claim.kind === 'replay') return claim.answer
  if (claim.kind === 'in-flight') {
    const message = 'There is another request in progress with the same idempotency key.'
    return envelope(409, 'concurrent_idempotent_requests', message)
  }
  const message =
    "This idempotency key has been used with this HTTP method and endpoint within the last 24 hours, but the request body was modified and doesn't match the original request."
  return envelope(409, 'invalid_idempotent_request', message)
}

function carryOut(account: Account, { path, key }: Target, body: unknown, mode: string): Answer {
  const isBatch = path === '/emails/batch'
  const verdict = isBatch ? judgeBatch(body, mode, account.rules) : judgeEmail(body, account.rules)
  if (verdict.kind === 'refused') {
    const { status, name, message } = verdict.refusal
    return envelope(status, name, message)
  }
  const data = verdict.emails.map(({ index, email }) => ({ id: accept(account, email, key, index) }))
  if (!isBatch) return json(data[0])
  return json(mode === 'permissive' ? { data, errors: verdict.errors } : { data })
}

function accept(account: Account, email: WireEmail, key: string | null, index: number): string {
  const { accepted, counts, keepBodies, now } = account
  const { from, subject, html = '', text = '', headers = {}, tags = [] } = email
  const to = listOf(email.to)
  const body = keepBodies ? { html, text, headers, tags } : NO_BODY
  const id = randomUUID()
  accepted.push({ id, key, index, at: now(), from, to, replyTo: listOf(email.reply_to), subject, ...body })
  for (const address of to.map(bareAddress)) counts.set(address, (counts.get(address) ?? 0) + 1)
  return id
}

const NO_BODY = { html: '', text: '', headers: {}, tags: [] }

function read({ accepted, domains, webhooks, plan }: Account, path: string): Answer {
  if (path === '/usage') return answerUsage(plan, accepted.length)
  if (path === '/webhooks') return answerWebhooks(webhooks)
  const email = accepted.find(({ id }) => path === `/emails/${id}`)
  if (email) return json(emailDetails(email))
  return answerDomains(domains, path) ?? envelope(404, 'not_found', 'Email not found')
}

function emailDetails({ id, at, to, from, subject, html, text, replyTo, tags }: AcceptedEmail) {
  return {
    object: 'email',
    id,
    message_id: messageId(id),
    to,
    from,
    created_at: new Date(at).toISOString().replace('T', ' ').replace('Z', '000+00'),
    subject,
    html: html || null,
    text: text || null,
    cc: null,
    bcc: null,
    reply_to: replyTo.length > 0 ? replyTo : null,
    last_event: 'queued',
    scheduled_at: null,
    tags,
  }
}

function header(request: IncomingMessage, name: string): string | null {
  const value = request.headers[name]
  return typeof value === 'string' ? value : null
}

// Enough for a fault's `when`; resend-contract.ts checks the rest.
const isWireEmail = (value: unknown): value is WireEmail => typeof value === 'object' && value !== null
