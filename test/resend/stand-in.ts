import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import type { AcceptedEmail, SeenRequest } from './account.ts'
import { type Account } from './account.ts'
import { answerLikeResend, json, parseJson, pathOf, write } from './answers.ts'
import type { SendRules } from './contract.ts'
import { aDomain, type StandInDomain, type StandInPlan, type StandInWebhook } from './domains.ts'
import { type Answer, envelope, type Fault, FaultSettings, faultList } from './faults.ts'
import { idempotencyStore } from './idempotency.ts'
import { rateLimit } from './rate-limit.ts'
import { type WebhookEvent, webhookEvent } from './webhooks.ts'

export type StandInOptions = SendRules & {
  /** 0 (the default) takes a free port. */
  port?: number
  host?: string
  apiKey?: string
  /** The sender domains of the account; by default one verified domain. */
  domains?: StandInDomain[]
  /** The account's webhooks; none by default. */
  webhooks?: StandInWebhook[]
  /** What the account may send, for `GET /usage` and its headers; by default that of a paid plan. Nothing enforces it. */
  plan?: StandInPlan
  /** The API key may only send. */
  sendingOnly?: boolean
  requestsPerSecond?: number
  /** Drives the rate limit, the 24 h of idempotency keys and `at`; ms since the epoch. */
  now?: () => number
  /** False drops html, text, headers, and tags of accepted emails, for runs of a million. */
  keepBodies?: boolean
  /** True ignores idempotency keys, to test what the other guards do without them. */
  ignoreKeys?: boolean
}

export type ResendStandIn = {
  url: string
  /** In the order of acceptance; grows. */
  accepted: AcceptedEmail[]
  requests: SeenRequest[]
  /** Accepted emails per recipient (bare address, lower case). */
  countByAddress: () => Map<string, number>
  inject: (fault: Fault) => void
  clearFaults: () => void
  setRequestsPerSecond: (limit: number) => void
  /** The webhook event that Resend would post about this email; sign it with `signedWebhook`. */
  webhookEvent: (type: string, email: AcceptedEmail, extra?: Record<string, unknown>) => WebhookEvent
  /** Closes every connection, including hanging ones. */
  close: () => Promise<void>
}

/**
 * Starts a local HTTP server that behaves like Resend, but stricter: it refuses anything that Resend is not known to
 * accept. It sends no email. Rejects if the port is taken.
 *
 * Another process can read and control it at `/_stand-in/summary`, `/counts`, `/accepted`, and `/faults`.
 */
export async function startResendStandIn(options: StandInOptions = {}): Promise<ResendStandIn> {
  const timers = new Set<NodeJS.Timeout>()
  const account = newAccount(options, timers)
  const server = createServer((request, response) => {
    void readBody(request).then((raw) => {
      if (raw === null) return
      if (pathOf(request).startsWith('/_stand-in/')) write(response, control(account, request, raw))
      else answerLikeResend(account, request, response, raw)
    })
  })
  // Longer than clients keep idle connections: closing one just as a request arrives would look like a lost answer.
  server.keepAliveTimeout = 120_000
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1')
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo
  const { accepted, requests, counts, faults, limit, now } = account
  return {
    url: `http://${address}:${port}`,
    accepted,
    requests,
    countByAddress: () => new Map(counts),
    inject: faults.inject,
    clearFaults: faults.clear,
    setRequestsPerSecond: limit.set,
    webhookEvent: (type, email, extra) => webhookEvent(type, email, now(), extra),
    async close() {
      for (const timer of timers) clearTimeout(timer)
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function newAccount(options: StandInOptions, timers: Set<NodeJS.Timeout>): Account {
  const { apiKey = 're_stand_in', now = Date.now, requestsPerSecond = 1_000_000 } = options
  const { keepBodies = true, ignoreKeys = false } = options
  return {
    apiKey,
    rules: options,
    domains: options.domains ?? [aDomain(options.fromDomain ?? 'openseat.test')],
    webhooks: options.webhooks ?? [],
    plan: options.plan ?? { daily: null, monthly: 50_000 },
    sendingOnly: options.sendingOnly ?? false,
    keepBodies,
    ignoreKeys,
    now,
    accepted: [],
    counts: new Map(),
    requests: [],
    faults: faultList(),
    answers: idempotencyStore(),
    limit: rateLimit(requestsPerSecond, now),
    later(ms, task) {
      const timer = setTimeout(() => {
        timers.delete(timer)
        task()
      }, ms)
      timers.add(timer)
    },
  }
}

/** The whole body; null if the client disconnected before its end. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  try {
    return await text(request)
  } catch {
    return null
  }
}

function control(account: Account, request: IncomingMessage, raw: string): Answer {
  switch (`${request.method} ${pathOf(request)}`) {
    case 'GET /_stand-in/summary':
      return json(summary(account))
    case 'GET /_stand-in/counts':
      return json(Object.fromEntries(account.counts))
    case 'GET /_stand-in/accepted':
      return json(account.accepted.map(({ html: _html, text: _text, headers: _headers, ...mail }) => mail))
    case 'POST /_stand-in/faults': {
      const fault = FaultSettings.safeParse(parseJson(raw))
      if (!fault.success) return envelope(422, 'validation_error', fault.error.message)
      account.faults.inject(fault.data)
      return json({})
    }
    case 'DELETE /_stand-in/faults':
      account.faults.clear()
      return json({})
    default:
      return envelope(404, 'not_found', 'The stand-in has summary, counts, accepted, and faults.')
  }
}

function summary({ accepted, counts, faults, requests }: Account) {
  let duplicates = 0
  for (const count of counts.values()) if (count > 1) duplicates += 1
  const byStatus: Record<string, number> = {}
  for (const { status } of requests) {
    const name = String(status ?? 'unanswered')
    byStatus[name] = (byStatus[name] ?? 0) + 1
  }
  return { accepted: accepted.length, duplicates, struck: faults.struck(), requests: byStatus }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      rps: { type: 'string', default: '10' },
      'api-key': { type: 'string', default: 're_stand_in' },
      'from-domain': { type: 'string' },
      'keep-bodies': { type: 'boolean', default: false },
      'ignore-keys': { type: 'boolean', default: false },
    },
  })
  const standIn = await startResendStandIn({
    port: Number(values.port),
    host: values.host,
    requestsPerSecond: Number(values.rps),
    apiKey: values['api-key'],
    fromDomain: values['from-domain'],
    keepBodies: values['keep-bodies'],
    ignoreKeys: values['ignore-keys'],
  })
  console.log(JSON.stringify({ url: standIn.url }))
  process.once('SIGTERM', () => void standIn.close())
  process.once('SIGINT', () => void standIn.close())
}

if (import.meta.main) await main()
