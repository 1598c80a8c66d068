import type { Resend } from 'resend'
import { z } from 'zod'
import { withoutAddresses } from '../core/text/redact.ts'
import { guardOn, waitOf } from '../failpoint.ts'

/** The client of the email provider. It never throws because of an answer; every answer is a `SubmitAnswer`. */
export type Mailer = {
  /** Submits `size` emails, as made by `batchBody`, under an idempotency key. The same key and bytes get the same answer. */
  submitBatch(batch: { body: Buffer<ArrayBuffer>; size: number; key: string }): Promise<SubmitAnswer>
}

/** The provider's answer to a batch. `perSecond` is the request limit in it, if there was one. */
export type SubmitAnswer = Answer & { perSecond: number | null }

type Answer =
  | { kind: 'accepted'; results: ({ id: string } | { refused: string })[] }
  /** It may have been accepted. Repeat with the same key and bytes. */
  | { kind: 'uncertain'; reason: string }
  /** Not accepted, through no fault of ours. Repeat after the wait. */
  | { kind: 'rate-limited'; retryAfterMs: number }
  /** Not accepted, and nothing else will be, until an operator fixes the account, the key, or the settings. */
  | { kind: 'stopped'; reason: string }
  /** The key was used with other bytes. The first ones were probably accepted. */
  | { kind: 'conflict'; reason: string }

/** The SDK never retries and has no timeout of its own; a batch that takes longer counts as uncertain. */
const TIMEOUT_MS = 30_000
const KEY_LENGTH = { min: 1, max: 256 }

type Headers = Record<string, string> | null

const Accepted = z.object({
  data: z.array(z.object({ id: z.string().min(1) })),
  errors: z.array(z.object({ index: z.number().int().min(0), message: z.string() })).optional(),
})

/** Opens Resend with `apiKey`; `baseUrl` is for the demo and tests. `timeoutMs` bounds one request. */
export function openMailer(options: {
  apiKey: string
  baseUrl?: string | undefined
  timeoutMs?: number
}): Mailer {
  // Loaded with the first batch: the SDK and `fetch` take 4 MB, which a process that waits for Monday does not need.
  let loaded: Promise<Resend> | undefined
  const client = () => {
    loaded ??= import('resend').then(
      ({ Resend }) => new Resend(options.apiKey, options.baseUrl ? { baseUrl: options.baseUrl } : {}),
    )
    return loaded
  }
  const timeoutMs = options.timeoutMs ?? waitOf('request', TIMEOUT_MS)

  return {
    async submitBatch({ body, size, key }) {
      // The SDK silently drops an empty key, and with it the protection against a second email.
      if (key.length < KEY_LENGTH.min || key.length > KEY_LENGTH.max)
        throw new Error(`idempotency key of ${key.length} characters`)
      const resend = await client()
      const options = {
        body, // our own bytes in place of the SDK's, so that what is hashed and frozen is what is sent
        idempotencyKey: guardOn('idempotency-key') ? key : '',
        headers: { 'x-batch-validation': 'permissive' },
        signal: AbortSignal.timeout(timeoutMs),
        // With both of these, `fetch` does not keep megabytes to send them again. Emails are never redirected.
        window: null,
        redirect: 'error' as const,
      }
      const answer = await resend.post<unknown>('/emails/batch', undefined, options)
      const perSecond = limitIn(answer.headers)
      if (answer.error) return { ...classify(answer.error, answer.headers), perSecond }
      return { ...accepted(answer.data, size), perSecond }
    },
  }
}

// In permissive mode, `data` has only the accepted emails, in order, and `errors` the index of each refused one.
function accepted(data: unknown, size: number): Answer {
  const parsed = Accepted.safeParse(data)
  const refused = new Map(parsed.data?.errors?.map((error) => [error.index, withoutAddresses(error.message)]))
  if (!parsed.success || parsed.data.data.length + refused.size !== size)
    return { kind: 'uncertain', reason: 'Resend answered 200 with something that is not a list of ids' }
  const ids = parsed.data.data.values()
  const results = Array.from({ length: size }, (_, index) => {
    const reason = refused.get(index)
    return reason === undefined ? { id: ids.next().value?.id ?? '' } : { refused: reason }
  })
  return { kind: 'accepted', results }
}

// By status first, because names differ between Resend's docs, its SDK, and its answers. https://resend.com/docs/api-reference/errors
function classify(
  error: { name?: string; message?: string; statusCode?: number | null },
  headers: Headers,
): Answer {
  const status = error.statusCode ?? null
  const reason = withoutAddresses(`${status ?? 'no answer'} ${error.name ?? ''}: ${error.message ?? ''}`)
  if (status === null)
    return error.name === 'application_error' ? { kind: 'uncertain', reason } : { kind: 'stopped', reason }
  if (status === 429 && !/quota/.test(error.name ?? ''))
    return { kind: 'rate-limited', retryAfterMs: retryAfter(headers) }
  if (status === 409)
    return { kind: error.name === 'invalid_idempotent_request' ? 'conflict' : 'uncertain', reason }
  if (status >= 500 || status === 408 || status === 425) return { kind: 'uncertain', reason }
  return { kind: 'stopped', reason }
}

function retryAfter(headers: Headers): number {
  const seconds = Number(headers?.['retry-after'] ?? headers?.['ratelimit-reset'] ?? 1)
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 60) * 1000 : 1000
}

// `ratelimit-limit: 10` with `ratelimit-policy: 10;w=1` means ten requests in a window of one second.
function limitIn(headers: Headers): number | null {
  const limit = Number(headers?.['ratelimit-limit'])
  const window = Number(/w=(\d+)/.exec(headers?.['ratelimit-policy'] ?? '')?.[1] ?? 1)
  return Number.isFinite(limit) && limit > 0 && window > 0 ? limit / window : null
}
