import { createHmac, randomUUID } from 'node:crypto'
import type { AcceptedEmail } from './account.ts'

export type WebhookEvent = { type: string; created_at: string; data: Record<string, unknown> }
export type SignedWebhook = { headers: Record<string, string>; body: string }

/**
 * The event Resend posts about an accepted email, e.g. `email.delivered`. `extra` is merged into `data`
 * (`{ bounce: { type: 'Permanent', … } }`). Tags turn from a list into an object, as they do at Resend.
 * https://resend.com/docs/webhooks/event-types
 */
export function webhookEvent(
  type: string,
  email: Pick<AcceptedEmail, 'id' | 'at' | 'from' | 'to' | 'subject' | 'tags'>,
  nowMs: number,
  extra: Record<string, unknown> = {},
): WebhookEvent {
  const { id, at, from, to, subject, tags } = email
  const data = {
    created_at: new Date(at).toISOString().replace('Z', '000+00:00'),
    email_id: id,
    message_id: messageId(id),
    from,
    to,
    subject,
    ...(tags.length > 0 && { tags: Object.fromEntries(tags.map(({ name, value }) => [name, value])) }),
    ...extra,
  }
  return { type, created_at: new Date(nowMs).toISOString(), data }
}

/**
 * What Resend posts about an email that arrived for `to`: metadata, never its text.
 * https://resend.com/docs/webhooks/emails/received
 */
export function receivedEvent(
  to: string[],
  nowMs: number,
  extra: Record<string, unknown> = {},
): WebhookEvent {
  const created_at = new Date(nowMs).toISOString()
  const id = randomUUID()
  const data = {
    email_id: id,
    created_at,
    from: 'Ada Moreno <ada@sample.test>',
    to,
    bcc: [],
    cc: [],
    received_for: [],
    message_id: messageId(id),
    subject: '',
    attachments: [],
    ...extra,
  }
  return { type: 'email.received', created_at, data }
}

/** The Message-ID the stand-in gives to the accepted email with this id. */
export const messageId = (id: string): string => `<${id}@stand-in.test>`

/**
 * Body and `svix-*` headers as Resend sends them. `secret` is `whsec_` + base64; `timestamp` is in unix seconds.
 * It defaults to the real clock, as that is what a verifier compares it with (300 s either way).
 */
export function signedWebhook(
  secret: string,
  event: WebhookEvent,
  options: { id?: string; timestamp?: number } = {},
): SignedWebhook {
  const id = options.id ?? `msg_${randomUUID()}`
  const timestamp = String(options.timestamp ?? Math.floor(Date.now() / 1000))
  const body = JSON.stringify(event)
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Svix-Webhooks/1.0',
    'svix-id': id,
    'svix-timestamp': timestamp,
    'svix-signature': `v1,${signature}`,
  }
  return { headers, body }
}
