import { Resend } from 'resend'

/** The headers of a webhook request; Resend signs with Svix. */
export type SignedRequest = { body: string; id: string; timestamp: string; signature: string }

/** `event` is the parsed body, or `null` if it is not JSON. `reason` never repeats the input. */
export type Verdict = { kind: 'genuine'; event: unknown } | { kind: 'forged'; reason: string }

/**
 * Checks that a request comes from Resend, was signed with one of `secrets` (a comma list, `whsec_…`: several while one
 * is rotated) and is at most 5 minutes off the real clock. https://resend.com/docs/webhooks/verify-webhooks-requests
 */
export function webhookVerifier(apiKey: string, secrets: string): (request: SignedRequest) => Verdict {
  const resend = new Resend(apiKey)
  const keys = secrets.split(',').map((secret) => secret.trim())

  return ({ body, ...headers }) => {
    const reasons = new Set<string>()
    for (const webhookSecret of keys) {
      try {
        return { kind: 'genuine', event: resend.webhooks.verify({ payload: body, headers, webhookSecret }) }
      } catch (error) {
        // The body is parsed only after its signature was verified.
        if (error instanceof SyntaxError) return { kind: 'genuine', event: null }
        const named = error instanceof Error && error.name === 'WebhookVerificationError'
        reasons.add(named ? error.message : 'RESEND_WEBHOOK_SECRET has a secret that is not base64')
      }
    }
    return { kind: 'forged', reason: [...reasons].join('; ') }
  }
}
