import type { ServerResponse } from 'node:http'
import { z } from 'zod'
import type { WireEmail } from './contract.ts'

/** One answer that has not been written yet. */
export type Answer = { status: number; body: string; type?: string; headers?: Record<string, string> }

const BEFORE = ['reset-before', 'hang', 'status', 'html-502', 'rate-limit'] as const
const AFTER = [
  'reset-after-accept',
  'hang-after-accept',
  'late',
  'status-after-accept',
  'broken-json',
] as const

/** The part of a fault that can be JSON, for a stand-in in a process of its own. */
export const FaultSettings = z.strictObject({
  /**
   * Nothing accepted: `reset-before`, `hang` (until the client disconnects), `status`, `html-502`, `rate-limit`.
   * Accepted, but the client gets no answer, or a late or broken one: the others. Their key replays the lost answer.
   */
  kind: z.enum([...BEFORE, ...AFTER]),
  /** How many requests it affects; one by default. */
  times: z.int().positive().or(z.literal(Infinity)).optional(),
  /** Affects only every n-th request that it matches. */
  every: z.int().positive().optional(),
  /** For `late`: how long the answer takes (default 1000). For `rate-limit`: the `retry-after` (rounded up to seconds). */
  ms: z.int().nonnegative().optional(),
  /** For `status` and `status-after-accept`; 500 application_error by default. */
  status: z.int().min(400).max(599).optional(),
  name: z.string().optional(),
  message: z.string().optional(),
})

/** The request that a fault may affect. `emails` is empty unless the request sends email. */
export type Target = { method: string; path: string; key: string | null; emails: WireEmail[] }

/** `when` decides which requests match; by default, those that send email. */
export type Fault = z.infer<typeof FaultSettings> & { when?: (request: Target) => boolean }

export type Faults = {
  inject: (fault: Fault) => void
  clear: () => void
  /** Takes the fault that affects this request, before it is carried out or after it was accepted. */
  strike: (moment: 'before' | 'after', request: Target) => Fault | undefined
  /** How many requests were affected. */
  struck: () => number
}

/** Faults in the order they were injected. For each request, the first that matches is used. */
export function faultList(): Faults {
  let armed: { fault: Fault; fits: number; left: number }[] = []
  let count = 0
  return {
    struck: () => count,
    inject: (fault) => void armed.push({ fault, fits: 0, left: fault.times ?? 1 }),
    clear: () => void (armed = []),
    strike(moment, request) {
      const kinds: readonly string[] = moment === 'before' ? BEFORE : AFTER
      const struck = armed.find((one) => {
        if (!kinds.includes(one.fault.kind) || !(one.fault.when ?? sendsMail)(request)) return false
        one.fits += 1
        return one.fits % (one.fault.every ?? 1) === 0
      })
      if (!struck) return undefined
      count += 1
      struck.left -= 1
      if (struck.left === 0) armed = armed.filter((one) => one !== struck)
      return struck.fault
    },
  }
}

export type Exchange = {
  response: ServerResponse
  /** Writes an answer, unless the client has disconnected. */
  reply: (answer: Answer) => void
  /** Runs `task` after `ms`, unless the stand-in closes first. */
  later: (ms: number, task: () => void) => void
}

/**
 * Answers a request as the fault demands. `answer` is the answer of an accepted request, or null. `settle` stores the
 * result under the idempotency key, at the moment when a provider with this fault would.
 */
export function deliver(
  { response, reply, later }: Exchange,
  fault: Fault | undefined,
  answer: Answer | null,
  settle: () => void,
): void {
  const settleAnd = (act: () => void) => {
    settle()
    act()
  }
  switch (fault?.kind) {
    case undefined:
      return settleAnd(() => answer && reply(answer))
    case 'reset-before':
    case 'reset-after-accept':
      return settleAnd(() => response.socket?.resetAndDestroy())
    case 'hang':
    case 'hang-after-accept':
      return void response.once('close', settle)
    case 'late':
      return later(fault.ms ?? 1000, () => settleAnd(() => answer && reply(answer)))
    case 'broken-json':
      return settleAnd(() => reply({ status: 200, body: answer?.body.slice(0, -8) ?? '{' }))
    case 'html-502':
      return settleAnd(() =>
        reply({ status: 502, type: 'text/html', body: '<html><h1>502 Bad Gateway</h1></html>' }),
      )
    case 'rate-limit':
      return settleAnd(() => reply(tooManyRequests(10, Math.ceil((fault.ms ?? 1000) / 1000))))
    case 'status':
    case 'status-after-accept': {
      const { status = 500, name = 'application_error', message = 'An unexpected error occurred.' } = fault
      return settleAnd(() => reply(envelope(status, name, message)))
    }
  }
}

/** Resend's form of an error. */
export function envelope(statusCode: number, name: string, message: string): Answer {
  return { status: statusCode, body: JSON.stringify({ statusCode, message, name }) }
}

export function tooManyRequests(limit: number, retryAfterSeconds: number): Answer {
  const message = `Too many requests. You can only make ${limit} requests per second. See rate limit response headers for more information. Or contact support to increase rate limit.`
  const headers = { 'retry-after': String(retryAfterSeconds) }
  return { ...envelope(429, 'rate_limit_exceeded', message), headers }
}

const sendsMail = ({ emails }: Target): boolean => emails.length > 0
